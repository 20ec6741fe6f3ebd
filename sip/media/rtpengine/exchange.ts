import { isTelephoneEvent } from '../../sdp/codecs.js';
import type { SdpCodec, StreamDescription } from '../../sdp/description.js';
import type { ReceivedDescription, SentOffer } from '../../sdp/offer-answer.js';
import { renumber } from '../../sdp/payload-types.js';
import type { RtpengineEnd } from './rtpengine-end.js';

/** One offer that was passed from end to end, and its answer once there is one (RFC 3264). */
export interface Exchange {
  readonly offerer: RtpengineEnd;
  readonly answerer: RtpengineEnd;
  /** The offerer's offer. */
  readonly received: ReceivedDescription;
  /** What the answerer got of it. */
  readonly sent: SentOffer;
  /** The offer for rtpengine. */
  readonly ngOffer: string;
  /** The answered exchange that holds while this one is open, and again when it is refused. */
  readonly previous: Exchange | undefined;
  answered: AnsweredExchange | undefined;
}

export interface AnsweredExchange {
  /** The answer as it came; the same text again gets the same reply. */
  readonly text: string;
  readonly reply: string;
  readonly ngAnswer: string;
  /** What was agreed on, with the answerer's payload types. */
  readonly stream: StreamDescription;
}

/**
 * The offer with the payload types that the offerer is to send with. rtpengine passes payload types through, so a
 * telephone-event must be sent with the answerer's number (RFC 3264 §6.1). When the number of an audio codec differs,
 * rtpengine rewrites all of them, and the offer's own hold.
 */
export function withSentNumbers(
  offer: ReceivedDescription,
  answered: readonly SdpCodec[],
): ReceivedDescription {
  const own = renumber(answered, offer.stream.codecs);
  const isRewritten = own.some(
    (codec, index) => !isTelephoneEvent(codec) && codec.payloadType !== answered[index]?.payloadType,
  );
  if (isRewritten) return offer;
  const codecs = offer.stream.codecs.map((codec) =>
    isTelephoneEvent(codec) ? (renumber([codec], answered)[0] ?? codec) : codec,
  );
  return { ...offer, stream: { ...offer.stream, codecs } };
}
