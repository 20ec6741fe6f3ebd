import type { Path } from './problem.js';

/** The variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What replacing `${NAME}` in a configuration gave. */
export interface Substitution {
  readonly value: unknown;
  /** Where values came from the environment. */
  readonly replaced: readonly Path[];
  readonly problems: readonly { readonly path: Path; readonly problem: string; readonly fix: string }[];
}

const wholeValue = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;
const partOfValue = /\$\{[A-Za-z_][A-Za-z0-9_]*\}/;

/** Replaces every text that is `${NAME}`, and nothing else, by the variable NAME. */
export function substitute(value: unknown, env: Environment): Substitution {
  const replaced: Path[] = [];
  const problems: { path: Path; problem: string; fix: string }[] = [];

  const replaceText = (text: string, path: Path): string => {
    const name = wholeValue.exec(text)?.[1];
    if (name === undefined) {
      const part = partOfValue.exec(text)?.[0];
      if (part !== undefined) {
        const problem = `${part} stands inside a longer value`;
        problems.push({ path, problem, fix: `let ${part} be the whole value` });
      }
      return text;
    }
    const found = env[name];
    if (found === undefined || found === '') {
      const problem = `environment variable ${name} is ${found === undefined ? 'not set' : 'empty'}`;
      problems.push({ path, problem, fix: `export ${name} before webtrunk starts` });
    }
    replaced.push(path);
    return found ?? text;
  };

  const replaceIn = (part: unknown, path: Path): unknown => {
    if (typeof part === 'string') return replaceText(part, path);
    if (Array.isArray(part)) return part.map((item, index) => replaceIn(item, [...path, index]));
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(
      Object.entries(part).map(([key, item]) => [key, replaceIn(item, [...path, key])]),
    );
  };

  return { value: replaceIn(value, []), replaced, problems };
}
