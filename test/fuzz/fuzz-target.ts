/** What an input is tormented with, and for how long: until one of both is reached. */
export interface FuzzOptions {
  readonly count: number;
  /** By `performance.now()`. */
  readonly untilMs: number;
  /** The same seed makes the same inputs. */
  readonly seed: number;
  readonly say: (text: string) => void;
  /** Does not wait until every table is empty, nor measure memory. */
  readonly isBrief?: boolean;
}

export interface FuzzReport {
  /** Inputs that were given. */
  readonly runs: number;
  /** The input that took longest, or after which the next answer took longest. */
  readonly slowest: { readonly ms: number; readonly what: string };
  /** Live memory, at rest: early and at the end. */
  readonly memoryBytes: readonly [early: number, late: number];
  readonly note?: string;
}

/** Torments one input; rejects with the crash when it does not stand it. */
export type FuzzTarget = (options: FuzzOptions) => Promise<FuzzReport>;

/** The slowest of what was done. */
export class Slowest {
  ms = 0;
  what = '';

  note(ms: number, what: string | (() => string)): void {
    if (ms <= this.ms) return;
    this.ms = ms;
    this.what = typeof what === 'string' ? what : what();
  }
}

/** True when an input has had enough. */
export function isOver({ count, untilMs }: FuzzOptions, runs: number): boolean {
  return runs >= count || performance.now() >= untilMs;
}
