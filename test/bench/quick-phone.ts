import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { parseMessage, respond, serializeMessage, type SipRequest } from '../../sip/message/index.js';
import { RtpPhone, rtpPacket } from '../support/rtp-phone.js';

const packetMs = 20;
const pcmuSilence = Buffer.alloc(160, 0xff);

/** A phone on UDP that takes each call at once, and speaks from then on without waiting to be spoken to. */
export class QuickPhone {
  readonly number = '700';
  #heard = Promise.resolve(Number.NaN);
  #speaking: NodeJS.Timeout | undefined;
  #sequence = 0;

  private constructor(
    private readonly sip: Socket,
    private readonly rtp: RtpPhone,
  ) {
    sip.on('message', (bytes, { port, address }) => {
      const request = parseMessage(bytes);
      if (request.kind !== 'request' || request.method === 'ACK') return;
      sip.send(serializeMessage(this.#reply(request)), port, address);
    });
  }

  static async open(): Promise<QuickPhone> {
    const sip = createSocket('udp4').bind(0, '127.0.0.1');
    await once(sip, 'listening');
    return new QuickPhone(sip, await RtpPhone.start());
  }

  get uri(): string {
    return `sip:127.0.0.1:${this.sip.address().port};transport=udp`;
  }

  /** When the first packet of this call came, in milliseconds since the Unix epoch. */
  heard(): Promise<number> {
    return this.#heard;
  }

  close(): void {
    clearInterval(this.#speaking);
    this.sip.close();
    this.rtp.close();
  }

  #reply(request: SipRequest) {
    clearInterval(this.#speaking);
    if (request.method !== 'INVITE') return respond(request, 200);
    const first = this.rtp.packets.length + 1;
    this.#heard = this.rtp.packet(first).then(() => performance.timeOrigin + performance.now());
    this.#speak(Number(/^m=audio (\d+)/m.exec(request.body.toString())?.[1] ?? 0));
    return respond(request, 200, {
      toTag: 'quick',
      headers: [['Contact', `<${this.uri}>`]],
      body: this.rtp.sdp('0', ['a=rtpmap:0 PCMU/8000']),
      contentType: 'application/sdp',
    });
  }

  #speak(port: number): void {
    this.#speaking = setInterval(() => {
      this.#sequence = (this.#sequence + 1) & 0xffff;
      this.rtp.send(Buffer.concat([rtpPacket(0, this.#sequence, ''), pcmuSilence]), port);
    }, packetMs);
  }
}
