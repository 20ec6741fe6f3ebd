import { isTelephoneEvent } from '../../sdp/codecs.js';
import type { SdpCodec } from '../../sdp/description.js';
import type { RelayEnd } from './relay-end.js';

/** Offered by the relay itself; a number that is free is found for it (RFC 4733 §7.1.1). */
const usualPayloadType = 101;

const audioOf = (codecs: readonly SdpCodec[]): readonly SdpCodec[] =>
  codecs.filter((codec) => !isTelephoneEvent(codec));

export const eventsOf = (codecs: readonly SdpCodec[]): readonly SdpCodec[] => codecs.filter(isTelephoneEvent);

/**
 * What to offer of `shared`, the codecs that both ends take. An end whose DTMF is signalled is offered no events; the
 * other end of such a one is offered events of the relay's own.
 */
export function codecsToOffer(
  shared: readonly SdpCodec[],
  offerer: RelayEnd,
  answerer: RelayEnd,
): readonly SdpCodec[] {
  if (!offerer.isSignalled && !answerer.isSignalled) return shared;
  const audio = audioOf(shared);
  if (answerer.isSignalled) return audio;
  const rates = new Set([8_000, ...audio.map(({ clockRate }) => clockRate)]);
  const events = [...rates].map((clockRate) => ({
    payloadType: usualPayloadType,
    name: 'telephone-event',
    clockRate,
    channels: 1,
  }));
  return [...audio, ...events];
}

/** What to answer the offerer, whose offer had `offered`, when the answerer has agreed to `answered`. */
export function codecsToAnswer(
  answered: readonly SdpCodec[],
  offered: readonly SdpCodec[],
  offerer: RelayEnd,
  answerer: RelayEnd,
): readonly SdpCodec[] {
  if (!offerer.isSignalled && !answerer.isSignalled) return answered;
  const audio = audioOf(answered);
  if (offerer.isSignalled) return audio;
  const rates = new Set([8_000, ...audio.map(({ clockRate }) => clockRate)]);
  return [...audio, ...eventsOf(offered).filter(({ clockRate }) => rates.has(clockRate))];
}
