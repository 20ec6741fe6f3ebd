import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from './g711.js';
import { RtpPhone, rtpPacket } from './rtp-phone.js';
import { detectTone, sineSamples } from './tone.js';

const rate = 8000;
const samplesPerPacket = 160;
const packetMs = 20;
const heardSamples = rate * 0.3;
const rtpHeaderBytes = 12;
const audibleFrom = 0.01;
/** In the order of their event codes (RFC 4733 §3.2). */
const keys = '0123456789*#ABCD';

/** The codecs that it speaks, by payload type. */
const codecs = {
  PCMU: { payloadType: 0, encode: encodeMuLaw, decode: decodeMuLaw },
  PCMA: { payloadType: 8, encode: encodeALaw, decode: decodeALaw },
} as const;

export type G711 = keyof typeof codecs;
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** The media of a phone without a SIP stack: speaks one tone in G.711 and knows what it hears. */
export class TonePhone {
  /** What it speaks and describes; what it hears may be either. */
  codec: G711 = 'PCMU';
  /** Payload type of telephone events. */
  eventType = 101;
  #speaking: NodeJS.Timeout | undefined;
  #sequence = 1;

  private constructor(
    readonly rtp: RtpPhone,
    private readonly tone: Float32Array,
  ) {}

  static async start(hz: number): Promise<TonePhone> {
    return new TonePhone(await RtpPhone.start(), sineSamples(hz, 1, rate));
  }

  /** Its codec and telephone-event, with this direction; `lines` follow. */
  sdp(direction: Direction = 'sendrecv', lines: readonly string[] = []): string {
    const { payloadType } = codecs[this.codec];
    return this.rtp.sdp(`${payloadType} ${this.eventType}`, [
      `a=rtpmap:${payloadType} ${this.codec}/8000`,
      `a=rtpmap:${this.eventType} telephone-event/8000`,
      `a=fmtp:${this.eventType} 0-15`,
      `a=${direction}`,
      ...lines,
    ]);
  }

  /** Speaks to the first audio line of this description from now on. */
  speakTo(sdp: string | undefined): void {
    const port = portOf(sdp);
    this.hush();
    this.#speaking = setInterval(() => this.#sendPacket(port), packetMs);
  }

  /** Sends one digit as a telephone event of 100 ms (RFC 4733 §2.5.1.2), instead of the tone's packets. */
  sendDigit(digit: string, sdp: string | undefined): void {
    const port = portOf(sdp);
    const event = keys.indexOf(digit);
    const start = this.#sequence;
    for (let count = 1; count <= 7; count += 1) {
      const ends = count > 4;
      const payload = Buffer.from([event, ends ? 0x8a : 0x0a, 0, 0]);
      payload.writeUInt16BE(Math.min(count, 5) * samplesPerPacket, 2);
      const type = (count === 1 ? 0x80 : 0) | this.eventType;
      const packet = Buffer.concat([rtpPacket(type, this.#sequence, ''), payload]);
      packet.writeUInt32BE(start * samplesPerPacket, 4);
      this.rtp.send(packet, port);
      this.#sequence = (this.#sequence + 1) & 0xffff;
    }
  }

  hush(): void {
    clearInterval(this.#speaking);
  }

  /** Which of the tones the last moments from packet `since` on hold, null for anything else. */
  heardHz(candidatesHz: readonly number[], since = 0): number | null {
    const last = this.rtp.packets.slice(since).flatMap(speechIn).slice(-heardSamples);
    return last.length < heardSamples ? null : detectTone(last, rate, candidatesHz);
  }

  /** Waits until this tone is heard in what comes after packet `since`. */
  async waitForTone(hz: number, since = 0): Promise<void> {
    for (let count = this.rtp.packets.length; this.heardHz([hz], since) !== hz; count += 1)
      await this.rtp.packet(count + 1);
  }

  /** Whether nothing has come after packet `since`, or nothing that one could hear. */
  isSilentSince(since: number): boolean {
    const samples = this.rtp.packets.slice(since).flatMap(speechIn);
    return samples.every((sample) => Math.abs(sample) < audibleFrom);
  }

  /** The telephone events heard so far, each once. */
  digits(): string {
    const events = this.rtp.packets.filter((packet) => payloadTypeOf(packet) === this.eventType);
    const starts = new Map(events.map((packet) => [packet.readUInt32BE(4), packet[rtpHeaderBytes] ?? 0]));
    return [...starts.values()].map((event) => keys.charAt(event)).join('');
  }

  async waitForDigits(digits: string): Promise<void> {
    for (let count = this.rtp.packets.length; this.digits() !== digits; count += 1)
      await this.rtp.packet(count + 1);
  }

  /** Packets received so far. */
  get received(): number {
    return this.rtp.packets.length;
  }

  close(): void {
    this.hush();
    this.rtp.close();
  }

  #sendPacket(port: number): void {
    const { payloadType, encode } = codecs[this.codec];
    const start = ((this.#sequence - 1) * samplesPerPacket) % (rate - samplesPerPacket + 1);
    const payload = Buffer.from(this.tone.subarray(start, start + samplesPerPacket).map(encode));
    const packet = Buffer.concat([rtpPacket(payloadType, this.#sequence, ''), payload]);
    this.rtp.send(packet, port);
    this.#sequence = (this.#sequence + 1) & 0xffff;
  }
}

function payloadTypeOf(packet: Buffer): number {
  return packet.readUInt8(1) & 0x7f;
}

function speechIn(packet: Buffer): number[] {
  const codec = Object.values(codecs).find(({ payloadType }) => payloadType === payloadTypeOf(packet));
  return codec === undefined ? [] : [...packet.subarray(rtpHeaderBytes)].map(codec.decode);
}

function portOf(sdp: string | undefined): number {
  return Number(/^m=audio (\d+) /m.exec(sdp ?? '')?.[1]);
}
