import { failure, toFailure, type SipFailure } from '../../sip/failure.js';
import type { Leg, ReofferResult } from '../../sip/leg.js';
import { isHold } from '../../sip/sdp/hold.js';
import type { CallState } from './call-transitions.js';
import type { CallSurroundings, TakeableCall } from './call-surroundings.js';
import type { OwnReoffers } from './own-reoffers.js';
import { ReofferRelay, type Exchange, type Translation } from './reoffer-relay.js';

/** What a negotiation tells its call. */
export interface NegotiationListener {
  held(by: 'caller' | 'callee'): void;
  resumed(by: 'caller' | 'callee'): void;
  refused(by: 'caller' | 'callee', failure: SipFailure): void;
  /** A re-offer is over, accepted or not. */
  settled(): void;
  /** True while the call goes on. */
  isUp(): boolean;
  /** The two sides do not go by the same descriptions any more: the call has to end. */
  lost(failure: SipFailure): void;
}

/** The call that a negotiation belongs to. */
interface NegotiatingCall extends TakeableCall {
  readonly state: CallState;
  cut(reason: SipFailure): void;
}

/** A listener that turns what it hears into events of the call. */
export function tellEvents(
  call: NegotiatingCall,
  { events, changed }: CallSurroundings,
): NegotiationListener {
  const { id: callId } = call;
  return {
    held: (by) => events.callHeld({ callId, by }),
    resumed: (by) => events.callResumed({ callId, by }),
    refused: (by, refusal) => events.callReofferRefused({ callId, by, failure: refusal }),
    settled: () => changed(call),
    isUp: () => call.state === 'established',
    lost: (why) => call.cut(why),
  };
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
    private readonly own: Pick<OwnReoffers, 'offerLater'>,
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
    const { listener } = this;
    try {
      await new ReofferRelay(exchange, this.media, {
        isUp: () => listener.isUp(),
        ask: (leg, offer) => this.#ask(leg, offer),
        lost: (why) => listener.lost(why),
        offerLater: (leg, sdp) => this.own.offerLater(leg.id, sdp, (why) => listener.lost(why)),
      }).run();
      this.#note(exchange.by, exchange.reoffer.sdp);
    } catch (thrown) {
      listener.refused(exchange.by, toFailure(thrown));
    }
    this.#phase = 'idle';
    const next = this.#waiting.shift();
    if (next === undefined) listener.settled();
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
