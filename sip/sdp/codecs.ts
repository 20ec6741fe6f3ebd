import type { SdpCodec } from './description.js';

/** Audio codecs that a browser and a PBX can share without transcoding: what an end without a list of its own takes. */
export const knownCodecs: readonly string[] = ['opus', 'G722', 'PCMU', 'PCMA'];

/** Video codecs that a browser and a video phone can share without transcoding. */
export const knownVideoCodecs: readonly string[] = ['VP8', 'H264'];

/** Static payload types of RFC 3551 §6 that occur without an rtpmap. */
const staticCodecs: ReadonlyMap<number, Omit<SdpCodec, 'payloadType'>> = new Map([
  [0, { name: 'PCMU', clockRate: 8000, channels: 1 }],
  [3, { name: 'GSM', clockRate: 8000, channels: 1 }],
  [4, { name: 'G723', clockRate: 8000, channels: 1 }],
  [8, { name: 'PCMA', clockRate: 8000, channels: 1 }],
  [9, { name: 'G722', clockRate: 8000, channels: 1 }],
  [13, { name: 'CN', clockRate: 8000, channels: 1 }],
  [18, { name: 'G729', clockRate: 8000, channels: 1 }],
]);

/** The codec that RFC 3551 gives a payload type, or undefined. */
export function staticCodec(payloadType: number): SdpCodec | undefined {
  const codec = staticCodecs.get(payloadType);
  return codec === undefined ? undefined : { payloadType, ...codec };
}

/** The payload type that RFC 3551 gives a codec, or undefined. */
export function staticPayloadType(codec: SdpCodec): number | undefined {
  const key = codecKey(codec);
  for (const [payloadType, fixed] of staticCodecs) {
    if (codecKey(fixed) === key) return payloadType;
  }
  return undefined;
}

/**
 * Equal for two formats that carry the same payload. Opus is always two channels in SDP (RFC 7587 §7); an end that
 * writes one means the same. H.264 is another payload in each packetization mode (RFC 6184 §8.2.2).
 */
export function codecKey(codec: Omit<SdpCodec, 'payloadType'>): string {
  const name = codec.name.toLowerCase();
  if (name === 'opus') return 'opus/48000';
  if (name === 'h264') return `h264/90000/${packetizationMode(codec.parameters)}`;
  return `${name}/${codec.clockRate}/${codec.channels}`;
}

/** 0 when it is not given (RFC 6184 §8.1). */
function packetizationMode(parameters = ''): string {
  const given = parameters.split(';').find((one) => one.trim().startsWith('packetization-mode='));
  return given?.split('=', 2)[1]?.trim() ?? '0';
}

/** DTMF events of RFC 4733. */
export function isTelephoneEvent(codec: Pick<SdpCodec, 'name'>): boolean {
  return codec.name.toLowerCase() === 'telephone-event';
}

export function findCodec(codecs: readonly SdpCodec[], wanted: SdpCodec): SdpCodec | undefined {
  const key = codecKey(wanted);
  return codecs.find((codec) => codecKey(codec) === key);
}

/**
 * The codecs of an offer that may be passed on, for the end that is to receive it: those that both ends take, in the
 * order of `takenByReceiver` when that is given, else in the offer's order; then the telephone-events at the clock rates
 * in use (RFC 4733 §2.1 ties an event to the clock of its audio). Empty when no audio codec is shared.
 * Interop: events at 8000 Hz are passed beside opus alone too; many PBXs know no other.
 */
export function shareCodecs(
  offered: readonly SdpCodec[],
  takenByOfferer: readonly string[] | undefined,
  takenByReceiver: readonly string[] | undefined,
): readonly SdpCodec[] {
  const offererTakes = rankOf(takenByOfferer);
  const receiverTakes = rankOf(takenByReceiver);
  const audio = withoutRepeats(offered).filter(
    (codec) => !isTelephoneEvent(codec) && offererTakes(codec) >= 0 && receiverTakes(codec) >= 0,
  );
  if (takenByReceiver !== undefined) audio.sort((a, b) => receiverTakes(a) - receiverTakes(b));
  if (audio.length === 0) return [];
  const rates = new Set([8_000, ...audio.map((codec) => codec.clockRate)]);
  return [...audio, ...events(offered).filter((codec) => rates.has(codec.clockRate))];
}

/**
 * The codecs that an answer leaves of an offer, with the answer's payload types and order. A format that the answer
 * names without an rtpmap has the meaning that the offer gave it. Empty when no audio codec is left.
 */
export function answeredCodecs(
  formats: readonly string[],
  answered: readonly SdpCodec[],
  offered: readonly SdpCodec[],
): readonly SdpCodec[] {
  const named = formats.flatMap((format) => {
    const payloadType = Number(format);
    const codec =
      answered.find((one) => one.payloadType === payloadType) ??
      offered.find((one) => one.payloadType === payloadType);
    return codec === undefined || findCodec(offered, codec) === undefined ? [] : [codec];
  });
  const audio = withoutRepeats(named).filter((codec) => !isTelephoneEvent(codec));
  return audio.length === 0 ? [] : [...audio, ...events(named)];
}

/**
 * The video codecs of an offer that both ends take, in the offer's order. Retransmission (RFC 4588) and forward error
 * correction stay behind: they belong to one transport.
 */
export function shareVideoCodecs(
  offered: readonly SdpCodec[],
  takenByOfferer: readonly string[],
  takenByReceiver: readonly string[],
): readonly SdpCodec[] {
  const [offererTakes, receiverTakes] = [rankOf(takenByOfferer), rankOf(takenByReceiver)];
  return withoutRepeats(offered).filter((codec) => offererTakes(codec) >= 0 && receiverTakes(codec) >= 0);
}

/** The codecs in the order of `names`. */
export function inOrderOf(codecs: readonly SdpCodec[], names: readonly string[]): readonly SdpCodec[] {
  const rank = rankOf(names);
  return [...codecs].sort((a, b) => rank(a) - rank(b));
}

/**
 * Like {@link answeredCodecs} for video. An answer that keeps the number but not the parameters of an offered format
 * means that format.
 */
export function answeredVideoCodecs(
  answered: readonly SdpCodec[],
  offered: readonly SdpCodec[],
): readonly SdpCodec[] {
  return withoutRepeats(
    answered.flatMap((codec) => {
      if (findCodec(offered, codec) !== undefined) return [codec];
      const meant = offered.find(
        (one) => one.payloadType === codec.payloadType && one.name.toLowerCase() === codec.name.toLowerCase(),
      );
      return meant === undefined ? [] : [meant];
    }),
  );
}

function events(codecs: readonly SdpCodec[]): readonly SdpCodec[] {
  return withoutRepeats(codecs).filter(isTelephoneEvent);
}

function withoutRepeats(codecs: readonly SdpCodec[]): SdpCodec[] {
  const seen = new Set<string>();
  return codecs.filter((codec) => {
    const key = codecKey(codec);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** Position of a codec in a list of names, or -1. */
function rankOf(names: readonly string[] | undefined): (codec: SdpCodec) => number {
  const ranks = new Map((names ?? knownCodecs).map((name, index) => [name.toLowerCase(), index]));
  return (codec) => ranks.get(codec.name.toLowerCase()) ?? -1;
}
