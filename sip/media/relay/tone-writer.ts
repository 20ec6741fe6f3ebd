import type { SdpCodec } from '../../sdp/description.js';
import { eventOfDigit } from '../dtmf.js';
import type { DtmfTone } from '../media-engine.js';

/** One packet of audio, as a share of a second. */
const packetsPerSecond = 50;
/** Audio between two tones, so that they are told apart. */
const pausesPerSecond = 20;
/** The end is sent three times (RFC 4733 §2.5.1.4). */
const endRepeats = 3;
/** More tones than that do not wait. */
const longestQueue = 32;
const longestUnits = 0xffff;
/** -10 dBm0. */
const volume = 10;

/** The tone that is being sent. */
interface Sounding {
  readonly code: number;
  readonly ssrc: number;
  readonly payloadType: number;
  /** Of the events, in Hz. */
  readonly rate: number;
  /** Of the first audio packet that it replaced, and of the whole tone. */
  readonly timestamp: number;
  /** In units of `rate`. */
  readonly units: number;
  endsLeft: number;
}

/**
 * Writes tones into a stream of audio as RFC 4733 events: while a tone lasts, each audio packet is replaced by an event
 * packet with the same sequence number, so that nothing has to be renumbered.
 */
export class ToneWriter {
  /** Clock rate → payload type of the events. */
  readonly #types = new Map<number, number>();
  readonly #waiting: DtmfTone[] = [];
  #sounding: Sounding | undefined;
  /** Where the last tone ended, while the pause after it lasts. */
  #pauseFrom: number | undefined;

  /** `events`: those that the receiver takes, with its payload types. Tones that wait are forgotten when there is none. */
  aim(events: readonly SdpCodec[]): void {
    this.#types.clear();
    for (const { clockRate, payloadType } of events) this.#types.set(clockRate, payloadType);
    if (events.length > 0) return;
    this.#waiting.length = 0;
    this.#sounding = undefined;
  }

  /** False when the receiver takes no events, when it is no digit, or when too many wait. */
  add(tone: DtmfTone): boolean {
    const isDigit = eventOfDigit(tone.digit) >= 0;
    if (this.#types.size === 0 || !isDigit || this.#waiting.length >= longestQueue) return false;
    this.#waiting.push(tone);
    return true;
  }

  /** True while audio packets are to be given to {@link replace}. */
  get isBusy(): boolean {
    return this.#sounding !== undefined || this.#waiting.length > 0;
  }

  /** The packet to send instead of this one of audio; undefined: send the audio. */
  replace(audio: Buffer, clockRate: number): Buffer | undefined {
    const ssrc = audio.readUInt32BE(8);
    const timestamp = audio.readUInt32BE(4);
    if (this.#sounding?.ssrc !== ssrc) this.#sounding = undefined;
    const isFirst = this.#sounding === undefined;
    this.#sounding ??= this.#next(ssrc, timestamp, clockRate);
    const tone = this.#sounding;
    if (tone === undefined) return undefined;
    const elapsed = (((timestamp - tone.timestamp) | 0) * tone.rate) / clockRate;
    const units = Math.max(0, elapsed) + tone.rate / packetsPerSecond;
    const isEnd = units >= tone.units;
    if (isEnd) {
      tone.endsLeft -= 1;
      if (tone.endsLeft === 0) {
        this.#sounding = undefined;
        this.#pauseFrom = timestamp;
      }
    }
    return eventPacket(audio, tone, Math.min(units, tone.units), isFirst, isEnd);
  }

  #next(ssrc: number, timestamp: number, clockRate: number): Sounding | undefined {
    if (this.#pauseFrom !== undefined) {
      const sinceEnd = (timestamp - this.#pauseFrom) | 0;
      if (sinceEnd >= 0 && sinceEnd < clockRate / pausesPerSecond) return undefined;
      this.#pauseFrom = undefined;
    }
    const [rate, payloadType] = this.#typeFor(clockRate);
    const tone = this.#waiting.shift();
    if (tone === undefined || payloadType === undefined) return undefined;
    const units = Math.min(longestUnits, Math.round((tone.durationMs * rate) / 1_000));
    const code = eventOfDigit(tone.digit);
    return { code, ssrc, payloadType, rate, timestamp, units, endsLeft: endRepeats };
  }

  /** Events at the clock of the audio (RFC 4733 §2.1), else any: many PBXs know those at 8000 Hz alone. */
  #typeFor(clockRate: number): readonly [rate: number, payloadType: number | undefined] {
    const exact = this.#types.get(clockRate);
    if (exact !== undefined) return [clockRate, exact];
    const [other] = this.#types;
    return other ?? [clockRate, undefined];
  }
}

/** RFC 4733 §2.3, behind the audio's own header. */
function eventPacket(audio: Buffer, tone: Sounding, units: number, isFirst: boolean, isEnd: boolean): Buffer {
  const packet = Buffer.allocUnsafe(16);
  packet.writeUInt8(0x80, 0);
  packet.writeUInt8(tone.payloadType | (isFirst ? 0x80 : 0), 1);
  audio.copy(packet, 2, 2, 4);
  packet.writeUInt32BE(tone.timestamp, 4);
  packet.writeUInt32BE(tone.ssrc, 8);
  packet.writeUInt8(tone.code, 12);
  packet.writeUInt8((isEnd ? 0x80 : 0) | volume, 13);
  packet.writeUInt16BE(Math.round(units), 14);
  return packet;
}
