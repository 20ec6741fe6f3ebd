import { codecKey, findCodec, isTelephoneEvent, staticPayloadType } from './codecs.js';
import type { SdpCodec } from './description.js';

/** Dynamic payload types, the usual range first, then what RFC 5761 §4 leaves unassigned beside RTCP. */
const dynamicRanges: readonly (readonly [first: number, last: number])[] = [
  [96, 127],
  [35, 63],
];

/** In a {@link PayloadMap}: packets with this payload type were not agreed on and are not forwarded. */
export const notAgreed = 255;

/** Payload type received → payload type to send, for all 128. */
export type PayloadMap = Uint8Array;

/** The payload types of one end, which must keep their meaning for the whole call (RFC 3264 §8.3.2). */
export class PayloadTypes {
  readonly #numbers = new Map<string, number>();

  /** What {@link restore} takes. */
  snapshot(): readonly (readonly [codec: string, payloadType: number])[] {
    return [...this.#numbers];
  }

  restore(numbers: readonly (readonly [codec: string, payloadType: number])[]): void {
    for (const [codec, payloadType] of numbers) this.#numbers.set(codec, payloadType);
  }

  /** Takes over the numbers of the end's own SDP. */
  learn(codecs: readonly SdpCodec[]): void {
    for (const codec of codecs) {
      for (const [key, number] of this.#numbers) if (number === codec.payloadType) this.#numbers.delete(key);
      this.#numbers.set(codecKey(codec), codec.payloadType);
    }
  }

  /**
   * Numbers codecs for an offer to the end: as before when they were used before, else the static number, else the
   * given one when it is free, else any free one. A codec for which no number is left is dropped.
   */
  assign(codecs: readonly SdpCodec[]): readonly SdpCodec[] {
    return codecs.flatMap((codec) => {
      const key = codecKey(codec);
      const payloadType = this.#numbers.get(key) ?? staticPayloadType(codec) ?? this.#free(codec.payloadType);
      if (payloadType === undefined) return [];
      this.#numbers.set(key, payloadType);
      return [{ ...codec, payloadType }];
    });
  }

  #free(wanted: number): number | undefined {
    const used = new Set(this.#numbers.values());
    if (wanted >= 96 && !used.has(wanted)) return wanted;
    for (const [first, last] of dynamicRanges) {
      for (let number = first; number <= last; number++) if (!used.has(number)) return number;
    }
    return undefined;
  }
}

/** `codecs` with the payload types that `numbered` gives them; those that it does not name are left out. */
export function renumber(codecs: readonly SdpCodec[], numbered: readonly SdpCodec[]): readonly SdpCodec[] {
  return codecs.flatMap((codec) => {
    const payloadType = findCodec(numbered, codec)?.payloadType;
    return payloadType === undefined ? [] : [{ ...codec, payloadType }];
  });
}

/**
 * How to rewrite the payload types of one end's packets for the other. `sent` are the numbers that the sender may use,
 * `taken` those that the receiver asked for in its SDP.
 */
export function payloadMap(sent: readonly SdpCodec[], taken: readonly SdpCodec[]): PayloadMap {
  const map = new Uint8Array(128).fill(notAgreed);
  for (const codec of sent) {
    const payloadType = findCodec(taken, codec)?.payloadType;
    if (payloadType !== undefined) map[codec.payloadType] = payloadType;
  }
  return map;
}

/** Chromium writes telephone-event without the events that it takes; RFC 4733 §2.4.1 wants them named. */
export function withEventRange(codec: SdpCodec): SdpCodec {
  return isTelephoneEvent(codec) && codec.parameters === undefined ? { ...codec, parameters: '0-16' } : codec;
}
