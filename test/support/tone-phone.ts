import { decodeMuLaw, encodeMuLaw } from './g711.js';
import { RtpPhone, rtpPacket } from './rtp-phone.js';
import { detectTone, sineSamples } from './tone.js';

const rate = 8000;
const samplesPerPacket = 160;
const packetMs = 20;
const heardSamples = rate * 0.3;
const rtpHeaderBytes = 12;
/** In the order of their event codes (RFC 4733 §3.2). */
const keys = '0123456789*#ABCD';

/** The media of a phone without a SIP stack: speaks one tone in PCMU and knows what it hears. */
export class TonePhone {
  #speaking: NodeJS.Timeout | undefined;
  #sequence = 1;

  private constructor(
    private readonly rtp: RtpPhone,
    private readonly tone: Float32Array,
  ) {}

  static async start(hz: number): Promise<TonePhone> {
    return new TonePhone(await RtpPhone.start(), sineSamples(hz, 1, rate));
  }

  /** PCMU and telephone-event, with this direction. */
  sdp(direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive' = 'sendrecv'): string {
    const lines = [
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      `a=${direction}`,
    ];
    return this.rtp.sdp('0 101', lines);
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
      const packet = Buffer.concat([rtpPacket(count === 1 ? 0x80 | 101 : 101, this.#sequence, ''), payload]);
      packet.writeUInt32BE(start * samplesPerPacket, 4);
      this.rtp.send(packet, port);
      this.#sequence = (this.#sequence + 1) & 0xffff;
    }
  }

  hush(): void {
    clearInterval(this.#speaking);
  }

  /** Which of the tones the last moments hold, null for anything else. */
  heardHz(candidatesHz: readonly number[]): number | null {
    const speech = this.rtp.packets.filter((packet) => ((packet[1] ?? 0) & 0x7f) === 0);
    const last = speech.slice(-heardSamples / samplesPerPacket);
    const samples = last.flatMap((packet) => [...packet.subarray(rtpHeaderBytes)].map(decodeMuLaw));
    return samples.length < heardSamples ? null : detectTone(samples, rate, candidatesHz);
  }

  async waitForTone(hz: number): Promise<void> {
    for (let count = this.rtp.packets.length; this.heardHz([hz]) !== hz; count += 1)
      await this.rtp.packet(count + 1);
  }

  /** The telephone events heard so far, each once. */
  digits(): string {
    const events = this.rtp.packets.filter((packet) => ((packet[1] ?? 0) & 0x7f) === 101);
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
    const start = ((this.#sequence - 1) * samplesPerPacket) % (rate - samplesPerPacket + 1);
    const payload = Buffer.from(this.tone.subarray(start, start + samplesPerPacket).map(encodeMuLaw));
    const packet = Buffer.concat([rtpPacket(0, this.#sequence, ''), payload]);
    this.rtp.send(packet, port);
    this.#sequence = (this.#sequence + 1) & 0xffff;
  }
}

function portOf(sdp: string | undefined): number {
  return Number(/^m=audio (\d+) /m.exec(sdp ?? '')?.[1]);
}
