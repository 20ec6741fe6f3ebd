import { setTimeout as delay } from 'node:timers/promises';
import { FakeClock } from './fake-clock.js';

const tickMs = 10;
const stepMs = 500;

/** A clock that goes, and that the test can move ahead. */
export class MovedClock extends FakeClock {
  #seenMs = performance.now();
  readonly #ticks = setInterval(() => this.#tick(), tickMs);

  constructor() {
    super(Date.now());
  }

  /** Moves it on in steps, between which what was sent is answered. */
  async ahead(ms: number): Promise<void> {
    for (const untilMs = this.nowMs() + ms; this.nowMs() < untilMs; await delay(tickMs)) {
      this.advance(Math.min(stepMs, untilMs - this.nowMs()));
    }
  }

  stop(): void {
    clearInterval(this.#ticks);
  }

  #tick(): void {
    const nowMs = performance.now();
    const passedMs = nowMs - this.#seenMs;
    this.#seenMs = nowMs;
    this.advance(passedMs);
  }
}
