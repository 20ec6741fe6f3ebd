import { failure, toFailure, type SipFailure } from '../../sip/failure.js';
import type { Leg, Reoffer, ReofferResult } from '../../sip/leg.js';
import { isHold } from '../../sip/sdp/hold.js';
import type { CallMedia } from './call-media.js';
import type { CallSurroundings, TakeableCall } from './call-surroundings.js';

/** The part of a call's media that a re-offer touches. */
type Translation = Pick<CallMedia, 'offer' | 'answer' | 'refuse'>;

/** What a negotiation tells its call. */
export interface NegotiationListener {
  held(by: 'caller' | 'callee'): void;
  resumed(by: 'caller' | 'callee'): void;
  refused(by: 'caller' | 'callee', failure: SipFailure): void;
  /** A re-offer is over, accepted or not. */
  settled(): void;
}

/** A listener that turns what it hears into events of the call. */
export function tellEvents(call: TakeableCall, { events, changed }: CallSurroundings): NegotiationListener {
  const { id: callId } = call;
  return {
    held: (by) => events.callHeld({ callId, by }),
    resumed: (by) => events.callResumed({ callId, by }),
    refused: (by, refusal) => events.callReofferRefused({ callId, by, failure: refusal }),
    settled: () => changed(call),
  };
}

/** One re-offer on its way. */
interface Exchange {
  readonly reoffer: Reoffer;
  readonly by: 'caller' | 'callee';
  readonly from: Leg;
  readonly to: Leg;
}

/** The re-offers of an established call: one at a time (RFC 3264 §4), and who holds. */
export class Negotiation {
  readonly #holding = new Set<'caller' | 'callee'>();
  /** `asking`: the other side gets our re-INVITE; `settling`: it has answered, and the answer travels back. */
  #phase: 'idle' | 'asking' | 'settling' = 'idle';
  readonly #waiting: Exchange[] = [];

  constructor(
    private readonly media: Translation,
    private readonly listener: NegotiationListener,
  ) {}

  /** A re-offer is on its way. */
  get isBusy(): boolean {
    return this.#phase !== 'idle';
  }

  /** Who holds. */
  get holding(): readonly ('caller' | 'callee')[] {
    return [...this.#holding];
  }

  /** Goes on with who held in an earlier process. */
  restore(holding: readonly ('caller' | 'callee')[]): void {
    for (const by of holding) this.#holding.add(by);
  }

  /**
   * Carries the re-offer across. Refuses it with 491 while the other side is being asked (RFC 3261 §14.2); lets it wait
   * when it only overtakes the last ACK of the one before.
   */
  run(exchange: Exchange): void {
    if (this.#phase === 'asking') return exchange.reoffer.reject(failure('dialog.request_pending'));
    if (this.#phase === 'settling') this.#waiting.push(exchange);
    else void this.#carry(exchange);
  }

  async #carry(exchange: Exchange): Promise<void> {
    this.#phase = 'asking';
    try {
      await relayReoffer(exchange, this.media, (offer) => this.#ask(exchange.to, offer));
      this.#note(exchange.by, exchange.reoffer.sdp);
    } catch (thrown) {
      this.listener.refused(exchange.by, toFailure(thrown));
    }
    this.#phase = 'idle';
    const next = this.#waiting.shift();
    if (next === undefined) this.listener.settled();
    else this.run(next);
  }

  async #ask(leg: Leg, offer: string | undefined): Promise<ReofferResult> {
    try {
      return await leg.reoffer(offer);
    } finally {
      this.#phase = 'settling';
    }
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

/** Sends a re-INVITE, with or without offer, to the other side. */
type Ask = (offer: string | undefined) => Promise<ReofferResult>;

/**
 * Carries one re-INVITE or UPDATE from a leg to the other and the answer back (RFC 3264 §8, RFC 3261 §14). Resolves
 * when it is settled and answered; rejects with a SipFailure after it has refused the re-offer with it. A refused
 * re-offer leaves both sides as they were (RFC 3261 §14.1).
 */
async function relayReoffer(exchange: Exchange, media: Translation, ask: Ask): Promise<void> {
  const { reoffer } = exchange;
  try {
    if (reoffer.sdp !== undefined) return await relayOffer(exchange, reoffer.sdp, media, ask);
    return await relayLateOffer(exchange, media, ask);
  } catch (thrown) {
    const refusal = toFailure(thrown);
    reoffer.reject(refusal);
    throw refusal;
  }
}

async function relayOffer(
  { reoffer, from, to }: Exchange,
  sdp: string,
  media: Translation,
  ask: Ask,
): Promise<void> {
  const offer = await media.offer(from.id, to.id, sdp);
  try {
    const result = await ask(offer);
    result.ack();
    await reoffer.accept(await media.answer(to.id, from.id, sdpOf(result)));
  } catch (thrown) {
    media.refuse(to.id);
    throw thrown;
  }
}

/** The peer asks for our offer: the other side makes it, and its answer travels back in the ACKs (RFC 3261 §14.2). */
async function relayLateOffer({ reoffer, from, to }: Exchange, media: Translation, ask: Ask): Promise<void> {
  const result = await ask(undefined);
  let answer: string | undefined;
  try {
    const answered = await reoffer.accept(await media.offer(to.id, from.id, sdpOf(result)));
    if (answered === undefined) throw failure('media.sdp_malformed', { detail: 'ACK without SDP' });
    answer = await media.answer(from.id, to.id, answered);
  } catch (thrown) {
    media.refuse(from.id);
    throw thrown;
  } finally {
    result.ack(answer);
  }
}

function sdpOf({ sdp }: ReofferResult): string {
  if (sdp === undefined) throw failure('trunk.protocol', { detail: '2xx to re-INVITE without SDP' });
  return sdp;
}
