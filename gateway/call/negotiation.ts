import { failure, toFailure, type SipFailure } from '../../sip/failure.js';
import type { Leg, Reoffer } from '../../sip/leg.js';
import { isHold } from '../../sip/sdp/hold.js';
import type { CallMedia } from './call-media.js';

/** The part of a call's media that a re-offer touches. */
type Translation = Pick<CallMedia, 'offer' | 'answer' | 'refuse'>;

/** What a negotiation tells its call. */
export interface NegotiationListener {
  held(by: 'caller' | 'callee'): void;
  resumed(by: 'caller' | 'callee'): void;
  refused(by: 'caller' | 'callee', failure: SipFailure): void;
}

/** The re-offers of an established call: one at a time (RFC 3264 §4), and who holds. */
export class Negotiation {
  readonly #holding = new Set<'caller' | 'callee'>();
  #running: Promise<void> | undefined;

  constructor(private readonly listener: NegotiationListener) {}

  /** Carries the re-offer across; refuses it with 491 while another one is on its way (RFC 3261 §14.2). */
  run(reoffer: Reoffer, by: 'caller' | 'callee', from: Leg, to: Leg, media: Translation): void {
    if (this.#running !== undefined) return reoffer.reject(failure('dialog.request_pending'));
    this.#running = relayReoffer(reoffer, from, to, media)
      .then(() => this.#note(by, reoffer.sdp))
      .catch((thrown: unknown) => this.listener.refused(by, toFailure(thrown)))
      .finally(() => {
        this.#running = undefined;
      });
  }

  #note(by: 'caller' | 'callee', sdp: string | undefined): void {
    if (sdp === undefined) return;
    const held = isHold(sdp);
    if (held === this.#holding.has(by)) return;
    if (held) this.#holding.add(by);
    else this.#holding.delete(by);
    if (held) this.listener.held(by);
    else this.listener.resumed(by);
  }
}

/**
 * Carries one re-INVITE or UPDATE from a leg to the other and the answer back (RFC 3264 §8, RFC 3261 §14). Resolves
 * when it is settled and answered; rejects with a SipFailure after it has refused the re-offer with it. A refused
 * re-offer leaves both sides as they were (RFC 3261 §14.1).
 */
async function relayReoffer(reoffer: Reoffer, from: Leg, to: Leg, media: Translation): Promise<void> {
  try {
    if (reoffer.sdp !== undefined) return await relayOffer(reoffer, reoffer.sdp, from, to, media);
    if (reoffer.method === 'UPDATE') return await acceptRefresh(reoffer);
    return await relayLateOffer(reoffer, from, to, media);
  } catch (thrown) {
    const refusal = toFailure(thrown);
    reoffer.reject(refusal);
    throw refusal;
  }
}

/** An UPDATE without SDP refreshes the session timer or the target and concerns one side only (RFC 4028 §7.4). */
async function acceptRefresh(reoffer: Reoffer): Promise<void> {
  await reoffer.accept(undefined);
}

async function relayOffer(
  reoffer: Reoffer,
  sdp: string,
  from: Leg,
  to: Leg,
  media: Translation,
): Promise<void> {
  const offer = await media.offer(from.id, to.id, sdp);
  const result = await to.reoffer(offer).catch((thrown: unknown) => {
    media.refuse(to.id);
    throw toFailure(thrown);
  });
  result.ack();
  if (result.sdp === undefined) throw failure('trunk.protocol', { detail: '2xx to re-INVITE without SDP' });
  await reoffer.accept(await media.answer(to.id, from.id, result.sdp));
}

/** The peer asks for our offer: the other side makes it, and its answer travels back in the ACKs (RFC 3261 §14.2). */
async function relayLateOffer(reoffer: Reoffer, from: Leg, to: Leg, media: Translation): Promise<void> {
  const result = await to.reoffer(undefined);
  let answer: string | undefined;
  try {
    if (result.sdp === undefined) throw failure('trunk.protocol', { detail: '2xx to re-INVITE without SDP' });
    const answered = await reoffer.accept(await media.offer(to.id, from.id, result.sdp));
    if (answered === undefined) throw failure('media.sdp_malformed', { detail: 'ACK without SDP' });
    answer = await media.answer(from.id, to.id, answered);
  } finally {
    result.ack(answer);
  }
}
