import type { Clock, Timer } from '../../clock.js';
import type { Log } from '../../log.js';
import type { OwnTransports } from '../resolve/next-hops.js';
import type { Channel, Endpoint, MessageSink, TransportName } from './channel.js';
import { LocalIdentity } from './listener.js';
import { addressTowards, isWildcard, ownAddresses } from './local-address.js';
import { NoChannel } from './no-channel.js';
import { RehearsedChannel, type Rehearsal } from './rehearsed-channel.js';
import { connectionKey, type ConnectionOwner, type StreamConnection } from './stream-connection.js';
import type { StreamListener } from './stream-listener.js';
import { TcpListener } from './tcp.js';
import { TlsListener } from './tls.js';
import { TlsTrust, type TlsSettings } from './tls-trust.js';
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
  /** Needed to listen on TLS, and to send over it. */
  readonly tls: TlsSettings | undefined;
  /** When given nothing is bound and nothing is sent: it gets what would be. */
  readonly rehearsal?: Rehearsal | undefined;
  readonly sink: MessageSink;
  readonly log: Log;
  readonly clock: Clock;
}

/** All sockets of the engine: finds or makes the channel to a peer. */
export class TransportPool implements ConnectionOwner, OwnTransports {
  private readonly udp: UdpListener[] = [];
  private readonly tcp: TcpListener[] = [];
  private readonly tls: TlsListener[] = [];
  private readonly trust: TlsTrust | undefined;
  /** By {@link connectionKey}; removed when the connection closes. */
  private readonly connections = new Map<string, StreamConnection>();
  private readonly order: LocalIdentity[] = [];
  /** Our address by that of the peer, with several listeners; emptied now and then, as addresses change. */
  private readonly towards = new Map<string, string>();
  private readonly sweep: Timer;

  private constructor(
    private readonly options: PoolOptions,
    private readonly externalAddress: string | undefined,
  ) {
    if (options.tls !== undefined) this.trust = new TlsTrust(options.tls);
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
    return this.order.map(({ transport, bound, externalAddress }) => ({
      transport,
      address: externalAddress ?? bound.address,
      port: bound.port,
    }));
  }

  /** The transport that is used when a URI names none: the first configured one. */
  get defaultTransport(): TransportName {
    return this.order[0]?.transport ?? 'udp';
  }

  get connectionCount(): number {
    return this.connections.size;
  }

  /** The transports that we speak, in the configured order. */
  get names(): readonly TransportName[] {
    return [...new Set(this.order.map(({ transport }) => transport))];
  }

  /** Whether requests can be sent over that transport. */
  supports(transport: TransportName): boolean {
    return this.order.some((identity) => identity.transport === transport);
  }

  /** Whether requests can be sent over that transport to an address of that family. */
  reaches(transport: TransportName, family: 4 | 6): boolean {
    return this.order.some((identity) => identity.transport === transport && identity.family === family);
  }

  /** The channel of a request that has nowhere to go. */
  nowhere(transport: TransportName): Channel {
    const identity = this.order.find((entry) => entry.transport === transport) ?? this.order[0];
    return new NoChannel(transport, identity);
  }

  /** Whether that is one of our own listening addresses. */
  isSelf(transport: TransportName, to: Endpoint): boolean {
    return this.order.some(({ transport: name, bound, externalAddress }) => {
      if (name !== transport || bound.port !== to.port) return false;
      if (to.address === bound.address || to.address === externalAddress) return true;
      return isWildcard(bound.address) && ownAddresses().has(to.address);
    });
  }

  /**
   * The channel to a peer: over UDP a destination, through the socket of `near` when that is one; over TCP and TLS a live
   * connection or a new one, over TLS to a peer that proves to be `name`. Undefined when nothing of that transport is
   * listened on.
   */
  channelTo(transport: TransportName, to: Endpoint, name: string, near?: Channel): Channel | undefined {
    const { rehearsal } = this.options;
    if (rehearsal !== undefined) return this.rehearsed(transport, to, rehearsal);
    if (transport !== 'udp') return this.connectionTo(transport, to, name);
    if (near instanceof UdpChannel && near.remote.address.includes(':') === to.address.includes(':'))
      return near.to(to);
    return this.nearest(this.udp, to)?.channelTo(to);
  }

