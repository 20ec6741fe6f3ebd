import type { Clock } from '../../sip/clock.js';
import type { SipFailure } from '../../sip/failure.js';
import { failure, type FailureCode } from '../../sip/failure.js';

/** What channels are limited by; undefined: no limit. */
export interface ChannelLimits {
  /** Calls at a time, both directions together. */
  readonly channels?: number | undefined;
  /** New calls in a second. */
  readonly cps?: number | undefined;
}

export type Direction = 'in' | 'out';

/** Gives the channel back; `unused`: no call has come of it, so that it does not count as a new call either. Idempotent. */
export type Release = (outcome?: 'unused') => void;

/** What whoever finds no channel is told. */
export interface ChannelRefusals {
  readonly full: FailureCode;
  readonly tooFast: FailureCode;
}

/** Calls of one trunk or user: how many there are, and how fast new ones come. */
export class Channels {
  readonly #inUse = { in: 0, out: 0 };
  /** Calls that may begin now: a bucket that fills up within a second. */
  #tokens: number;
  #filledMs: number;

  constructor(
    private limits: ChannelLimits,
    private readonly refusals: ChannelRefusals,
    private readonly clock: Clock,
  ) {
    this.#tokens = limits.cps ?? 0;
    this.#filledMs = clock.nowMs();
  }

  /** Other limits from now on; calls that are up stay. */
  renew(limits: ChannelLimits): void {
    if (limits === this.limits) return;
    this.limits = limits;
    this.#tokens = limits.cps ?? 0;
    this.#filledMs = this.clock.nowMs();
  }

  get inUse(): { readonly in: number; readonly out: number } {
    return { ...this.#inUse };
  }

  get size(): number {
    return this.#inUse.in + this.#inUse.out;
  }

  /** Takes a channel for a call, or says why there is none; an `urgent` call always gets one. */
  take(direction: Direction, urgent: boolean): Release | SipFailure {
    const refusal = this.#refusal();
    if (refusal !== undefined && !urgent) return refusal;
    this.#tokens = Math.max(this.#tokens - 1, 0);
    this.#inUse[direction] += 1;
    let held = true;
    return (outcome) => {
      if (!held) return;
      held = false;
      this.#inUse[direction] -= 1;
      if (outcome === 'unused') this.#tokens = Math.min(this.#tokens + 1, this.limits.cps ?? 0);
    };
  }

  #refusal(): SipFailure | undefined {
    const { channels, cps } = this.limits;
    if (channels !== undefined && this.size >= channels) {
      return failure(this.refusals.full, { detail: `${this.size} of ${channels} channels are in use` });
    }
    if (cps === undefined) return undefined;
    this.#fill(cps);
    if (this.#tokens >= 1) return undefined;
    return failure(this.refusals.tooFast, { detail: `more than ${cps} new calls in a second` });
  }

  #fill(cps: number): void {
    const nowMs = this.clock.nowMs();
    const gained = (Math.max(nowMs - this.#filledMs, 0) / 1_000) * cps;
    this.#tokens = Math.min(this.#tokens + gained, cps);
    this.#filledMs = nowMs;
  }
}
