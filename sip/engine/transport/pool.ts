import type { Clock, Timer } from '../../clock.js';
import type { Log } from '../../log.js';
import type { Channel, Endpoint, MessageSink, TransportName } from './channel.js';
import type { LocalIdentity } from './listener.js';
import { isWildcard, ownAddresses } from './local-address.js';
import { NoChannel } from './no-channel.js';
import { TcpListener, type TcpConnection } from './tcp.js';
import { UdpChannel, UdpListener } from './udp.js';

/** Connections without a message in either direction for this long are closed. */
const idleMs = 15 * 60_000;
const maxConnections = 10_000;

/** An address to listen on. */
export interface ListenAddress extends Endpoint {
  readonly transport: TransportName;
}

export interface PoolOptions {
  readonly listen: readonly ListenAddress[];
  readonly externalAddress: string | undefined;
  readonly sink: MessageSink;
  readonly log: Log;
  readonly clock: Clock;
}

const keyOf = (remote: Endpoint): string => `${remote.address}|${remote.port}`;

/** All sockets of the engine: finds or makes the channel to a peer. */
export class TransportPool {
  private readonly udp: UdpListener[] = [];
  private readonly tcp: TcpListener[] = [];
  /** By remote address; removed when the connection closes. */
  private readonly connections = new Map<string, TcpConnection>();
  private readonly order: LocalIdentity[] = [];
  private readonly sweep: Timer;

  private constructor(
    private readonly options: PoolOptions,
    private readonly externalAddress: string | undefined,
  ) {
    this.sweep = options.clock.every(idleMs, () => this.closeIdle());
  }

  /** Binds every address; rejects, with nothing left open, when one cannot be bound. */
  static async open(options: PoolOptions): Promise<TransportPool> {
    const pool = new TransportPool(options, options.externalAddress);
    try {
      for (const at of options.listen) await pool.bind(at);
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  get sink(): MessageSink {
    return this.options.sink;
  }

  get log(): Log {
    return this.options.log;
  }

  /** What is listened on, in the configured order, with real ports. */
  get local(): readonly ListenAddress[] {
    return this.order.map(({ transport, bound }) => ({ transport, ...bound }));
  }

  /** The same with the address that peers are told. */
  get advertised(): readonly ListenAddress[] {
    return this.local.map((at) => ({ ...at, address: this.externalAddress ?? at.address }));
  }

  /** The transport that is used when a URI names none: the first configured one. */
  get defaultTransport(): TransportName {
    return this.order[0]?.transport ?? 'udp';
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  /** Whether requests can be sent over that transport to an address of that family. */
  supports(transport: TransportName): boolean {
    return this.order.some((identity) => identity.transport === transport);
  }

  /** The channel of a request that has nowhere to go. */
  nowhere(transport: TransportName): Channel {
    const identity = this.order.find((entry) => entry.transport === transport) ?? this.order[0];
    return new NoChannel(transport, identity);
  }

  /** Whether that is one of our own listening addresses. */
  isSelf(transport: TransportName, to: Endpoint): boolean {
    return this.order.some(({ transport: name, bound }) => {
      if (name !== transport || bound.port !== to.port) return false;
      if (to.address === bound.address || to.address === this.externalAddress) return true;
      return isWildcard(bound.address) && ownAddresses().has(to.address);
    });
  }

  /**
   * The channel to a peer: over UDP a destination, through the socket of `near` when that is one; over TCP a live
   * connection or a new one. Undefined when nothing of that transport is listened on.
   */
  channelTo(transport: TransportName, to: Endpoint, near?: Channel): Channel | undefined {
    const family = to.address.includes(':') ? 6 : 4;
    if (transport === 'udp') {
      if (near instanceof UdpChannel && near.remote.address.includes(':') === to.address.includes(':'))
        return near.to(to);
      return (this.udp.find(({ identity }) => identity.family === family) ?? this.udp[0])?.channelTo(to);
    }
    const live = this.connections.get(keyOf(to));
    if (live?.isOpen === true) return live;
    return (this.tcp.find(({ identity }) => identity.family === family) ?? this.tcp[0])?.connectTo(to);
  }

  connectionOpened(connection: TcpConnection): void {
    if (this.connections.size >= maxConnections) {
      this.options.log.warn({ remote: connection.remote }, 'too many TCP connections: refused');
      connection.close();
      return;
    }
    this.connections.set(keyOf(connection.remote), connection);
  }

  connectionClosed(connection: TcpConnection): void {
    const key = keyOf(connection.remote);
    if (this.connections.get(key) === connection) this.connections.delete(key);
  }

  /** Closes every socket. Idempotent. */
  async close(): Promise<void> {
    this.sweep.cancel();
    for (const connection of [...this.connections.values()]) connection.close();
    await Promise.all([...this.udp, ...this.tcp].map((listener) => listener.close()));
  }

  private async bind(at: ListenAddress): Promise<void> {
    if (at.transport === 'udp') {
      const listener = await UdpListener.bind(at, this.externalAddress, this.options.sink, this.options.log);
      this.udp.push(listener);
      this.order.push(listener.identity);
      return;
    }
    const listener = await TcpListener.bind(at, this.externalAddress, this);
    this.tcp.push(listener);
    this.order.push(listener.identity);
  }

  private closeIdle(): void {
    for (const connection of [...this.connections.values()]) {
      if (connection.isIdle) connection.close();
      else connection.isIdle = true;
    }
  }
}
