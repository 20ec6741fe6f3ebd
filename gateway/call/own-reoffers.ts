import { randomInt } from 'node:crypto';
import type { Clock, Timer } from '../../sip/clock.js';
import type { SipFailure } from '../../sip/failure.js';
import type { HeaderView, Leg, Reoffer } from '../../sip/leg.js';
import type { CallMedia } from './call-media.js';

const mostTries = 3;
/** How long to wait after 491 (RFC 3261 §14.1), in units of 10 ms: least and most. */
const waits = { ourCallId: [210, 400], theirCallId: [0, 200] } as const;

const noHeaders: HeaderView = { get: () => undefined, getAll: () => [] };

/** What the re-offers need of their call. */
interface OfferingCall {
  readonly caller: Pick<Leg, 'id'>;
  /** Carries a re-offer of the leg to the other one. */
  reoffer(event: { readonly legId: string; readonly reoffer: Reoffer }): void;
}

/** Hears why a re-offer has come to nothing. */
type Refused = (why: SipFailure) => void;

/**
 * Re-offers of our own: a leg's description is offered to the other leg without its having asked for it. One that meets
 * another re-offer (491) is tried again after a while (RFC 3261 §14.1), three times in all.
 */
export class OwnReoffers {
  /** Removed when they are due. */
  readonly #timers = new Set<Timer>();
  #isClosed = false;

  constructor(
    private readonly clock: Clock,
    private readonly media: Pick<CallMedia, 'agreedOf'>,
    private readonly call: OfferingCall,
  ) {}

  /** Offers what the leg has said to the other one. Nobody but the media engine needs the answer. */
  offer(legId: string, sdp: string, refused: Refused = () => undefined, tries = 1): void {
    const reoffer: Reoffer = {
      method: 'INVITE',
      sdp,
      headers: noHeaders,
      accept: () => Promise.resolve(undefined),
      reject: (why) => {
        const isOver = why.code !== 'dialog.request_pending' || tries === mostTries;
        if (isOver) refused(why);
        else this.offerLater(legId, sdp, refused, tries + 1);
      },
    };
    this.call.reoffer({ legId, reoffer });
  }

  /** The same after a random wait: the other leg has a re-offer of its own under way. */
  offerLater(legId: string, sdp: string, refused: Refused, tries = 1): void {
    if (this.#isClosed) return;
    const [least, most] = legId === this.call.caller.id ? waits.ourCallId : waits.theirCallId;
    const timer = this.clock.after(randomInt(least, most + 1) * 10, () => {
      this.#timers.delete(timer);
      this.offer(legId, this.media.agreedOf(legId) ?? sdp, refused, tries);
    });
    this.#timers.add(timer);
  }

  /** Idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
