/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** `trunks[0].hosts[1].uri`; empty for the file as a whole. */
  readonly path: string;
  /** Line in the file, from 1. */
  readonly line: number | undefined;
  readonly problem: string;
  /** What to do about it. */
  readonly fix: string;
}

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(
    readonly file: string,
    readonly problems: readonly ConfigProblem[],
  ) {
    super(`${file}: ${countOf(problems.length)}\n${problems.map(problemLine).join('\n')}`);
  }
}

/** `line 12: trunks[0].hots: unknown key (did you mean "hosts"?)`. */
export function problemLine({ path, line, problem, fix }: ConfigProblem): string {
  const where = `${line === undefined ? '' : `line ${line}: `}${path === '' ? '' : `${path}: `}`;
  return `  ${where}${problem} (${fix})`;
}

function countOf(problems: number): string {
  return problems === 1 ? '1 problem' : `${problems} problems`;
}

export type Path = readonly (string | number)[];

/** `['trunks', 0, 'name']` as `trunks[0].name`. */
export function pathText(path: Path): string {
  let shown = '';
  for (const step of path) {
    if (typeof step === 'number') shown += `[${step}]`;
    else shown += shown === '' ? step : `.${step}`;
  }
  return shown;
}

/** What is wrong between parts of the file that are each right by themselves. */
export interface CrossFinding {
  readonly path: Path;
  readonly problem: string;
  readonly fix: string;
}
