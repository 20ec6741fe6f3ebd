import { failure, toFailure, type SipFailure } from '../../sip/failure.js';
import type { Leg, Reoffer, ReofferResult } from '../../sip/leg.js';
import { offerAsAnswer } from '../../sip/sdp/offer-as-answer.js';
import { rejectedAnswer } from '../../sip/sdp/rejected-answer.js';
import type { CallMedia } from './call-media.js';

/** The part of a call's media that a re-offer touches. */
export type Translation = Pick<CallMedia, 'offer' | 'answer' | 'refuse' | 'agree' | 'agreedOf'>;

/** One re-offer on its way. */
export interface Exchange {
  readonly reoffer: Reoffer;
  readonly by: 'caller' | 'callee';
  readonly from: Leg;
  readonly to: Leg;
}

/** Who has a re-offer relayed. */
export interface RelayUser {
  /** True while the call goes on: the other side may be asked once more. */
  isUp(): boolean;
  /** Sends a re-INVITE, with or without offer. */
  ask(leg: Leg, offer: string | undefined): Promise<ReofferResult>;
  /** Offers what the leg has said to the other one, which has a re-offer of its own under way, a little later. */
  offerLater(leg: Leg, sdp: string): void;
  /** The two sides do not go by the same descriptions any more: the call has to end. */
  lost(failure: SipFailure): void;
}

/**
 * Carries one re-INVITE or UPDATE from a leg to the other and the answer back (RFC 3264 §8, RFC 3261 §14). One that fails
 * leaves both sides as they were (RFC 3261 §14.1), even when the other side has accepted it already.
 */
export class ReofferRelay {
  /** What `from` goes by until the re-offer is settled; undefined when an earlier process took that with it. */
  readonly #agreed: string | undefined;
  /** The other side has our ACK, and goes by the new offer. */
  #isTaken = false;
  /** The late offer of the other side could be translated. */
  #isOffered = false;

  constructor(
    private readonly exchange: Exchange,
    private readonly media: Translation,
    private readonly user: RelayUser,
  ) {
    this.#agreed = media.agreedOf(exchange.from.id);
  }

  /** Resolves when the re-offer is settled and answered; rejects with a SipFailure after it has been refused with it. */
  async run(): Promise<void> {
    const { reoffer } = this.exchange;
    try {
      if (reoffer.sdp === undefined) await this.#carryLateOffer();
      else await this.#carryOffer(reoffer.sdp);
    } catch (thrown) {
      const refusal = toFailure(thrown);
      reoffer.reject(refusal);
      if (this.#isTaken) await this.#putBack();
      throw refusal;
    }
  }

  async #carryOffer(sdp: string): Promise<void> {
    const { reoffer, from, to } = this.exchange;
    const offer = await this.media.offer(from.id, to.id, sdp);
    try {
      const result = await this.user.ask(to, offer);
      result.ack();
      this.#isTaken = true;
      await reoffer.accept(await this.media.answer(to.id, from.id, sdpOf(result)));
    } catch (thrown) {
      this.media.refuse(to.id);
      throw thrown;
    }
  }

  /** Offers the other side once more what it went by before. */
  async #putBack(): Promise<void> {
    const { from, to } = this.exchange;
    const sdp = this.#agreed;
    if (sdp === undefined) return;
    this.media.agree(from.id, sdp);
    try {
      const offer = await this.media.offer(from.id, to.id, sdp);
      if (!this.user.isUp()) return;
      const result = await to.reoffer(offer);
      result.ack();
      await this.media.answer(to.id, from.id, sdpOf(result));
    } catch (thrown) {
      const why = toFailure(thrown);
      this.media.refuse(to.id);
      if (why.code === 'dialog.request_pending') this.user.offerLater(from, sdp);
      else this.user.lost(why);
    }
  }

  /** The peer asks for our offer: the other side makes it, and its answer travels back in the ACKs (RFC 3261 §14.2). */
  async #carryLateOffer(): Promise<void> {
    const result = await this.user.ask(this.exchange.to, undefined);
    const { sdp } = result;
    if (sdp === undefined) {
      result.ack();
      throw failure('trunk.protocol', { detail: '2xx to re-INVITE without SDP' });
    }
    try {
      result.ack(await this.#answerOf(sdp));
    } catch (thrown) {
      const instead = await this.#agreedAnswer();
      result.ack(instead ?? rejectedAnswer(sdp));
      if (instead === undefined) this.user.lost(toFailure(thrown));
      throw thrown;
    }
  }

  /** What the peer says in its ACK to the other side's offer. */
  async #answerOf(sdp: string): Promise<string> {
    const { reoffer, from, to } = this.exchange;
    const offer = await this.media.offer(to.id, from.id, sdp);
    this.#isOffered = true;
    const answered = await reoffer.accept(offer);
    if (answered === undefined) throw failure('media.sdp_malformed', { detail: 'ACK without SDP' });
    return this.media.answer(from.id, to.id, answered);
  }

  /**
   * The answer to the other side's offer when the peer has none: the ACK must carry one (RFC 3261 §13.2.1), and what the
   * peer goes by is one. Undefined when that is none either.
   */
  async #agreedAnswer(): Promise<string | undefined> {
    const { from, to } = this.exchange;
    try {
      if (!this.#isOffered || this.#agreed === undefined) return undefined;
      return await this.media.answer(from.id, to.id, offerAsAnswer(this.#agreed, this.#agreed));
    } catch {
      this.media.refuse(from.id);
      return undefined;
    }
  }
}

function sdpOf({ sdp }: ReofferResult): string {
  if (sdp === undefined) throw failure('trunk.protocol', { detail: '2xx to re-INVITE without SDP' });
  return sdp;
}
