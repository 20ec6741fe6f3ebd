import { z } from 'zod';
import { explanationOf } from './fields.js';
import { nearest } from './nearest.js';
import { pathText, type ConfigProblem, type Path } from './problem.js';
import { holdsSecret, schemaAt } from './schema-walk.js';
import { withoutPassword } from './masked.js';
import type { YamlSource } from './yaml-source.js';

type Issue = z.core.$ZodIssue;

/** Says in plain words what a zod issue means and what to do. */
export function explainIssue(issue: Issue, root: z.ZodType, source: YamlSource): readonly ConfigProblem[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => explainKey([...path, key], root, source));
  }
  return [{ path: pathText(path), line: source.lineOf(path), ...explainValue(path, root, source) }];
}

function explainKey(path: Path, root: z.ZodType, source: YamlSource): ConfigProblem {
  const where = { path: pathText(path), line: source.lineOf(path) };
  const parent = schemaAt(root, path.slice(0, -1));
  const known = parent instanceof z.ZodObject ? Object.keys(parent.shape) : [];
  const meant = nearest(lastOf(path), known);
  const fix = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean "${meant}"?`;
  return { ...where, problem: 'unknown key', fix };
}

interface Finding {
  readonly problem: string;
  readonly fix: string;
}

function explainValue(path: Path, root: z.ZodType, source: YamlSource): Finding {
  const schema = schemaAt(root, path);
  const value = valueAt(source.value, path);
  const { expected, write } = wishOf(schema);
  if (value === undefined) return { problem: 'missing', fix: `add ${lastOf(path)}: ${write}` };
  if (value === null) return { problem: 'nothing is written here', fix: write };
  if (typeof value === 'object') return { problem: `expected ${expected}`, fix: write };
  const written = source.writtenAt(path) ?? '';
  return explainScalar(schema, path, value, written);
}

function explainScalar(schema: z.ZodType, path: Path, value: unknown, written: string): Finding {
  const { expected, write } = wishOf(schema);
  const secret = holdsSecret(schema);
  if (schema instanceof z.ZodString && typeof value !== 'string') {
    const problem = `YAML reads this as ${typeof value === 'number' ? 'a number' : 'true or false'}`;
    if (secret) return { problem, fix: inQuotes(path, '…') };
    return { problem, fix: schema.safeParse(written).success ? inQuotes(path, written) : write };
  }
  const shown = secret ? 'the value' : `"${withoutPassword(written)}"`;
  const meant = schema instanceof z.ZodEnum ? nearest(written, schema.options.map(String)) : undefined;
  const isItem =
    !secret && schema instanceof z.ZodArray && (schema.element as z.ZodType).safeParse(value).success;
  const isChoice = schema instanceof z.ZodEnum && schema.options.length > 1;
  const otherwise = isItem
    ? `put it in brackets: [${withoutPassword(written)}]`
    : isChoice
      ? 'write one of them'
      : write;
  const fix = meant === undefined ? otherwise : `did you mean ${meant}?`;
  return { problem: `${shown} is not ${expected}`, fix };
}

/** What a schema wants, for the problem and for the fix. */
function wishOf(schema: z.ZodType): { readonly expected: string; readonly write: string } {
  const { expected = 'what is wanted here', example } = explanationOf(schema);
  const keys = schema instanceof z.ZodObject ? Object.keys(schema.shape) : undefined;
  const fallback = keys === undefined ? `expected ${expected}` : `keys here: ${keys.join(', ')}`;
  return {
    expected: keys === undefined ? expected : 'a group of keys',
    write: example === undefined ? fallback : `for example ${example}`,
  };
}

function lastOf(path: Path): string {
  return String(path.at(-1));
}

function inQuotes(path: Path, written: string): string {
  const key = path.at(-1);
  return typeof key === 'string'
    ? `put it in quotes: ${key}: "${written}"`
    : `put it in quotes: "${written}"`;
}

/** The value at `path` as it is written, with `${NAME}` where that stands. */
function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}
