import { z } from 'zod';
import type { Binding } from './location.js';

const text = z.string().max(4_096);

const schema = z.array(
  z
    .object({
      aor: text,
      contactUri: text,
      instanceId: text.optional(),
      regId: z.number().int().optional(),
      contactParams: text,
      path: z.array(text).max(20),
      expiresAtMs: z.number().min(0),
      sipCallId: text,
      cseq: z.number(),
      endpointId: text,
      userAgent: text.optional(),
    })
    .transform((binding) => dropUndefined(binding)),
);

/** The bindings of one address-of-record as the shared store keeps them. */
export function writeBindings(bindings: readonly Binding[]): string {
  return JSON.stringify(bindings);
}

/** Undefined when the text is not what {@link writeBindings} writes. */
export function readBindings(record: string): readonly Binding[] | undefined {
  try {
    return schema.safeParse(JSON.parse(record)).data;
  } catch {
    return undefined;
  }
}

type Given<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

function dropUndefined<T extends object>(value: T): Given<T> {
  const given = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(given) as Given<T>;
}
