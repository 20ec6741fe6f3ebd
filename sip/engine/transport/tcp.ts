import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../../log.js';
import { messageTrace } from '../../trace.js';
import { StreamFramer } from '../../message/index.js';
import type { Channel, Endpoint, MessageSink } from './channel.js';
import { LocalIdentity } from './listener.js';
import { traceMessage } from './message-trace.js';

/** More unsent bytes than this and the peer is taken for dead. */
const writeLimitBytes = 4 * 1024 * 1024;
const connectTimeoutMs = 10_000;
/** How long a closing connection may take to send what is left. */
const lingerMs = 1000;
const pong = Buffer.from('\r\n');

/** Who owns the connections. */
export interface ConnectionOwner {
  readonly sink: MessageSink;
  readonly log: Log;
  connectionClosed(connection: TcpConnection): void;
}

/** One TCP connection, made by us or by the peer (RFC 3261 §18.1.1, §18.3). */
export class TcpConnection implements Channel {
  readonly transport = 'tcp';
  readonly reliable = true;
  readonly remote: Endpoint;
  /** Set by every message in either direction; the pool closes connections that stay idle. */
  isIdle = false;
  private readonly framer = new StreamFramer();
  private readonly unsent = new Set<(error: Error) => void>();
  private open = true;

  constructor(
    private readonly socket: Socket,
    remote: Endpoint,
    private readonly identity: LocalIdentity,
    private readonly owner: ConnectionOwner,
  ) {
    this.remote = remote;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    socket.on('data', (chunk: Buffer) => this.take(chunk));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the connection is closed')));
  }

  get local(): Endpoint {
    return this.identity.localFor(this.remote.address);
  }

  get sentBy(): Channel['sentBy'] {
    return this.identity.sentByFor(this.remote.address);
  }

  get isOpen(): boolean {
    return this.open;
  }

  send(bytes: Buffer, failed?: (error: Error) => void): void {
    if (!this.open || this.socket.writableLength > writeLimitBytes) {
      this.close();
      failed?.(new Error('the connection is closed'));
      return;
    }
    this.isIdle = false;
    if (messageTrace.hasSubscribers && bytes !== pong) traceMessage('out', 'tcp', this.remote, bytes);
    if (failed === undefined) {
      this.socket.write(bytes);
      return;
    }
    this.unsent.add(failed);
    this.socket.write(bytes, () => this.unsent.delete(failed));
  }

  /** Closes at once; whatever was not sent is reported as failed. Idempotent. */
  close(): void {
    this.fail(new Error('the connection is closed'));
  }

  private take(chunk: Buffer): void {
    this.isIdle = false;
    for (const item of this.framer.push(chunk)) {
      if (!this.open) return;
      if (item.kind === 'message') this.owner.sink.received(item.bytes, this);
      else if (item.kind === 'ping') this.send(pong);
      else {
        this.owner.sink.unframed(item.failure, item.reply, this);
        this.close();
      }
    }
  }

  private fail(error: Error): void {
    if (!this.open) return;
    this.open = false;
    this.socket.setTimeout(lingerMs, () => this.socket.destroy());
    this.socket.destroySoon();
    this.owner.connectionClosed(this);
    const unsent = [...this.unsent];
    this.unsent.clear();
    for (const failed of unsent) failed(error);
  }
}

/** A listening TCP socket, and the maker of connections that go out under its name. */
export class TcpListener {
  private closed = false;

  private constructor(
    private readonly server: Server,
    readonly identity: LocalIdentity,
    private readonly bindAddress: string,
    private readonly owner: ConnectionOwner & { connectionOpened(connection: TcpConnection): void },
  ) {
    server.on('connection', (socket) => this.accept(socket));
    server.on('error', (error) => this.owner.log.warn({ err: error }, 'TCP listener error'));
  }

  /** Listens; rejects when the address cannot be bound. Port 0 picks a free one. */
  static async bind(
    at: Endpoint,
    externalAddress: string | undefined,
    owner: ConnectionOwner & { connectionOpened(connection: TcpConnection): void },
  ): Promise<TcpListener> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: at.address, port: at.port, backlog: 1024 }, () => {
        server.off('error', reject);
        resolve();
      });
    });
    const bound = server.address();
    const port = bound === null || typeof bound === 'string' ? at.port : bound.port;
    const identity = new LocalIdentity('tcp', { address: at.address, port }, externalAddress);
    return new TcpListener(server, identity, at.address, owner);
  }

  /** Opens a connection; messages sent before it is up wait, and fail when it does not come up. */
  connectTo(remote: Endpoint): TcpConnection {
    const local = this.identity.bound.address;
    const socket = connect({
      host: remote.address,
      port: remote.port,
      ...(this.identity.localFor(remote.address).address === local ? { localAddress: this.bindAddress } : {}),
    });
    socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error('the connection timed out')));
    socket.once('connect', () => socket.setTimeout(0));
    const connection = new TcpConnection(socket, remote, this.identity, this.owner);
    this.owner.connectionOpened(connection);
    return connection;
  }

  /** Stops accepting; open connections are the pool's. Idempotent. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private accept(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    if (this.closed || remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const remote = { address: remoteAddress.replace(/^::ffff:/, ''), port: remotePort };
    this.owner.connectionOpened(new TcpConnection(socket, remote, this.identity, this.owner));
  }
}
