import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { cdrSchemaText } from './cdr-doc.js';
import { configurationDoc } from './configuration-doc.js';
import { configurationSchemaText } from './configuration-schema.js';
import { failuresDoc } from './failures-doc.js';

const pathOf = (name: string): string => fileURLToPath(new URL(`../../../../docs/${name}`, import.meta.url));

const documents = {
  'configuration.md': configurationDoc,
  'failures.md': failuresDoc,
  'cdr.schema.json': cdrSchemaText,
  'webtrunk.schema.json': configurationSchemaText,
};

/** Every generated document: where it belongs and what it should say. */
export async function generatedDocs(): Promise<readonly { readonly path: string; readonly text: string }[]> {
  return Promise.all(
    Object.entries(documents).map(async ([name, textOf]) => {
      const path = pathOf(name);
      const options = (await resolveConfig(path)) ?? {};
      return {
        path,
        text: await format(textOf(), { ...options, parser: name.endsWith('.json') ? 'json' : 'markdown' }),
      };
    }),
  );
}
