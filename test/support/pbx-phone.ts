import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { parseMessage, respond, serializeText, type SipRequest } from '../../sip/message/index.js';
import { decodeMuLaw, encodeMuLaw } from './g711.js';
import { RtpPhone, rtpPacket } from './rtp-phone.js';
import { detectTone, sineSamples } from './tone.js';

const rate = 8_000;
const samplesPerPacket = 160;
const packetMs = 20;
const pcmu = 0;
const telephoneEvent = 101;
const listenPackets = 10;

/**
 * A telephone behind a PBX: SIP over UDP, G.711 µ-law with a tone of its own, telephone events. It rings, then answers
 * when told to.
 */
export class PbxPhone {
  private sequence = 0;
  private playing: ReturnType<typeof setInterval> | undefined;
  private invite: { readonly request: SipRequest; readonly from: RemoteInfo } | undefined;
  private invited: (() => void) | undefined;

  private constructor(
    private readonly sip: Socket,
    private readonly rtp: RtpPhone,
    private readonly hz: number,
  ) {
    sip.on('message', (bytes, from) => this.received(bytes, from));
  }

  static async start(hz: number): Promise<PbxPhone> {
    const sip = createSocket('udp4');
    sip.bind(0, '127.0.0.1');
    await once(sip, 'listening');
    return new PbxPhone(sip, await RtpPhone.start(), hz);
  }

  /** `sip:` URI of the phone as a trunk's host. */
  get uri(): string {
    return `sip:127.0.0.1:${this.sip.address().port};transport=udp`;
  }

  /** Resolves once the phone rings. */
  async rings(): Promise<void> {
    if (this.invite === undefined) await new Promise<void>((resolve) => (this.invited = resolve));
  }

  /** Answers the INVITE: 183 lets the caller hear us while it rings, 200 takes the call, 4xx and 6xx refuse it. */
  reply(status: number): void {
    if (this.invite === undefined) throw new Error('nobody calls');
    const { request, from } = this.invite;
    const withBody = status === 183 || status === 200;
    if (withBody) this.play(request.body.toString());
    const body = withBody ? this.sdp() : '';
    this.send(request, status, from, body);
  }

  /** Waits until this tone is what the phone hears. */
  async waitForTone(hz: number): Promise<void> {
    for (;;) {
      const since = this.rtp.packets.length;
      await this.rtp.packet(since + listenPackets);
      const packets = this.rtp.packets.slice(since).filter((packet) => payloadType(packet) === pcmu);
      const samples = packets.flatMap((packet) => [...packet.subarray(12)].map(decodeMuLaw));
      if (detectTone(samples, rate, [hz]) === hz) return;
    }
  }

  /** The telephone events heard so far, one character for each (RFC 4733 §2.3). */
  digits(): string {
    const events = new Map<number, number>();
    for (const packet of this.rtp.packets) {
      if (payloadType(packet) === telephoneEvent) events.set(packet.readUInt32BE(4), packet.readUInt8(12));
    }
    return [...events.values()].map((event) => '0123456789*#ABCD'.charAt(event)).join('');
  }

  /** Resolves once these digits were heard. */
  async waitForDigits(digits: string): Promise<void> {
    while (!this.digits().includes(digits)) await this.rtp.packet(this.rtp.packets.length + 1);
  }

  close(): void {
    clearInterval(this.playing);
    this.rtp.close();
    this.sip.close();
  }

  private received(bytes: Buffer, from: RemoteInfo): void {
    const message = parseMessage(bytes);
    if (message.kind !== 'request' || message.method === 'ACK') return;
    if (message.method !== 'INVITE') {
      this.send(message, 200, from, '');
      return;
    }
    if (this.invite !== undefined) return;
    this.invite = { request: message, from };
    this.send(message, 180, from, '');
    this.invited?.();
  }

  private send(request: SipRequest, status: number, { port, address }: RemoteInfo, body: string): void {
    const contact = `<sip:phone@127.0.0.1:${this.sip.address().port}>`;
    const options = body === '' ? {} : { body, contentType: 'application/sdp' };
    const response = respond(request, status, {
      toTag: 'phone',
      headers: [['Contact', contact]],
      ...options,
    });
    this.sip.send(serializeText(response), port, address);
  }

  private sdp(): string {
    const lines = ['a=rtpmap:0 PCMU/8000', `a=rtpmap:${telephoneEvent} telephone-event/8000`];
    return this.rtp.sdp(`${pcmu} ${telephoneEvent}`, lines);
  }

  /** Speaks the tone to where the offer says. */
  private play(offer: string): void {
    const port = Number(/^m=audio (\d+)/m.exec(offer)?.[1] ?? 0);
    const tone = Buffer.from([...sineSamples(this.hz, 1, rate)].map(encodeMuLaw));
    this.playing ??= setInterval(() => {
      const at = (this.sequence * samplesPerPacket) % tone.length;
      const packet = rtpPacket(pcmu, this.sequence, '');
      this.rtp.send(Buffer.concat([packet, tone.subarray(at, at + samplesPerPacket)]), port);
      this.sequence += 1;
    }, packetMs);
  }
}

function payloadType(packet: Buffer): number {
  return packet.readUInt8(1) & 0x7f;
}
