import dgram from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { attribute, audioPort } from './media-session.js';
import { bindingRequest, bindingSuccess, isStun, stunClass, stunType, type BindingRequest } from './stun.js';

export interface IceAgentOptions {
  readonly ufrag: string;
  readonly pwd: string;
  /** `a=fingerprint` of its SDP. */
  readonly fingerprint: string;
}

/** Sent by an agent to itself: datagrams on loopback keep their order. */
const marker = Buffer.from('marker');

/** A UDP socket that speaks ICE by hand, to say what no well-behaved library would. */
export class IceAgent {
  /** What arrived and is not STUN. */
  readonly datagrams: Buffer[] = [];
  /** Types of the STUN messages that arrived, in order. */
  readonly stun: number[] = [];
  readonly #events = new EventEmitter();

  private constructor(
    private readonly socket: dgram.Socket,
    private readonly options: IceAgentOptions,
  ) {
    socket.on('message', (datagram, source) => {
      if (datagram.equals(marker)) {
        this.#events.emit('marker');
      } else if (!isStun(datagram)) {
        this.datagrams.push(datagram);
        this.#events.emit('datagram');
      } else {
        this.#takeStun(datagram, source);
      }
    });
  }

  static async start(options: IceAgentOptions): Promise<IceAgent> {
    const socket = dgram.createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new IceAgent(socket, options);
  }

  /** The offer of a browser that has this agent for its ICE. */
  offer(): string {
    const { port } = this.socket.address();
    return [
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      't=0 0',
      'a=group:BUNDLE 0',
      `m=audio ${port} UDP/TLS/RTP/SAVPF 0`,
      'c=IN IP4 127.0.0.1',
      'a=mid:0',
      'a=rtcp-mux',
      'a=setup:actpass',
      `a=ice-ufrag:${this.options.ufrag}`,
      `a=ice-pwd:${this.options.pwd}`,
      `a=fingerprint:sha-256 ${this.options.fingerprint}`,
      '',
    ].join('\r\n');
  }

  /** Sends a Binding request to the relay that wrote `sdp`. By default a right one. */
  check(sdp: string, wrong: BindingRequest = {}): void {
    const username = `${attribute(sdp, 'ice-ufrag') ?? ''}:${this.options.ufrag}`;
    const right = { username, password: attribute(sdp, 'ice-pwd') ?? '' };
    this.send(bindingRequest({ ...right, ...wrong }), audioPort(sdp));
  }

  send(datagram: Buffer, port: number): void {
    this.socket.send(datagram, port, '127.0.0.1');
  }

  /** Resolves when `count` STUN messages of that type have arrived. */
  async received(type: number, count: number): Promise<void> {
    while (this.stun.filter((one) => one === type).length < count) await once(this.#events, 'stun');
  }

  /** Resolves with the next datagram that is not STUN. */
  async datagram(): Promise<Buffer> {
    for (;;) {
      const datagram = this.datagrams.shift();
      if (datagram !== undefined) return datagram;
      await once(this.#events, 'datagram');
    }
  }

  /** Resolves when everything that was sent to this socket before has been read from it. */
  async drained(): Promise<void> {
    const read = once(this.#events, 'marker');
    this.send(marker, this.socket.address().port);
    await read;
  }

  close(): void {
    this.socket.close();
  }

  #takeStun(message: Buffer, { port, address }: AddressInfo): void {
    const type = stunType(message);
    if (type === stunClass.request) {
      this.socket.send(bindingSuccess(message, address, port, this.options.pwd), port, address);
    }
    this.stun.push(type);
    this.#events.emit('stun');
  }
}
