import type { SipFailure } from '../failure.js';
import { inOrderOf, knownCodecs, shareCodecs, shareVideoCodecs } from './codecs.js';
import type { StreamDescription } from './description.js';
import type { ReceivedDescription, SdpEnd } from './offer-answer.js';
import { noSharedCodec, notAcceptable } from './refusal.js';

/**
 * The stream to offer to `receiver` for an offer of `offerer`, or `media.not_acceptable` when they share no audio codec.
 */
export function offeredStream(
  offer: ReceivedDescription,
  offerer: SdpEnd,
  receiver: SdpEnd,
): StreamDescription | SipFailure {
  const codecs = shareCodecs(offer.stream.codecs, offerer.codecs, receiver.codecs);
  if (codecs.length > 0) return { ...offer.stream, codecs };
  const taken = receiver.codecs ?? offerer.codecs ?? knownCodecs;
  const refusal = noSharedCodec(
    offer.stream.codecs,
    taken.map((name) => ({ name })),
  );
  return notAcceptable(refusal, { kind: offer.section.kind, index: offer.index });
}

/**
 * The video to offer to `receiver` for an offer of `offerer`, in the order of a PBX's list; undefined when they share none.
 */
export function offeredVideo(
  { video }: ReceivedDescription,
  offerer: SdpEnd,
  receiver: SdpEnd,
): StreamDescription | undefined {
  if (video === undefined) return undefined;
  const codecs = shareVideoCodecs(video.stream.codecs, offerer.video, receiver.video);
  if (codecs.length === 0) return undefined;
  const ordered = receiver.profile === 'plain' ? inOrderOf(codecs, receiver.video) : codecs;
  return { ...video.stream, codecs: ordered };
}
