import { z } from 'zod';
import { fileSchema } from '../../../gateway/config/schema.js';

/** docs/webtrunk.schema.json: JSON Schema of the configuration file, for editors. */
export function configurationSchemaText(): string {
  const schema = z.toJSONSchema(fileSchema, {
    io: 'input',
    unrepresentable: 'any',
    override({ jsonSchema }) {
      const { type } = jsonSchema;
      if (type !== 'integer' && type !== 'boolean') return;
      // Any value may be a variable.
      Object.assign(jsonSchema, { type: [type, 'string'], pattern: '^\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}$' });
    },
  });
  return JSON.stringify({ title: 'webtrunk configuration', ...schema }, undefined, 2);
}
