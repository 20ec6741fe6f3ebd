import { z } from 'zod';
import { explanationOf } from './fields.js';
import type { Path } from './problem.js';

/** The schema without the layers that make it optional or give it a default. */
export function unwrapped(schema: z.ZodType): z.ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap() as z.ZodType;
  }
  return inner;
}

/** The schema that a value at `path` is checked against, unwrapped; the last known one when the path leads nowhere. */
export function schemaAt(root: z.ZodType, path: Path): z.ZodType {
  let schema = unwrapped(root);
  for (const step of path) {
    const next = childSchema(schema, step);
    if (next === undefined) return schema;
    schema = unwrapped(next);
  }
  return schema;
}

function childSchema(schema: z.ZodType, step: string | number): z.ZodType | undefined {
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  if (schema instanceof z.ZodObject) return (schema.shape as Record<string, z.ZodType>)[step];
  return undefined;
}

/** True when what the schema checks is a secret, or has one in it: what stands there by mistake may be it. */
export function holdsSecret(schema: z.ZodType): boolean {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodArray) return holdsSecret(inner.element as z.ZodType);
  if (!(inner instanceof z.ZodObject)) return explanationOf(inner).secret === true;
  return Object.values(inner.shape).some(holdsSecret);
}
