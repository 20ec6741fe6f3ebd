import type { Path } from '../config/problem.js';

/** What would go wrong with a configuration that is right as a file. */
export interface PreflightFinding {
  /** `problem`: webtrunk would not start. `warning`: it would start, and calls may fail. */
  readonly level: 'problem' | 'warning';
  readonly path: Path;
  readonly problem: string;
  readonly fix: string;
}
