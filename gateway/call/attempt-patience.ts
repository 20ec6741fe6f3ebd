import type { Clock, Timer } from '../../sip/clock.js';
import { failure, type SipFailure } from '../../sip/failure.js';
import type { TargetLimits } from './call-limits.js';

/** 180, 181 and 182 say that the callee knows of the call (RFC 3261 §21.1); 183 need not. */
const hasReachedCallee = (status: number): boolean => status >= 180 && status <= 182;

/** How long one attempt is waited for: for the first word, then for the answer. */
export class AttemptPatience {
  #timer: Timer | undefined;
  #isRinging = false;
  #hasSpoken = false;
  #isOver = false;

  /** `ended` hears why nobody waits any more. */
  constructor(
    private readonly limits: TargetLimits,
    private readonly clock: Clock,
    private readonly ended: (why: SipFailure) => void,
  ) {
    const { attemptTimeoutMs } = limits;
    if (attemptTimeoutMs === undefined) return;
    this.#wait(attemptTimeoutMs, () =>
      failure('trunk.timeout', { detail: `no word about the call in ${attemptTimeoutMs} ms` }),
    );
  }

  /** Somebody's phone has rung: trying elsewhere would let it ring twice. */
  get isRinging(): boolean {
    return this.#isRinging;
  }

  /** The time is up. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** A provisional response other than 100. */
  progress(status: number): void {
    if (hasReachedCallee(status)) this.#isRinging = true;
    if (this.#hasSpoken || this.#isOver) return;
    this.#hasSpoken = true;
    this.stop();
    const { maxRingMs } = this.limits;
    if (maxRingMs !== undefined) this.#wait(maxRingMs, () => failure('callee.no_answer'));
  }

  /** Waits no more. Idempotent. */
  stop(): void {
    this.#timer?.cancel();
  }

  #wait(ms: number, why: () => SipFailure): void {
    this.#timer = this.clock.after(ms, () => {
      this.#isOver = true;
      this.ended(why());
    });
  }
}
