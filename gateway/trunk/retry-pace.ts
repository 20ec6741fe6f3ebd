import type { Chance } from './chance.js';

const longestMs = 10 * 60_000;
/** Trying again is pointless until somebody has changed something. */
const slowFactor = 10;
const longestSlowMs = 60 * 60_000;

/** Waits between attempts: each up to twice as long as the one before, and jittered. */
export class RetryPace {
  #failures = 0;

  /** `baseMs`: the longest that the first wait can be. */
  constructor(
    private readonly baseMs: number,
    private readonly chance: Chance,
  ) {}

  /** The next wait in milliseconds. */
  next(): number {
    return this.#wait(this.baseMs, longestMs);
  }

  /** The next wait when hope is small. */
  slow(): number {
    return this.#wait(this.baseMs * slowFactor, longestSlowMs);
  }

  /** A wait that was asked for: never shorter, at most a tenth longer. */
  after(seconds: number): number {
    return seconds * 1_000 * (1 + this.chance() * 0.1);
  }

  /** The last attempt succeeded. */
  reset(): void {
    this.#failures = 0;
  }

  #wait(baseMs: number, capMs: number): number {
    const fullMs = Math.min(baseMs * 2 ** Math.min(this.#failures, 20), Math.max(capMs, baseMs));
    this.#failures += 1;
    return fullMs * (0.5 + this.chance() * 0.5);
  }
}
