import { failure } from '../../failure.js';
import { isTelephoneEvent } from '../../sdp/codecs.js';
import type { LocalTransport, SdpCodec, SdpCrypto, StreamDescription } from '../../sdp/description.js';
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
  /** The answerer's key; undefined: it speaks plain RTP, or DTLS. */
  readonly crypto: SdpCrypto | undefined;
  /** What was agreed on, with the answerer's payload types. */
  readonly stream: StreamDescription;
}

/** What rtpengine knows of exchanges. */
export interface ToldExchange {
  /** The one whose offer is the last that it was told. */
  readonly exchange: Exchange;
  /** The answerer's side was asked for with keys in SDP. */
  readonly isKeyed: boolean;
  /** The key line that its last answer took. */
  readonly tag?: number | undefined;
}

/** True when rtpengine must be told the offer again before it can take an answer with this key, or without one. */
export function isToldAnew(
  told: ToldExchange | undefined,
  exchange: Exchange,
  crypto: SdpCrypto | undefined,
): boolean {
  if (told?.exchange !== exchange || told.isKeyed !== (crypto !== undefined)) return true;
  return told.tag !== undefined && told.tag !== crypto?.tag;
}

/**
 * Our side towards the answerer with the one key of ours that its answer took: later offers repeat that one, since
 * rtpengine makes new ones for the others. Throws `media.failed` when rtpengine has another key than was offered.
 */
export function withAgreedKey(
  local: LocalTransport,
  sent: SentOffer,
  crypto: SdpCrypto | undefined,
): LocalTransport {
  if (crypto === undefined || local.profile !== 'plain') return local;
  const isTaken = ({ tag, suite }: SdpCrypto): boolean => tag === crypto.tag && suite === crypto.suite;
  const [offered, own] = [sent.crypto?.find(isTaken), local.crypto?.find(isTaken)];
  if (own === undefined || own.key !== offered?.key)
    throw failure('media.failed', { detail: 'rtpengine has another SRTP key than was offered' });
  return { ...local, crypto: [own] };
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
