import dgram from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import type { SrtpKey } from './srtp.js';

/** A stand-in for a PBX's phone: RTP on a UDP port of its own, RTCP on the next one when that is free. */
export class RtpPhone {
  readonly packets: Buffer[] = [];
  readonly reports: Buffer[] = [];
  readonly #events = new EventEmitter();
  #version = 0;
  #keys: { readonly own: SrtpKey; readonly theirs: SrtpKey } | undefined;
  /** Packets that were protected with another key than theirs. */
  refused = 0;

  private constructor(
    private readonly rtp: dgram.Socket,
    private readonly rtcp: dgram.Socket,
  ) {
    rtp.on('message', (received) => {
      const packet = this.#keys === undefined ? received : this.#keys.theirs.open(received);
      if (packet === undefined) {
        this.refused += 1;
        return;
      }
      this.packets.push(packet);
      this.#events.emit('packet', packet);
    });
    rtcp.on('message', (packet) => {
      this.reports.push(packet);
      this.#events.emit('report', packet);
    });
  }

  static async start(address = '127.0.0.1'): Promise<RtpPhone> {
    return new RtpPhone(await bind(address), await bind(address));
  }

  get port(): number {
    return this.rtp.address().port;
  }

  get rtcpPort(): number {
    return this.rtcp.address().port;
  }

  /** A description of this phone; `lines` are attributes of its audio line. */
  sdp(formats: string, lines: readonly string[] = [], address = this.rtp.address().address): string {
    this.#version += 1;
    const family = address.includes(':') ? 'IP6' : 'IP4';
    return [
      'v=0',
      `o=phone 4711 ${this.#version} IN ${family} ${address}`,
      's=-',
      `c=IN ${family} ${address}`,
      't=0 0',
      `m=audio ${this.port} RTP/AVP ${formats}`,
      `a=rtcp:${this.rtcpPort}`,
      ...lines,
      '',
    ].join('\r\n');
  }

  send(packet: Buffer, port: number, host = this.rtp.address().address): void {
    this.rtp.send(this.#keys?.own.protect(packet) ?? packet, port, host);
  }

  /** Its RTP is SRTP from now on. */
  secure(own: SrtpKey, theirs: SrtpKey): void {
    this.#keys = { own, theirs };
  }

  sendReport(packet: Buffer, port: number, host = this.rtcp.address().address): void {
    this.rtcp.send(packet, port, host);
  }

  /** Sends everything that comes back to where it came from, from now on. */
  echo(): void {
    for (const socket of [this.rtp, this.rtcp])
      socket.on('message', (packet, { port, address }) => socket.send(packet, port, address));
  }

  /** Resolves with RTP packet number `count` (from 1). */
  async packet(count: number): Promise<Buffer> {
    for (;;) {
      const packet = this.packets[count - 1];
      if (packet !== undefined) return packet;
      await once(this.#events, 'packet');
    }
  }

  async report(count: number): Promise<Buffer> {
    for (;;) {
      const packet = this.reports[count - 1];
      if (packet !== undefined) return packet;
      await once(this.#events, 'report');
    }
  }

  close(): void {
    this.rtp.close();
    this.rtcp.close();
  }
}

/** An RTP packet whose payload is `payload`. */
export function rtpPacket(
  payloadType: number,
  sequence: number,
  payload = 'audio',
  ssrc = 0x1234_5678,
): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(payloadType, 1);
  header.writeUInt16BE(sequence, 2);
  header.writeUInt32BE(sequence * 160, 4);
  header.writeUInt32BE(ssrc, 8);
  return Buffer.concat([header, Buffer.from(payload)]);
}

/** An empty RTCP receiver report (RFC 3550 §6.4.2). */
export function receiverReport(ssrc = 0x1234_5678): Buffer {
  const report = Buffer.alloc(8);
  report.writeUInt8(0x80, 0);
  report.writeUInt8(201, 1);
  report.writeUInt16BE(1, 2);
  report.writeUInt32BE(ssrc, 4);
  return report;
}

/** What a sender report tells of the packets of another SSRC. */
export interface ReceptionReport {
  readonly ssrc: number;
  /** Share of packets that were lost since the last report, 0 to 1. */
  readonly lost: number;
  /** At 8000 Hz. */
  readonly jitterMs: number;
  /** The sender report that it answers, as it arrived just now. */
  readonly to: Buffer | undefined;
}

const secondsFrom1900 = 2_208_988_800;

/** An RTCP sender report with one reception report (RFC 3550 §6.4.1). */
export function senderReport(ssrc: number, { ssrc: of, lost, jitterMs, to }: ReceptionReport): Buffer {
  const report = Buffer.alloc(52);
  report.writeUInt8(0x81, 0);
  report.writeUInt8(200, 1);
  report.writeUInt16BE(report.length / 4 - 1, 2);
  report.writeUInt32BE(ssrc, 4);
  const nowMs = Date.now();
  report.writeUInt32BE(Math.floor(nowMs / 1_000) + secondsFrom1900, 8);
  report.writeUInt32BE(Math.floor(((nowMs % 1_000) / 1_000) * 2 ** 32), 12);
  report.writeUInt32BE(of, 28);
  report.writeUInt8(Math.round(lost * 256), 32);
  report.writeUInt32BE(jitterMs * 8, 40);
  if (to !== undefined) {
    // The middle of the NTP time of what it answers, and the shortest delay since: none would mean that nothing came.
    to.copy(report, 44, 10, 14);
    report.writeUInt32BE(1, 48);
  }
  return report;
}

async function bind(address: string): Promise<dgram.Socket> {
  const socket = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}
