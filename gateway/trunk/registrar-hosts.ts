import type { Clock } from '../../sip/clock.js';

/**
 * Which host of a trunk is asked for a registration: all of them in a row, best first, then again after a wait. One that has
 * said when to come back is not asked before; that holds for this host alone (RFC 3261 §21.5.4).
 */
export class RegistrarHosts {
  #at = 0;
  /** Asked since the last success, or since the last wait. */
  readonly #asked = new Set<number>();
  /** Milliseconds since the Unix epoch, by host. */
  readonly #notBefore = new Map<number, number>();

  /** `uris`: best first. */
  constructor(
    private readonly uris: readonly string[],
    private readonly clock: Clock,
  ) {}

  /** The host that is, or is to be, asked. */
  get current(): string {
    return this.uris[this.#at] ?? '';
  }

  /** The current one wants not to be asked for so long. */
  postpone(ms: number): void {
    this.#notBefore.set(this.#at, this.clock.nowMs() + ms);
  }

  /** The current one has taken us. */
  succeeded(): void {
    this.#asked.clear();
    this.#notBefore.delete(this.#at);
  }

  /**
   * The current one has failed: goes on to the next. Returns the milliseconds until it may be asked: 0 while there is one that
   * was not asked yet, else `waitMs` or when the first of them wants to be asked.
   */
  goOn(waitMs: () => number): number {
    this.#asked.add(this.#at);
    const next = this.#fromCurrent().find((host) => !this.#asked.has(host) && this.#postponedMs(host) === 0);
    if (next !== undefined) {
      this.#at = next;
      return 0;
    }
    this.#asked.clear();
    return this.#goToFirst([...this.uris.keys()], waitMs);
  }

  /** Begins anew, with the current one if it may be asked. Returns the milliseconds until then. */
  beginAnew(): number {
    this.#asked.clear();
    return this.#goToFirst(this.#fromCurrent(), () => 0);
  }

  /** Takes the one of `order` that may be asked first; `waitMs` holds for those that have not said when. */
  #goToFirst(order: readonly number[], waitMs: () => number): number {
    const isFree = order.some((host) => this.#postponedMs(host) === 0);
    const freeMs = isFree ? waitMs() : 0;
    const waits = order.map((host) => this.#postponedMs(host) || freeMs);
    const shortestMs = Math.min(...waits);
    this.#at = order[waits.indexOf(shortestMs)] ?? 0;
    return shortestMs;
  }

  #fromCurrent(): readonly number[] {
    const order = [...this.uris.keys()];
    return [...order.slice(this.#at), ...order.slice(0, this.#at)];
  }

  #postponedMs(host: number): number {
    return Math.max((this.#notBefore.get(host) ?? 0) - this.clock.nowMs(), 0);
  }
}
