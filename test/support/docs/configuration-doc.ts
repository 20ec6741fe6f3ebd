import { z } from 'zod';
import { explanationOf } from '../../../gateway/config/fields.js';
import { fileSchema } from '../../../gateway/config/schema.js';
import { unwrapped } from '../../../gateway/config/schema-walk.js';
import { exampleConfig } from './example-config.js';

const introduction = `# Configuration

Generated from the schema (\`gateway/config/schema.ts\`) by \`npm run docs\`; a test fails when it is stale.

One YAML file: \`npm start -- --config FILE\`. \`webtrunk check FILE\` says everything that is wrong with it, with the line
and what to do. Without a file the quick start runs: this machine only, users alice and bob with new passwords, the echo
number 600.

- An unknown key is an error, never passed over.
- \`\${NAME}\` as a whole value is the environment variable NAME. Use it for every secret.
- Durations are \`500ms\`, \`30s\`, \`5m\`, \`4h\`; sizes are \`64KiB\`, \`1MiB\`.
- Put numbers that are texts in quotes: YAML reads \`+15551230000\` as a number.
- File names that do not begin with \`/\` start at the folder of the configuration file.

\`\`\`yaml
${exampleConfig}\`\`\`
`;

/** The text of docs/configuration.md. */
export function configurationDoc(): string {
  const sections = Object.entries(fileSchema.shape).map(([name, schema]) => sectionText(name, schema));
  return [introduction, ...sections].join('\n');
}

function sectionText(name: string, schema: z.ZodType): string {
  const { description = '' } = explanationOf(unwrapped(schema));
  const needed = isNeeded(schema) ? ' Required.' : '';
  const rows = rowsBelow(name, unwrapped(schema)).map((row) => `| ${row.join(' | ')} |`);
  if (rows.length === 0) return [`## ${name}`, '', `${description}${needed}`, ''].join('\n');
  const head = ['| key | value | default | meaning |', '| --- | --- | --- | --- |'];
  return [`## ${name}`, '', `${description}${needed}`, '', ...head, ...rows, ''].join('\n');
}

function rowsBelow(path: string, schema: z.ZodType): string[][] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape as Record<string, z.ZodType>).flatMap(([key, child]) =>
      rowsOf(`${path}.${key}`, child),
    );
  }
  if (schema instanceof z.ZodArray) return rowsBelow(`${path}[]`, unwrapped(schema.element as z.ZodType));
  return [];
}

function rowsOf(path: string, schema: z.ZodType): string[][] {
  const inner = unwrapped(schema);
  const { description = '', expected = 'keys' } = explanationOf(inner);
  const value = inner instanceof z.ZodObject ? 'keys' : expected;
  const row = [`\`${path}\``, value, defaultText(schema, inner), description].map((cell) =>
    cell.replaceAll('|', '\\|'),
  );
  return [row, ...rowsBelow(path, inner)];
}

function defaultText(schema: z.ZodType, inner: z.ZodType): string {
  if (isNeeded(schema)) return 'required';
  if (!(schema instanceof z.ZodDefault) || inner instanceof z.ZodObject) return '';
  const value: unknown = schema.def.defaultValue;
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function isNeeded(schema: z.ZodType): boolean {
  return !schema.safeParse(undefined).success && !(schema instanceof z.ZodOptional);
}
