import type { SdpCodec } from '../../sdp/description.js';
import { digitOfEvent } from '../dtmf.js';
import type { DtmfTone } from '../media-engine.js';

const payloadBytes = 4;
/** The longest duration that one packet can tell; a longer tone goes on in another segment (RFC 4733 §2.5.1.3). */
const segmentUnits = 0xffff;
/** Packets of a tone follow each other faster: when audio comes instead for so long, the end was lost. */
const lostEndMs = 150;
/** A packet that is behind the tone by less belongs to an earlier one, and was overtaken. */
const overtakenSeconds = 2;

/** Makes tones of an end's RFC 4733 packets: each once, however often its end is repeated or when it is lost. */
export class ToneReader {
  /** Payload type of events → clock rate. */
  readonly #rates = new Map<number, number>();
  #ssrc = -1;
  #isOpen = false;
  #code = 0;
  #rate = 8_000;
  /** Timestamp of the segment that is open, or of the last one; -1: there was none. */
  #timestamp = -1;
  /** Of earlier segments, and of this one. */
  #unitsBefore = 0;
  #units = 0;
  #lastMs = 0;

  constructor(private readonly heard: (tone: DtmfTone) => void) {}

  /** Takes the events among `codecs` from now on; none: leaves all packets alone. */
  expect(codecs: readonly SdpCodec[]): void {
    this.#rates.clear();
    for (const { payloadType, clockRate } of codecs) this.#rates.set(payloadType, clockRate);
  }

  /** True while a tone has begun and its end has not come. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** True when packets of this type are to be given to {@link take}. */
  reads(payloadType: number): boolean {
    return this.#rates.has(payloadType);
  }

  /** Takes an RTP packet of at least 12 bytes; one that is cut short is passed over. */
  take(packet: Buffer, nowMs: number): void {
    const at = payloadStart(packet);
    if (packet.length < at + payloadBytes) return;
    const rate = this.#rates.get(packet.readUInt8(1) & 0x7f) ?? 8_000;
    const code = packet.readUInt8(at);
    if (!this.#belongs(packet.readUInt32BE(8), packet.readUInt32BE(4), code, rate)) return;
    this.#units = Math.max(this.#units, packet.readUInt16BE(at + 2));
    this.#lastMs = nowMs;
    if ((packet.readUInt8(at + 1) & 0x80) !== 0) this.#close();
  }

  /** Audio has come: closes a tone whose end was lost. */
  audio(nowMs: number): void {
    if (this.#isOpen && nowMs - this.#lastMs > lostEndMs) this.#close();
  }

  /** Finds or opens the tone of a packet; false when it repeats one that is over. */
  #belongs(ssrc: number, timestamp: number, code: number, rate: number): boolean {
    if (ssrc !== this.#ssrc) {
      this.#close();
      this.#ssrc = ssrc;
      this.#timestamp = -1;
    }
    if (timestamp === this.#timestamp) return this.#isOpen;
    const ahead = (timestamp - this.#timestamp) | 0;
    if (this.#timestamp !== -1 && ahead < 0 && ahead > -overtakenSeconds * rate) return false;
    const isNextSegment = this.#isOpen && code === this.#code && ahead === segmentUnits;
    if (!isNextSegment) this.#close();
    this.#unitsBefore = isNextSegment ? this.#unitsBefore + segmentUnits : 0;
    this.#units = 0;
    this.#isOpen = true;
    this.#timestamp = timestamp;
    this.#code = code;
    this.#rate = rate;
    return true;
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const digit = digitOfEvent(this.#code);
    const durationMs = Math.round(((this.#unitsBefore + this.#units) * 1_000) / this.#rate);
    if (digit !== undefined) this.heard({ digit, durationMs });
  }
}

/** Behind the header, its CSRCs and its extension (RFC 3550 §5.1, §5.3.1). */
function payloadStart(packet: Buffer): number {
  const first = packet.readUInt8(0);
  const start = 12 + 4 * (first & 0x0f);
  if ((first & 0x10) === 0 || packet.length < start + 4) return start;
  return start + 4 + 4 * packet.readUInt16BE(start + 2);
}
