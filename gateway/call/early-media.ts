import { failure, toFailure, type SipFailure } from '../../sip/failure.js';
import type { Leg, Reoffer } from '../../sip/leg.js';
import { offerAsAnswer } from '../../sip/sdp/offer-as-answer.js';
import type { CallMedia } from './call-media.js';
import type { Attempt } from './callee-search.js';

/** The part of a call's media that early offers and answers touch. */
type Translation = Pick<CallMedia, 'offer' | 'answer' | 'refuse'>;

/** What is to be known of an attempt. */
type EarlyAttempt = Pick<Attempt, 'leg' | 'earlySdp'>;

/** What caller and early callee have agreed on. */
interface Agreement {
  readonly callee: Leg;
  /** The callee's last description. */
  readonly calleeSdp: string;
  /** The caller's last offer. */
  readonly callerSdp: string;
  /** What the caller was told to it. */
  readonly reply: string;
}

/**
 * The offers and answers before the call is answered: early media of the one callee that the caller hears, and offers in
 * UPDATE or PRACK once an answer was given reliably (RFC 3262 §5, RFC 3311 §5.1). Those are answered at once from what the
 * other side has last said: it cannot be asked yet by re-INVITE, and few know UPDATE. What it then does not know is owed
 * to it until the call is established.
 */
export class EarlyMedia {
  /** The callee whose early media the caller hears; other forks' is not passed on. */
  #calleeId: string | undefined;
  #agreed: Agreement | undefined;
  /** An early offer has been answered: what the INVITE's own offer led to is over. */
  #isRenegotiated = false;
  #owed: string | undefined;

  /** `offer`: the caller's; undefined when it made none (late offer). */
  constructor(
    private readonly media: Translation,
    private readonly caller: Leg,
    private readonly offer: string | undefined,
  ) {}

  /** Translates the SDP of an 18x for the caller; undefined when it is not for the caller. */
  async progress(attempt: EarlyAttempt, sdp: string): Promise<string | undefined> {
    attempt.earlySdp = sdp;
    this.#calleeId ??= attempt.leg.id;
    if (this.#calleeId !== attempt.leg.id || this.offer === undefined) return undefined;
    if (this.#isRenegotiated) return this.#agreed?.reply;
    const reply = await this.media.answer(attempt.leg.id, this.caller.id, sdp);
    this.#agreed = { callee: attempt.leg, calleeSdp: sdp, callerSdp: this.offer, reply };
    return reply;
  }

  /** A callee is gone before it answered: the caller may hear the next one. */
  forget(calleeId: string): void {
    if (this.#calleeId !== calleeId || this.#isRenegotiated) return;
    this.#calleeId = undefined;
    this.#agreed = undefined;
  }

  /** The SDP of our 2xx to the caller: the callee's answer, or its offer when the caller sent none. */
  async final(callee: Leg, sdp: string): Promise<string> {
    if (this.offer === undefined) return this.media.offer(callee.id, this.caller.id, sdp);
    if (this.#isRenegotiated && this.#agreed?.callee.id === callee.id) return this.#agreed.reply;
    this.#owed = undefined;
    return this.media.answer(callee.id, this.caller.id, sdp);
  }

  /** Answers an early offer of the caller, or of the callee that it hears. Returns why it was refused. */
  async reoffer(legId: string, reoffer: Reoffer): Promise<SipFailure | undefined> {
    const { sdp } = reoffer;
    const agreed = this.#agreed;
    const isCaller = legId === this.caller.id;
    if (sdp === undefined || agreed === undefined || !(isCaller || legId === agreed.callee.id)) {
      const pending = failure('dialog.request_pending');
      reoffer.reject(pending);
      return pending;
    }
    try {
      const answer = isCaller ? await this.#fromCaller(sdp, agreed) : await this.#fromCallee(sdp, agreed);
      this.#isRenegotiated = true;
      await reoffer.accept(answer);
      return undefined;
    } catch (thrown) {
      const refusal = toFailure(thrown);
      this.media.refuse(isCaller ? agreed.callee.id : this.caller.id);
      reoffer.reject(refusal);
      return refusal;
    }
  }

  /** The caller's offer that the connected callee has not seen; undefined when there is none. Gives it once. */
  takeOwed(calleeId: string | undefined): string | undefined {
    const owed = this.#agreed?.callee.id === calleeId ? this.#owed : undefined;
    this.#owed = undefined;
    return owed;
  }

  async #fromCaller(sdp: string, agreed: Agreement): Promise<string> {
    const { callee, calleeSdp } = agreed;
    await this.media.offer(this.caller.id, callee.id, sdp);
    const reply = await this.media.answer(callee.id, this.caller.id, calleeSdp);
    this.#agreed = { callee, calleeSdp, callerSdp: sdp, reply };
    this.#owed = sdp;
    return reply;
  }

  async #fromCallee(sdp: string, agreed: Agreement): Promise<string> {
    const { callee, callerSdp, reply } = agreed;
    await this.media.offer(callee.id, this.caller.id, sdp);
    const answer = await this.media.answer(this.caller.id, callee.id, offerAsAnswer(callerSdp, reply));
    this.#agreed = { ...agreed, calleeSdp: sdp };
    return answer;
  }
}
