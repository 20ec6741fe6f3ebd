import type { Clock, Timer } from '../../sip/clock.js';
import type { Endpoint } from './endpoint.js';

/** Endpoints without flow that all wait equally long for their next one. */
export class GraceQueue {
  /** The end of each one's grace, the earliest first. */
  readonly #dueMs = new Map<Endpoint, number>();
  #timer: Timer | undefined;

  /** @param over called for each endpoint whose grace is over, after it has left the queue */
  constructor(
    private readonly clock: Clock,
    private readonly graceMs: number,
    private readonly over: (endpoint: Endpoint) => void,
  ) {}

  get size(): number {
    return this.#dueMs.size;
  }

  endpoints(): Iterable<Endpoint> {
    return this.#dueMs.keys();
  }

  add(endpoint: Endpoint): void {
    this.#dueMs.set(endpoint, this.clock.nowMs() + this.graceMs);
    this.#watch();
  }

  delete(endpoint: Endpoint): void {
    this.#dueMs.delete(endpoint);
  }

  /** Waits for nobody any more. Idempotent. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMs.clear();
  }

  #watch(): void {
    if (this.#timer !== undefined) return;
    for (const dueMs of this.#dueMs.values()) {
      const delayMs = Math.max(0, dueMs - this.clock.nowMs());
      this.#timer = this.clock.after(delayMs, () => this.#end());
      return;
    }
  }

  #end(): void {
    this.#timer = undefined;
    const nowMs = this.clock.nowMs();
    for (const [endpoint, dueMs] of this.#dueMs) {
      if (dueMs > nowMs) break;
      this.#dueMs.delete(endpoint);
      this.over(endpoint);
    }
    this.#watch();
  }
}