  /**
   * Uses another certificate, other authorities and pins for new connections; those that are up stay. Throws when they
   * cannot be used: then the old ones stay in force.
   */
  renewTls(settings: TlsSettings): void {
    const { trust } = this;
    if (trust === undefined) throw new Error('TLS was not configured at start');
    const before = trust.renew(settings);
    try {
      for (const listener of this.tls) listener.renew();
    } catch (error) {
      trust.renew(before);
      for (const listener of this.tls) listener.renew();
      throw error;
    }
  }

  connectionOpened(connection: StreamConnection): void {
    if (this.connections.size >= maxConnections) {
      this.options.log.warn({ remote: connection.remote }, 'too many connections: refused');
      connection.close();
      return;
    }
    this.connections.set(connection.key, connection);
  }

  connectionClosed(connection: StreamConnection): void {
    if (this.connections.get(connection.key) === connection) this.connections.delete(connection.key);
  }

  /** Closes every socket. Idempotent. */
  async close(): Promise<void> {
    this.sweep.cancel();
    for (const connection of [...this.connections.values()]) connection.close();
    await Promise.all([...this.udp, ...this.tcp, ...this.tls].map((listener) => listener.close()));
  }

  private connectionTo(transport: 'tcp' | 'tls', to: Endpoint, name: string): Channel | undefined {
    const live = this.connections.get(connectionKey(transport, to, transport === 'tls' ? name : undefined));
    if (live?.isOpen === true) return live;
    const listeners: readonly StreamListener[] = this[transport];
    return this.nearest(listeners, to)?.connectTo(to, name);
  }

  private rehearsed(transport: TransportName, to: Endpoint, rehearsal: Rehearsal): Channel | undefined {
    const able = this.order.filter((entry) => entry.transport === transport);
    const nearest = this.nearest(
      able.map((identity) => ({ identity })),
      to,
    );
    return nearest && new RehearsedChannel(transport, nearest.identity, to, rehearsal);
  }

  private async bind(at: ListenAddress): Promise<void> {
    this.order.push((await this.listenerOn(at)).identity);
  }

  private async listenerOn(at: ListenAddress): Promise<{ readonly identity: LocalIdentity }> {
    const { externalAddress, options, trust } = this;
    if (options.rehearsal !== undefined) {
      return { identity: new LocalIdentity(at.transport, at, externalAddress) };
    }
    if (at.transport === 'udp') {
      const listener = await UdpListener.bind(at, externalAddress, options.sink, options.log);
      this.udp.push(listener);
      return listener;
    }
    if (at.transport === 'tcp') {
      const listener = await TcpListener.bind(at, externalAddress, this);
      this.tcp.push(listener);
      return listener;
    }
    if (trust === undefined) throw new Error('TLS needs a certificate');
    const listener = await TlsListener.bind(at, externalAddress, trust, this);
    this.tls.push(listener);
    return listener;
  }

  /** Of several listeners that which the peer is reached from; else any of its address family. */
  private nearest<Listener extends { readonly identity: LocalIdentity }>(
    listeners: readonly Listener[],
    { address }: Endpoint,
  ): Listener | undefined {
    if (listeners.length < 2) return listeners[0];
    const family = address.includes(':') ? 6 : 4;
    const able = listeners.filter(({ identity }) => identity.family === family);
    if (able.length < 2) return able[0] ?? listeners[0];
    const own = this.addressTowards(address);
    return able.find(({ identity }) => identity.bound.address === own) ?? able[0];
  }

  private addressTowards(remote: string): string {
    const known = this.towards.get(remote);
    if (known !== undefined) return known;
    if (this.towards.size >= 256) this.towards.clear();
    const found = addressTowards(remote);
    this.towards.set(remote, found);
    return found;
  }

  private closeIdle(): void {
    this.towards.clear();
    for (const connection of [...this.connections.values()]) {
      if (connection.isIdle) connection.close();
      else connection.isIdle = true;
    }
  }
}
