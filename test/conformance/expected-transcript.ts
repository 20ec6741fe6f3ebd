import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { differenceOf, type Hunk } from './differences.js';
import type { EngineChoice } from '../support/engine-under-test.js';

type EngineName = EngineChoice['engine'];

/** Sources, also when the compiled tests run. */
const folder = fileURLToPath(new URL('../../../test/conformance/expected/', import.meta.url));
const prefixes = { both: '  ', drachtio: 'd ', embedded: 'e ' } as const;
/** Heads each difference, with its name in `differences.ts`. */
const heading = '# ';

/** What one engine is expected to say in a scenario; undefined when that was never written down. */
export function expectedTranscript(scenario: string, engine: EngineName): string[] | undefined {
  const lines = storedLines(scenario);
  if (!lines.some((line) => line.startsWith(prefixes[engine]) || line.startsWith(prefixes.both)))
    return undefined;
  return lines
    .filter((line) => line.startsWith(prefixes.both) || line.startsWith(prefixes[engine]))
    .map((line) => line.slice(2));
}

/** The names of all differences in that scenario, each as often as it occurs. */
export function differencesIn(scenario: string): string[] {
  return storedLines(scenario)
    .filter((line) => line.startsWith(heading))
    .map((line) => line.slice(heading.length));
}

/** Writes down what an engine has said, beside what the other one is known to say. */
export function storeTranscript(scenario: string, engine: EngineName, lines: readonly string[]): void {
  const other = engine === 'drachtio' ? 'embedded' : 'drachtio';
  const known = expectedTranscript(scenario, other) ?? lines;
  const [drachtio, embedded] = engine === 'drachtio' ? [lines, known] : [known, lines];
  const out: string[] = [];
  for (const part of compare(drachtio, embedded)) {
    if (typeof part === 'string') {
      out.push(prefixes.both + part);
      continue;
    }
    out.push(`${heading}${differenceOf(scenario, part)}`);
    out.push(...part.drachtio.map((line) => prefixes.drachtio + line));
    out.push(...part.embedded.map((line) => prefixes.embedded + line));
  }
  writeFileSync(fileOf(scenario), `${out.join('\n')}\n`);
}

function storedLines(scenario: string): string[] {
  const file = fileOf(scenario);
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}

function fileOf(scenario: string): string {
  return `${folder}${scenario}.txt`;
}

/** Common lines, and between them what only one side has (longest common subsequence). */
export function compare(drachtio: readonly string[], embedded: readonly string[]): (string | Hunk)[] {
  const lengths = commonLengths(drachtio, embedded);
  const parts: (string | Hunk)[] = [];
  let hunk: { drachtio: string[]; embedded: string[] } = { drachtio: [], embedded: [] };
  const flush = (): void => {
    if (hunk.drachtio.length + hunk.embedded.length > 0) parts.push(hunk);
    hunk = { drachtio: [], embedded: [] };
  };
  for (let d = 0, e = 0; d < drachtio.length || e < embedded.length;) {
    const [left, right] = [drachtio[d], embedded[e]];
    if (left !== undefined && left === right) {
      flush();
      parts.push(left);
      d += 1;
      e += 1;
    } else if (
      right === undefined ||
      (left !== undefined && at(lengths, d + 1, e) >= at(lengths, d, e + 1))
    ) {
      hunk.drachtio.push(left ?? '');
      d += 1;
    } else {
      hunk.embedded.push(right);
      e += 1;
    }
  }
  flush();
  return parts;
}

const at = (table: readonly (readonly number[])[], row: number, column: number): number =>
  table[row]?.[column] ?? 0;

function commonLengths(one: readonly string[], other: readonly string[]): number[][] {
  const table = Array.from({ length: one.length + 1 }, () => new Array<number>(other.length + 1).fill(0));
  for (let row = one.length - 1; row >= 0; row -= 1)
    for (let column = other.length - 1; column >= 0; column -= 1) {
      const line = table[row];
      if (line === undefined) continue;
      line[column] =
        one[row] === other[column]
          ? at(table, row + 1, column + 1) + 1
          : Math.max(at(table, row + 1, column), at(table, row, column + 1));
    }
  return table;
}
