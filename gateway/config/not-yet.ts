import type { Path } from './problem.js';

/** Keys that the design knows and that this version cannot do: never taken silently. `*` stands for any list item. */
const keys: ReadonlySet<string> = new Set(['ice.servers.*.secret']);

const values: Readonly<Record<string, RegExp>> = {};

const pattern = (path: Path): string => path.map((step) => (typeof step === 'number' ? '*' : step)).join('.');

export function isKeyNotYet(path: Path): boolean {
  return keys.has(pattern(path));
}

export function isValueNotYet(path: Path, value: unknown): boolean {
  return typeof value === 'string' && values[pattern(path)]?.test(value) === true;
}
