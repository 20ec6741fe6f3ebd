import type dgram from 'node:dgram';
import { failure } from '../../failure.js';
import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import { addressFamily, isGroupAddress } from '../../sdp/candidates.js';
import type { AddressFamily, LocalTransport, MediaSection, SdpAddress } from '../../sdp/description.js';
import type { EndTransport } from './end-transport.js';
import { Latch } from './latch.js';
import type { PacketTaker } from './packet-lane.js';
import type { PortRange } from './port-range.js';
import { closeUdpPair, openUdpPair, type UdpPair } from './udp-pair.js';

export interface PlainTransportOptions {
  readonly address: SdpAddress;
  readonly bindAddress: string;
  readonly ports: PortRange;
  readonly latchWindowMs: number;
  readonly lane: PacketTaker;
  /** A packet came that is not of this call. */
  readonly stray: () => void;
  readonly log: Log;
  readonly clock: Clock;
}

/** Plain RTP and RTCP over two UDP ports: the PBX's side. */
export class PlainTransport implements EndTransport {
  readonly #rtpLatch: Latch;
  readonly #rtcpLatch: Latch;
  #opening: Promise<UdpPair> | undefined;
  #pair: UdpPair | undefined;
  #isClosed = false;

  constructor(private readonly options: PlainTransportOptions) {
    this.#rtpLatch = new Latch(options.latchWindowMs, options.clock);
    this.#rtcpLatch = new Latch(options.latchWindowMs, options.clock);
  }

  get isDown(): boolean {
    return false;
  }

  async prepareOffer(): Promise<LocalTransport> {
    const { ports } = await this.#open();
    return { profile: 'plain', address: this.options.address, rtpPort: ports.rtp, rtcpPort: ports.rtcp };
  }

  async reserve(): Promise<void> {
    await this.#open();
  }

  prepareAnswer(): Promise<LocalTransport> {
    return this.prepareOffer();
  }

  abandon(): void {
    // The ports are those of the offer and stay.
  }

  applyOffer(section: MediaSection): void {
    this.#aim(section);
  }

  applyAnswer(section: MediaSection): void {
    this.#aim(section);
  }

  reopen(): void {
    this.#rtpLatch.reopen();
    this.#rtcpLatch.reopen();
  }

  sendRtp(packet: Buffer): boolean {
    return this.#send(this.#pair?.rtp, this.#rtpLatch, packet);
  }

  sendRtcp(packet: Buffer): boolean {
    return this.#send(this.#pair?.rtcp, this.#rtcpLatch, packet);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#pair !== undefined) this.#release(this.#pair);
    this.#pair = undefined;
  }

  #aim(section: MediaSection): void {
    const { address, port, rtcp } = section;
    if (address === undefined) return;
    const { family } = this.options.address;
    this.#rtpLatch.aim(address.host, port, family);
    this.#rtcpLatch.aim(rtcpHost(section, family) ?? address.host, rtcp?.port ?? port + 1, family);
  }

  #open(): Promise<UdpPair> {
    this.#opening ??= this.#bind();
    return this.#opening;
  }

  async #bind(): Promise<UdpPair> {
    const { ports, bindAddress, address } = this.options;
    const pair = await openUdpPair(ports, bindAddress, address.family).catch((thrown: unknown) => {
      this.#opening = undefined;
      throw thrown;
    });
    if (this.#isClosed) {
      this.#release(pair);
      throw failure('media.failed', { detail: 'the media session was closed' });
    }
    this.#listen(pair.rtp, this.#rtpLatch);
    this.#listen(pair.rtcp, this.#rtcpLatch);
    this.#pair = pair;
    return pair;
  }

  #listen(socket: dgram.Socket, latch: Latch): void {
    const { lane, log, stray } = this.options;
    socket.on('message', (packet, source) => {
      if (latch.admits(source.address, source.port)) return lane.receive(packet);
      lane.refuse();
      stray();
    });
    socket.on('error', (error) => log.debug({ error: error.message }, 'a media packet could not be sent'));
  }

  #send(socket: dgram.Socket | undefined, latch: Latch, packet: Buffer): boolean {
    const { host, port } = latch;
    if (socket === undefined || host === undefined) return false;
    socket.send(packet, port, host);
    return true;
  }

  #release(pair: UdpPair): void {
    closeUdpPair(pair);
    this.options.ports.giveBack(pair.ports);
  }
}

/** The host of `a=rtcp`, when it names one that can be sent to. */
function rtcpHost({ rtcp }: MediaSection, family: AddressFamily): string | undefined {
  const host = rtcp?.address?.host;
  return host !== undefined && addressFamily(host) === family && !isGroupAddress(host) ? host : undefined;
}
