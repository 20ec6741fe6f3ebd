import type { Clock, Timer } from '../../sip/clock.js';
import { failure, type SipFailure } from '../../sip/failure.js';
import type { TargetLimits } from './call-limits.js';

/** 180, 181 and 182 say that the callee knows of the call (RFC 3261 §21.1); 183 need not. */
const hasReachedCallee = (status: number): boolean => status >= 180 && status <= 182;

/** What an attempt is waited for: any answer, then more than 100 Trying, then a final answer; at last nothing. */
type Awaited = 'word' | 'progress' | 'answer' | 'nothing';

/** How long one attempt is waited for. */
export class AttemptPatience {
  #awaited: Awaited = 'word';
  #timer: Timer | undefined;
  #isRinging = false;
  #isOver = false;

  /** `ended` hears why nobody waits any more. */
  constructor(
    private readonly limits: TargetLimits,
    private readonly clock: Clock,
    private readonly ended: (why: SipFailure) => void,
  ) {
    const { attemptTimeoutMs: limitMs } = limits;
    this.#wait(limitMs, () => failure('trunk.timeout', { detail: `no answer in ${limitMs} ms` }));
  }

  /** Somebody's phone has rung: trying elsewhere would let it ring twice. */
  get isRinging(): boolean {
    return this.#isRinging;
  }

  /** The time is up. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The time is up, and there was not a word. */
  get wasSilent(): boolean {
    return this.#isOver && this.#awaited === 'word';
  }

  /** 100 Trying: somebody is there, and looks for the callee. */
  trying(): void {
    if (this.#isOver || this.#awaited !== 'word') return;
    this.#awaited = 'progress';
    const { progressTimeoutMs: limitMs } = this.limits;
    this.#wait(limitMs, () =>
      failure('trunk.no_progress', { detail: `nothing but 100 Trying in ${limitMs} ms` }),
    );
  }

  /** A provisional response other than 100. */
  progress(status: number): void {
    if (hasReachedCallee(status)) this.#isRinging = true;
    if (this.#isOver || this.#awaited === 'answer' || this.#awaited === 'nothing') return;
    this.#awaited = 'answer';
    this.#wait(this.limits.maxRingMs, () => failure('callee.no_answer'));
  }

  /** Waits no more. Idempotent. */
  stop(): void {
    if (!this.#isOver) this.#awaited = 'nothing';
    this.#timer?.cancel();
  }

  #wait(limitMs: number | undefined, why: () => SipFailure): void {
    this.#timer?.cancel();
    if (limitMs === undefined) return;
    this.#timer = this.clock.after(limitMs, () => {
      this.#isOver = true;
      this.ended(why());
    });
  }
}
