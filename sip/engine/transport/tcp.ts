import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from './channel.js';
import { LocalIdentity } from './listener.js';
import { connectTimeoutMs, StreamConnection, type ConnectionOwner } from './stream-connection.js';
import { listenOn, localAddressFor, remoteOf, type StreamListener } from './stream-listener.js';

/** SIP over TCP (RFC 3261 §18). */
export class TcpListener implements StreamListener {
  private closed = false;

  private constructor(
    private readonly server: Server,
    readonly identity: LocalIdentity,
    private readonly bindAddress: string,
    private readonly owner: ConnectionOwner,
  ) {
    server.on('connection', (socket) => this.accept(socket));
    server.on('error', (error) => this.owner.log.warn({ err: error }, 'TCP listener error'));
  }

  /** Listens; rejects when the address cannot be bound. Port 0 picks a free one. */
  static async bind(
    at: Endpoint,
    externalAddress: string | undefined,
    owner: ConnectionOwner,
  ): Promise<TcpListener> {
    const server = createServer({ noDelay: true });
    const port = await listenOn(server, at);
    const identity = new LocalIdentity('tcp', { address: at.address, port }, externalAddress);
    return new TcpListener(server, identity, at.address, owner);
  }

  connectTo(remote: Endpoint): StreamConnection {
    const { address, port } = remote;
    const from = localAddressFor(remote, this.identity, this.bindAddress);
    const socket = connect({ host: address, port, ...from });
    socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error('the connection timed out')));
    socket.once('connect', () => socket.setTimeout(0));
    return this.own(socket, remote);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private accept(socket: Socket): void {
    const remote = remoteOf(socket);
    if (this.closed || remote === undefined) {
      socket.destroy();
      return;
    }
    this.own(socket, remote);
  }

  private own(socket: Socket, remote: Endpoint): StreamConnection {
    const { identity, owner } = this;
    const connection = new StreamConnection({ transport: 'tcp', socket, remote, identity, owner });
    owner.connectionOpened(connection);
    return connection;
  }
}
