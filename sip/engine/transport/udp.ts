import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Log } from '../../log.js';
import { messageTrace } from '../../trace.js';
import type { Channel, Endpoint, MessageSink } from './channel.js';
import { LocalIdentity } from './listener.js';
import { traceMessage } from './message-trace.js';

const socketBufferBytes = 4 * 1024 * 1024;

/** One UDP socket and one destination. */
export class UdpChannel implements Channel {
  readonly transport = 'udp';
  readonly reliable = false;

  constructor(
    private readonly listener: UdpListener,
    readonly remote: Endpoint,
  ) {}

  get local(): Endpoint {
    return this.listener.identity.localFor(this.remote.address);
  }

  get sentBy(): Channel['sentBy'] {
    return this.listener.identity.sentByFor(this.remote.address);
  }

  get isOpen(): boolean {
    return this.listener.isOpen;
  }

  /** The way to another peer through the same socket. */
  to(remote: Endpoint): UdpChannel {
    return new UdpChannel(this.listener, remote);
  }

  send(bytes: Buffer, failed?: (error: Error) => void): void {
    this.listener.send(bytes, this.remote, failed);
  }
}

/** A UDP socket that receives and sends SIP (RFC 3261 §18.1.1, §18.2.1). */
export class UdpListener {
  readonly identity: LocalIdentity;
  private open = true;

  private constructor(
    private readonly socket: Socket,
    externalAddress: string | undefined,
    private readonly sink: MessageSink,
    private readonly log: Log,
  ) {
    const { address, port } = socket.address();
    this.identity = new LocalIdentity('udp', { address, port }, externalAddress);
    socket.on('message', (bytes, source) => this.take(bytes, source));
    socket.on('error', (error) => this.log.warn({ err: error }, 'UDP socket error'));
  }

  /** Binds the socket; rejects when the address cannot be bound. Port 0 picks a free one. */
  static async bind(
    at: Endpoint,
    externalAddress: string | undefined,
    sink: MessageSink,
    log: Log,
  ): Promise<UdpListener> {
    const socket = createSocket({
      type: isIPv6(at.address) ? 'udp6' : 'udp4',
      recvBufferSize: socketBufferBytes,
      sendBufferSize: socketBufferBytes,
      // Destinations are always numeric here, so the lookup that node:dgram makes for each send is cut short.
      lookup: (host, _options, done) => done(null, host, host.includes(':') ? 6 : 4),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(at.port, at.address, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    return new UdpListener(socket, externalAddress, sink, log);
  }

  get isOpen(): boolean {
    return this.open;
  }

  /** The way to one peer through this socket. */
  channelTo(remote: Endpoint): Channel {
    return new UdpChannel(this, remote);
  }

  send(bytes: Buffer, to: Endpoint, failed?: (error: Error) => void): void {
    if (!this.open) {
      failed?.(new Error('the UDP socket is closed'));
      return;
    }
    if (messageTrace.hasSubscribers) traceMessage('out', 'udp', to, bytes);
    this.socket.send(bytes, to.port, to.address, (error) => {
      if (error === null) return;
      this.log.debug({ err: error, remote: to }, 'datagram not sent');
      failed?.(error);
    });
  }

  /** Stops receiving; resolves when the socket is closed. Idempotent. */
  async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }

  private take(bytes: Buffer, source: RemoteInfo): void {
    if (isKeepAlive(bytes)) return;
    this.sink.received(bytes, new UdpChannel(this, { address: source.address, port: source.port }));
  }
}

/** Line ends or zero bytes alone: sent only to keep a NAT binding (RFC 5626 §4.4.1 forbids an answer over UDP). */
function isKeepAlive(bytes: Buffer): boolean {
  if (bytes.length > 4) return false;
  return bytes.every((byte) => byte === 13 || byte === 10 || byte === 0);
}
