import { randomInt } from 'node:crypto';
import type { Clock, Timer } from '../clock.js';
import { failure, type SipFailure } from '../failure.js';
import type { Log } from '../log.js';
import { loopIdleMs } from './loop-idle.js';

/** When the engine takes no new requests. */
export interface OverloadLimits {
  /** Requests outside dialogs that wait for the first answer of an application. */
  readonly waiting: number;
  /** The event loop is late: by T1, after which peers repeat what they have sent (RFC 3261 §17.1.1.1). */
  readonly lateMs: number;
  /** The event loop is on time again. */
  readonly onTimeMs: number;
}

export const defaultOverloadLimits: OverloadLimits = { waiting: 2_000, lateMs: 500, onTimeMs: 100 };

const tickMs = 100;
/** A single late tick is a pause or a clock that was set; so many in a row are overload. */
const lateTicks = 3;
/** Ticks in a row that are on time: the overload is over. */
const onTimeTicks = 10;
/**
 * An event loop that has waited this share of the time for something to do has no more to do than it can: it was late
 * since the machine did not let it run.
 */
const idleShare = 0.1;
/** The application has caught up when this share of the limit waits. */
const caughtUp = 0.75;
const retryAfterSeconds = { least: 5, most: 15 };

/**
 * Sees when there is more to do than can be done: the event loop is late, or applications do not answer. New requests
 * outside dialogs are then to be refused (RFC 3261 §21.5.4), so that the calls that are up go on.
 */
export class Overload {
  /** Refused since the start. */
  refused = 0;
  /** Removed by the first answer, or by the end of the request. */
  private readonly waiting = new Set<object>();
  private readonly ticker: Timer;
  private lastTickMs: number;
  private lastIdleMs: number;
  private inARow = 0;
  private isLate = false;
  private isBehind = false;
  private began: { readonly atMs: number; readonly refused: number } | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly limits: OverloadLimits = defaultOverloadLimits,
    private readonly idleMs: () => number = loopIdleMs,
  ) {
    this.lastTickMs = clock.nowMs();
    this.lastIdleMs = idleMs();
    this.ticker = clock.every(tickMs, () => this.tick());
  }

  /** Requests that wait for the first answer of an application. */
  get size(): number {
    return this.waiting.size;
  }

  get isOn(): boolean {
    return this.began !== undefined;
  }

  /** A request outside dialogs was given to an application. */
  waits(request: object): void {
    this.waiting.add(request);
    if (this.waiting.size < this.limits.waiting || this.isBehind) return;
    this.isBehind = true;
    this.review(0);
  }

  /** The application has answered it, or it has ended without. Idempotent. */
  answered(request: object): void {
    if (!this.waiting.delete(request) || !this.isBehind) return;
    if (this.waiting.size > this.limits.waiting * caughtUp) return;
    this.isBehind = false;
    this.review(0);
  }

  /** Why a new request is to be refused, and when its sender may come back; undefined when it can be taken. */
  refusal(): SipFailure | undefined {
    if (this.began === undefined) return undefined;
    this.refused += 1;
    const { least, most } = retryAfterSeconds;
    // Not all at once.
    return failure('gateway.overload', { headers: [['Retry-After', String(randomInt(least, most + 1))]] });
  }

  /** Idempotent. */
  close(): void {
    this.ticker.cancel();
    this.waiting.clear();
  }

  private tick(): void {
    const lateMs = this.busyLateMs();
    const changes = this.isLate ? lateMs < this.limits.onTimeMs : lateMs >= this.limits.lateMs;
    this.inARow = changes ? this.inARow + 1 : 0;
    if (this.inARow < (this.isLate ? onTimeTicks : lateTicks)) return;
    this.inARow = 0;
    this.isLate = !this.isLate;
    this.review(lateMs);
  }

  /** How late this tick is; 0 when the event loop had time to wait. */
  private busyLateMs(): number {
    const [nowMs, idleMs] = [this.clock.nowMs(), this.idleMs()];
    const [tookMs, waitedMs] = [nowMs - this.lastTickMs, idleMs - this.lastIdleMs];
    this.lastTickMs = nowMs;
    this.lastIdleMs = idleMs;
    const lateMs = tookMs - tickMs;
    return lateMs > 0 && waitedMs >= tookMs * idleShare ? 0 : lateMs;
  }

  private review(lateMs: number): void {
    const isOn = this.isLate || this.isBehind;
    if (isOn === this.isOn) return;
    const atMs = this.clock.nowMs();
    if (isOn) {
      this.log.warn({ lateMs, waiting: this.waiting.size }, 'overload: new SIP requests are refused');
      this.began = { atMs, refused: this.refused };
      return;
    }
    const refused = this.refused - (this.began?.refused ?? 0);
    const lastedMs = atMs - (this.began?.atMs ?? atMs);
    this.log.warn({ lastedMs, refused }, 'overload is over');
    this.began = undefined;
  }
}
