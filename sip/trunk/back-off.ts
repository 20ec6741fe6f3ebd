import { randomInt } from 'node:crypto';

const firstMs = 200;
const longestMs = 10_000;

/** Waits between attempts to reach the engine: doubling, and jittered so that many gateways do not come back at once. */
export class BackOff {
  #baseMs = firstMs;

  /** The next wait in milliseconds: between half the base and the base. */
  next(): number {
    const base = this.#baseMs;
    this.#baseMs = Math.min(base * 2, longestMs);
    return randomInt(base / 2, base + 1);
  }

  /** The last attempt succeeded. */
  reset(): void {
    this.#baseMs = firstMs;
  }

  /** Trying again soon is pointless. */
  slowDown(): void {
    this.#baseMs = longestMs;
  }
}
