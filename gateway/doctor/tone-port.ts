import { randomBytes, randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Clock, Timer } from '../../sip/clock.js';
import { decodeMuLaw, encodeMuLaw } from './mu-law.js';

const rate = 8_000;
const packetMs = 20;
const samplesPerPacket = (rate * packetMs) / 1_000;
const headerBytes = 12;
const amplitude = 8_000;
/** Share of what is heard. */
const mostly = 0.7;

/** What was heard. */
export interface Heard {
  readonly packets: number;
  /** Root mean square of the samples, in dB below full scale; undefined when there were none. */
  readonly level: number | undefined;
  /** It was our own tone, for the most part. */
  readonly isOurTone: boolean;
}

/** UDP ports, both ends included. */
export interface PortRange {
  readonly min: number;
  readonly max: number;
}

const mostTries = 50;

/** An RTP port that sends a tone in PCMU and listens. */
export class TonePort {
  readonly #ssrc = randomBytes(4);
  #timer: Timer | undefined;
  #sent = 0;
  #packets = 0;
  #samples = 0;
  #squares = 0;
  #toneSquares = 0;
  #hz = 0;
  #isClosed = false;

  private constructor(
    private readonly socket: Socket,
    private readonly clock: Clock,
  ) {
    socket.on('message', (packet) => this.#hear(packet));
    socket.on('error', () => this.close());
  }

  /**
   * Listens on every address of the family that `address` is of, for that may be one which only others see; at a free port
   * of `ports`, else at any. Rejects with the socket's error.
   */
  static async open(
    { address, ports }: { readonly address: string; readonly ports: PortRange | undefined },
    clock: Clock,
  ): Promise<TonePort> {
    const isV6 = isIPv6(address);
    for (let tries = 1; ; tries += 1) {
      const socket = createSocket(isV6 ? 'udp6' : 'udp4');
      try {
        socket.bind(ports === undefined ? 0 : randomInt(ports.min, ports.max + 1), isV6 ? '::' : '0.0.0.0');
        await once(socket, 'listening');
        return new TonePort(socket, clock);
      } catch (error) {
        socket.close();
        const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (!isTaken || ports === undefined || tries === mostTries) throw error;
      }
    }
  }

  get port(): number {
    return this.socket.address().port;
  }

  get heard(): Heard {
    const level =
      this.#samples === 0
        ? undefined
        : 10 * Math.log10(Math.max(this.#squares / this.#samples, 1) / 32_768 ** 2);
    return { packets: this.#packets, level, isOurTone: this.#toneSquares > mostly * this.#squares };
  }

  /** Packets sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends a tone of `hz` from now on. */
  sendTone(hz: number, to: { readonly host: string; readonly port: number }): void {
    this.#timer?.cancel();
    this.#hz = hz;
    this.#timer = this.clock.every(packetMs, () => {
      this.socket.send(this.#packet(hz), to.port, to.host);
      this.#sent += 1;
    });
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer?.cancel();
    this.socket.close();
  }

  #packet(hz: number): Buffer {
    const packet = Buffer.alloc(headerBytes + samplesPerPacket);
    packet.writeUInt8(0x80, 0);
    packet.writeUInt8(this.#sent === 0 ? 0x80 : 0, 1);
    packet.writeUInt16BE(this.#sent & 0xffff, 2);
    packet.writeUInt32BE((this.#sent * samplesPerPacket) >>> 0, 4);
    this.#ssrc.copy(packet, 8);
    for (let index = 0; index < samplesPerPacket; index += 1) {
      const at = this.#sent * samplesPerPacket + index;
      packet[headerBytes + index] = encodeMuLaw(
        Math.round(amplitude * Math.sin((2 * Math.PI * hz * at) / rate)),
      );
    }
    return packet;
  }

  #hear(packet: Buffer): void {
    const [first = 0, second = 0] = packet;
    if (packet.length <= headerBytes || first >> 6 !== 2 || (second & 0x7f) !== 0) return;
    this.#packets += 1;
    const samples = Array.from(packet.subarray(headerBytes), decodeMuLaw);
    this.#samples += samples.length;
    this.#squares += samples.reduce((sum, sample) => sum + sample ** 2, 0);
    this.#toneSquares += squaresAt(this.#hz, samples);
  }
}

/** How much of the sum of squares is at that frequency. */
function squaresAt(hz: number, samples: readonly number[]): number {
  let [cosine, sine] = [0, 0];
  for (const [index, sample] of samples.entries()) {
    const angle = (2 * Math.PI * hz * index) / rate;
    cosine += sample * Math.cos(angle);
    sine += sample * Math.sin(angle);
  }
  return (2 * (cosine ** 2 + sine ** 2)) / Math.max(samples.length, 1);
}
