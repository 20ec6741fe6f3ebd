import { z } from 'zod';
import type { RoutingAnswer } from './routing-hook.js';

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
const dialled = z.string().regex(/^[+*#0-9A-Za-z._~-]{1,64}$/);

const answer = z.strictObject({
  to: z.union([
    z.literal('users'),
    z.strictObject({ user: dialled }),
    z.strictObject({ trunks: z.array(name).min(1).max(20) }),
    z.strictObject({ reject: z.int().min(400).max(699) }),
  ]),
  number: dialled.optional(),
  name: name.optional(),
});

/** Reads what a hook gave; undefined or null: the routes decide. Throws an Error that says what is wrong. */
export function readAnswer(given: unknown): RoutingAnswer | undefined {
  if (given === undefined || given === null) return undefined;
  const read = answer.safeParse(given);
  if (!read.success) {
    const issues = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw new Error(`not an answer: ${issues.join('; ')}`);
  }
  const { to, number, name: called } = read.data;
  return {
    to,
    ...(number === undefined ? {} : { number }),
    ...(called === undefined ? {} : { name: called }),
  };
}
