import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6, type AddressInfo } from 'node:net';

/** Where the caller's media goes to, as its SDP says. */
export interface RtpTarget {
  readonly host: string;
  readonly port: number;
}

const rtpHeaderBytes = 12;
const ssrcOffset = 8;

/** RTP of version 2, and not RTCP that shares the port (RFC 5761 §4). */
function isRtp(packet: Buffer): boolean {
  const [first = 0, second = 0] = packet;
  const payloadType = second & 0x7f;
  return packet.length >= rtpHeaderBytes && first >> 6 === 2 && (payloadType < 64 || payloadType > 95);
}

/**
 * An RTP port that sends every packet back to where the caller listens, under a synchronisation source of its own: with
 * the caller's it would look like a loop (RFC 3550 §8.2). RTCP has a port too, and is ignored.
 */
export class RtpEcho {
  readonly #ssrc = randomBytes(4);
  #target: RtpTarget | undefined;
  #closed = false;

  private constructor(
    private readonly rtp: Socket,
    private readonly rtcp: Socket,
  ) {
    rtp.on('message', (packet, source) => this.#echo(packet, source));
    for (const socket of [rtp, rtcp]) socket.on('error', () => this.close());
  }

  /** Binds two free ports. Rejects with the socket's error. */
  static async open(address: string): Promise<RtpEcho> {
    const rtp = await bind(address);
    try {
      return new RtpEcho(rtp, await bind(address));
    } catch (error) {
      rtp.close();
      throw error;
    }
  }

  get rtpPort(): number {
    return this.rtp.address().port;
  }

  get rtcpPort(): number {
    return this.rtcp.address().port;
  }

  /** Sends to `target` from now on; undefined: to nobody, the call is on hold. */
  sendTo(target: RtpTarget | undefined): void {
    this.#target = target;
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.rtp.close();
    this.rtcp.close();
  }

  /** Only what comes from the caller's own host is echoed: nobody else can make us send to it. */
  #echo(packet: Buffer, source: AddressInfo): void {
    const target = this.#target;
    if (this.#closed || target === undefined || source.address !== target.host || !isRtp(packet)) return;
    this.#ssrc.copy(packet, ssrcOffset);
    this.rtp.send(packet, target.port, target.host);
  }
}

async function bind(address: string): Promise<Socket> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}
