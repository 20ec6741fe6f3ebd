import type { Clock, Timer } from '../../sip/clock.js';

interface Pending {
  dueMs: number;
  readonly periodMs: number | undefined;
  readonly act: () => void;
}

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  #nowMs: number;
  readonly #pending = new Set<Pending>();

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, act: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + delayMs, periodMs: undefined, act });
  }

  every(periodMs: number, act: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + periodMs, periodMs, act });
  }

  /** Number of timers that have not fired and were not cancelled. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Moves time on by `ms`, firing what falls due in order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = next.dueMs;
      if (next.periodMs === undefined) this.#pending.delete(next);
      else next.dueMs += next.periodMs;
      next.act();
    }
    this.#nowMs = untilMs;
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending);
    return { cancel: () => this.#pending.delete(pending) };
  }

  #next(untilMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.dueMs <= untilMs && (first === undefined || pending.dueMs < first.dueMs)) first = pending;
    }
    return first;
  }
}
