import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import type { Endpoint } from './channel.js';
import { LocalIdentity } from './listener.js';
import { connectTimeoutMs, StreamConnection, type ConnectionOwner } from './stream-connection.js';
import { listenOn, localAddressFor, remoteOf, type StreamListener } from './stream-listener.js';
import type { TlsTrust } from './tls-trust.js';

/** SIP over TLS (RFC 3261 §26.2.1, RFC 5922). */
export class TlsListener implements StreamListener {
  private closed = false;

  private constructor(
    private readonly server: Server,
    readonly identity: LocalIdentity,
    private readonly bindAddress: string,
    private readonly trust: TlsTrust,
    private readonly owner: ConnectionOwner,
  ) {
    const { log } = owner;
    server.on('secureConnection', (socket) => this.accept(socket));
    server.on('error', (error: Error) => log.warn({ err: error }, 'TLS listener error'));
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      log.info({ remote: remoteOf(socket), reason: error.message }, 'a TLS handshake with a peer failed');
    });
  }

  /** Listens; rejects when the address cannot be bound or the certificate cannot be used. Port 0 picks a free one. */
  static async bind(
    at: Endpoint,
    externalAddress: string | undefined,
    trust: TlsTrust,
    owner: ConnectionOwner,
  ): Promise<TlsListener> {
    const server = createServer({ ...trust.listenerOptions, handshakeTimeout: connectTimeoutMs });
    const port = await listenOn(server, at);
    const identity = new LocalIdentity('tls', { address: at.address, port }, externalAddress);
    return new TlsListener(server, identity, at.address, trust, owner);
  }

  /** Shows the renewed certificate to new connections. Throws when it cannot be used. */
  renew(): void {
    this.server.setSecureContext(this.trust.listenerOptions);
  }

  connectTo(remote: Endpoint, name: string): StreamConnection {
    const { address, port } = remote;
    const from = localAddressFor(remote, this.identity, this.bindAddress);
    const socket = connect({ host: address, port, ...from, ...this.trust.connectionOptions(name) });
    socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error('the connection timed out')));
    const connection = this.own(socket, remote, name);
    const failed = ({ message }: Error): void =>
      this.owner.log.warn({ remote, name, reason: message }, 'a TLS connection failed');
    socket.once('secureConnect', () => {
      socket.setTimeout(0);
      const refusal = this.trust.refusal(name, socket);
      if (refusal === undefined) return connection.release();
      failed(refusal);
      connection.close(refusal);
    });
    socket.once('error', failed);
    return connection;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private accept(socket: TLSSocket): void {
    const remote = remoteOf(socket);
    if (this.closed || remote === undefined) {
      socket.destroy();
      return;
    }
    this.own(socket, remote, undefined);
  }

  /** What we open is held until the peer has proved its name. */
  private own(socket: TLSSocket, remote: Endpoint, verifiedName: string | undefined): StreamConnection {
    const { identity, owner } = this;
    const isHeld = verifiedName !== undefined;
    const parts = { transport: 'tls', socket, remote, verifiedName, isHeld, identity, owner } as const;
    const connection = new StreamConnection(parts);
    owner.connectionOpened(connection);
    return connection;
  }
}
