import type { LocalTransport, MediaSection } from '../../sdp/description.js';
import type { PacketSink } from './packet-lane.js';

/**
 * The network side of one media end. Preparing is free of effects on media in progress; only `applyOffer` and `applyAnswer` change it. What a
 * rejected promise carries is a SipFailure.
 */
export interface EndTransport extends PacketSink {
  /** Our parameters for an offer to the end. */
  prepareOffer(): Promise<LocalTransport>;
  /** Lets the next offer ask for a new association, when the transport has such a thing. */
  renew?(): void;
  /** Takes what an answer to the end will need, so that a shortage shows at offer time. */
  reserve(): Promise<void>;
  /** Our parameters for an answer to `offer`, a section of the end's own. */
  prepareAnswer(offer: MediaSection): Promise<LocalTransport>;
  /** The end's offer, which we have answered, holds from now on: send there. Throws `media.failed`. */
  applyOffer(section: MediaSection): void;
  /** The end's answer to our offer holds from now on: send there. Throws `media.failed`. */
  applyAnswer(section: MediaSection): void;
  /** What the end has said of itself holds still, and was said again: packets may come from now on. */
  reopen?(): void;
  /** What was prepared for an answer is not needed. */
  abandon(): void;
  /** True while an agreed transport cannot carry media. */
  readonly isDown: boolean;
  /** Frees ports and handles. Idempotent. */
  close(): void;
}
