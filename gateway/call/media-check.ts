import type { Clock, Timer } from '../../sip/clock.js';
import type { Leg } from '../../sip/leg.js';
import type { CallMedia } from './call-media.js';
import type { Attempt } from './callee-search.js';
import type { CallSource } from './ports.js';

/** A browser that is back may repair its media by itself: the softphone needs less. */
const ownRepairMs = 4_000;
/** A browser that is heard sends a packet every 20 ms, and reports of what it hears when it is on hold. */
const lookMs = 2_000;

/** The leg of a callee that has answered, and the endpoint of a browser's. */
interface CheckedCallee {
  readonly legId: string;
  readonly endpointId: string | undefined;
}

/** What the check needs of its call. */
export interface CheckedCall {
  readonly source: CallSource;
  readonly caller: Pick<Leg, 'id'>;
  /** The callee that has answered. */
  readonly callee: () => CheckedCallee | undefined;
  /** Offers what the leg has said to the other one. */
  readonly offerAgain: (legId: string, sdp: string) => void;
}

/**
 * Looks, after a browser has come back with a new flow, whether it still sends media. If not it is offered the other side's
 * media again, with a new ICE path: a browser that lost its path answers over the new one (RFC 8839 §4.4.1.1.1), one that has
 * forgotten the call says 481, one that is silent 408, and both end the call.
 */
export class MediaCheck {
  /** By leg: both may be back at once. */
  readonly #timers = new Map<string, Timer>();
  #closed = false;

  constructor(
    private readonly clock: Clock,
    private readonly media: Pick<CallMedia, 'packetsFrom' | 'renewPath' | 'agreedOf'>,
    private readonly call: CheckedCall,
  ) {}

  /** The endpoint has a new flow. Does nothing when none of the call's legs is its own. */
  browserIsBack(endpointId: string): void {
    const { source, caller } = this.call;
    const callee = this.call.callee();
    if (callee === undefined || this.#closed) return;
    const isCaller = source.side === 'browser' && source.endpointId === endpointId;
    if (isCaller) this.#begin(caller.id, callee.legId);
    else if (callee.endpointId === endpointId) this.#begin(callee.legId, caller.id);
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #begin(legId: string, otherId: string): void {
    this.#after(legId, ownRepairMs, async () => {
      const before = await this.media.packetsFrom(legId);
      if (before === undefined) return;
      this.#after(legId, lookMs, async () => {
        if ((await this.media.packetsFrom(legId)) === before) this.#offerAgain(legId, otherId);
      });
    });
  }

  #offerAgain(legId: string, otherId: string): void {
    const sdp = this.media.agreedOf(otherId);
    if (sdp === undefined || this.#closed) return;
    this.media.renewPath(legId);
    this.call.offerAgain(otherId, sdp);
  }

  #after(legId: string, delayMs: number, act: () => Promise<void>): void {
    if (this.#closed) return;
    this.#timers.get(legId)?.cancel();
    this.#timers.set(
      legId,
      this.clock.after(delayMs, () => void act()),
    );
  }
}

/** What the check needs of the attempt that has answered. */
export function calleeOf(attempt: Attempt | undefined): CheckedCallee | undefined {
  if (attempt === undefined) return undefined;
  const { place } = attempt.target;
  const endpointId = place !== undefined && 'endpointId' in place ? place.endpointId : undefined;
  return { legId: attempt.leg.id, endpointId };
}
