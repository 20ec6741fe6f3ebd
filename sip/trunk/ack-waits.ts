import type { Clock, Timer } from '../clock.js';
import { failure, type SipFailure } from '../failure.js';

/**
 * Longest wait for an ACK: 64·T1 (RFC 3261 §13.3.1.4) and two seconds, so that the engine, which counts too, is first to
 * give up and only one BYE is sent.
 */
const ackWithinMs = 34_000;

interface AckWait {
  resolve(sdp: string | undefined): void;
  reject(failure: SipFailure): void;
  readonly timer: Timer;
}

/** The 2xx to INVITEs of one dialog that wait for their ACK, by CSeq number. */
export class AckWaits {
  readonly #waits = new Map<number, AckWait>();
  #idle: (() => void) | undefined;

  /** `missing` hears of an ACK that did not come; its wait has been rejected. */
  constructor(
    private readonly clock: Clock,
    private readonly missing: (failure: SipFailure) => void,
  ) {}

  get size(): number {
    return this.#waits.size;
  }

  /** Resolves with the SDP in the ACK; rejects with `call.ack_timeout` or with what the wait is ended with. */
  wait(cseq: number): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      const timer = this.clock.after(ackWithinMs, () => {
        const late = failure('call.ack_timeout');
        this.abandon(cseq, late);
        this.missing(late);
      });
      this.#waits.set(cseq, { resolve, reject, timer });
    });
  }

  /** The ACK has come. Repeated and unknown ones are ignored. */
  acknowledged(cseq: number, sdp: string | undefined): void {
    this.#take(cseq)?.resolve(sdp);
  }

  /** Ends one wait with a failure. */
  abandon(cseq: number, why: SipFailure): void {
    this.#take(cseq)?.reject(why);
  }

  /** Ends all waits with a failure. */
  abandonAll(why: SipFailure): void {
    for (const cseq of [...this.#waits.keys()]) this.abandon(cseq, why);
  }

  /** Calls `act` as soon as no ACK is out. */
  whenIdle(act: () => void): void {
    if (this.#waits.size === 0) return act();
    this.#idle = act;
  }

  #take(cseq: number): AckWait | undefined {
    const wait = this.#waits.get(cseq);
    wait?.timer.cancel();
    this.#waits.delete(cseq);
    if (this.#waits.size === 0) this.#wakeIdle();
    return wait;
  }

  #wakeIdle(): void {
    const idle = this.#idle;
    this.#idle = undefined;
    idle?.();
  }
}
