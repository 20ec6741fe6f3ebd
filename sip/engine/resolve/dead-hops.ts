import type { Clock } from '../../clock.js';
import { hopKey, type Hop } from './hop.js';

/** How long a hop that did not answer is tried last. */
const deadMs = 30_000;
const maxEntries = 1_000;

/** Hops that failed a moment ago, so that the next request does not wait for them again (RFC 3263 §4.3). */
export class DeadHops {
  /** Until when, in ms since the epoch; entries are removed when they are met again, and the oldest when it is full. */
  private readonly until = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.until.size;
  }

  /** The hop did not take a request, or did not answer it. */
  bury(hop: Hop, forMs = deadMs): void {
    const key = hopKey(hop);
    this.until.delete(key);
    this.until.set(key, this.clock.nowMs() + forMs);
    const [oldest] = this.until.keys();
    if (this.until.size > maxEntries && oldest !== undefined) this.until.delete(oldest);
  }

  /** The hop has answered. */
  revive(hop: Hop): void {
    if (this.until.size > 0) this.until.delete(hopKey(hop));
  }

  has(hop: Hop): boolean {
    if (this.until.size === 0) return false;
    const key = hopKey(hop);
    const until = this.until.get(key);
    if (until === undefined) return false;
    if (until > this.clock.nowMs()) return true;
    this.until.delete(key);
    return false;
  }

  /** The same hops, those that failed a moment ago at the end. */
  last(hops: readonly Hop[]): readonly Hop[] {
    if (this.until.size === 0) return hops;
    const dead = hops.filter((hop) => this.has(hop));
    return dead.length === 0 ? hops : [...hops.filter((hop) => !dead.includes(hop)), ...dead];
  }
}
