import { randomInt } from 'node:crypto';
import { failure, type SipFailure } from '../failure.js';
import type { LegListener } from '../leg.js';
import type { SipRequest } from '../message/index.js';
import type { FinalAnswer } from './final-answer.js';
import { toInDialogRequest } from './in-dialog-messages.js';
import { readRequest, sdpOf } from './received-message.js';
import type { SrfRequest } from './srf-types.js';
import { TrunkReoffer } from './trunk-reoffer.js';

/** What a leg that is not answered knows about its offers and answers. */
export interface EarlyOffers {
  /** Undefined when nobody listens. */
  readonly listener: LegListener | undefined;
  /** Our Contact as the peer knows it. */
  readonly contact: string | undefined;
  /** True once the INVITE's offer has been answered reliably (RFC 3262 §5). */
  readonly isAnswered: boolean;
  /** Whose offer the INVITE carried. */
  readonly offerer: 'peer' | 'us';
}

/** The early offers of one leg: one at a time (RFC 3311 §5.2), only after an answer that the peer is sure to have. */
export class EarlyReoffers {
  #open: TrunkReoffer | undefined;
  /** What the last of them led to. */
  agreed: { readonly localSdp: string | undefined; readonly remoteSdp: string | undefined } | undefined;

  /** An UPDATE without SDP only refreshes the target. */
  update(update: SrfRequest, final: FinalAnswer, early: EarlyOffers): void {
    const message = readRequest(update.msg);
    if (message === undefined) return final.send(400, 'Bad Request');
    if (sdpOf(message) !== undefined) return this.offer(message, final, early);
    const { contact } = early;
    final.send(200, 'OK', { headers: contact === undefined ? [] : [['Contact', contact]] });
  }

  /** An UPDATE or PRACK with an offer. */
  offer(message: SipRequest, final: FinalAnswer, early: EarlyOffers): void {
    const { listener, contact } = early;
    const refusal = this.#refusal(early);
    if (refusal !== undefined || listener === undefined) {
      const { status, reason, headers } = refusal ?? failure('dialog.unknown');
      return final.send(status, reason, { headers });
    }
    const accepted = (remoteSdp: string | undefined, localSdp: string | undefined): void => {
      this.agreed = { localSdp, remoteSdp };
    };
    this.#open = new TrunkReoffer(message, final, { acks: noAcks, contact, timer: [], accepted });
    listener.reoffer(this.#open);
  }

  #refusal({ isAnswered, offerer }: EarlyOffers): SipFailure | undefined {
    if (this.#open?.open === true) return tooEarly();
    if (isAnswered) return undefined;
    return offerer === 'peer' ? tooEarly() : failure('dialog.request_pending');
  }
}

/** UPDATE and PRACK have no ACK. */
const noAcks = { wait: () => Promise.resolve(undefined), abandon: () => undefined };

/** RFC 3311 §5.2: an offer of the peer is not answered yet. */
function tooEarly(): SipFailure {
  return failure('dialog.request_pending', {
    status: 500,
    reason: 'Server Internal Error',
    headers: [['Retry-After', String(randomInt(0, 11))]],
  });
}

/** Passes on any other request inside an early dialog. */
export function passOnEarly(message: SipRequest, final: FinalAnswer, listener: LegListener): void {
  listener.request(toInDialogRequest(message, final));
}
