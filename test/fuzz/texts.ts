import fc from 'fast-check';
import { mutate, seededRandom } from '../torture/mutate.js';

/** Bytes that are like one of `seeds`, or like nothing. Shrinks towards few changes. */
export function near(seeds: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const mutated = fc
    .tuple(fc.nat({ max: seeds.length - 1 }), fc.integer({ min: 1, max: 0x7fffffff }))
    .map(([index, seed]) => mutate(seeds[index] ?? Buffer.alloc(0), seeds, seededRandom(seed)));
  const noise = fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes));
  const text = fc.string({ unit: 'binary', maxLength: 500 }).map((value) => Buffer.from(value));
  return fc.oneof(
    { arbitrary: mutated, weight: 16 },
    { arbitrary: noise, weight: 1 },
    { arbitrary: text, weight: 1 },
  );
}

/** JSON that is like that of `seeds`: entries are replaced, left out, added or nested by any value. */
export function nearJson(seeds: readonly unknown[]): fc.Arbitrary<string> {
  const paths = seeds.map((seed) => pathsOf(seed));
  const change = fc.tuple(fc.nat(), fc.oneof(odd, fc.constant(undefined), fc.jsonValue({ maxDepth: 3 })));
  return fc
    .tuple(fc.nat({ max: seeds.length - 1 }), fc.array(change, { minLength: 1, maxLength: 4 }))
    .map(([index, changes]) => {
      const value: unknown = structuredClone(seeds[index]);
      const known = paths[index] ?? [];
      for (const [which, replacement] of changes)
        setAt(value, known[which % known.length] ?? [], replacement);
      return JSON.stringify(value);
    });
}

const odd = fc.constantFrom<unknown>(
  ...['', 'sip:', '<sip:a@b>', '\r\nVia: x', 'x'.repeat(5_000), '__proto__'],
  ...[0, -1, 1e21, 1.5, Number.MAX_SAFE_INTEGER, true, null, {}, [], [[]]],
);

type Step = string | number;

function pathsOf(value: unknown, at: readonly Step[] = []): readonly (readonly Step[])[] {
  if (typeof value !== 'object' || value === null) return at.length === 0 ? [] : [at];
  const inner = Object.entries(value).flatMap(([key, child]) => pathsOf(child, [...at, key]));
  return at.length === 0 ? inner : [at, ...inner];
}

function setAt(value: unknown, path: readonly Step[], replacement: unknown): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>(
      (at, step) => (typeof at === 'object' && at !== null ? (at as Record<Step, unknown>)[step] : undefined),
      value,
    );
  const key = path.at(-1);
  if (typeof parent !== 'object' || parent === null || key === undefined) return;
  (parent as Record<Step, unknown>)[key] = structuredClone(replacement);
}
