import { z } from 'zod';
import { cdrSchema } from '../../../gateway/cdr/cdr-schema.js';

/** docs/cdr.schema.json: JSON Schema of a call data record. */
export function cdrSchemaText(): string {
  return JSON.stringify(z.toJSONSchema(cdrSchema), undefined, 2);
}
