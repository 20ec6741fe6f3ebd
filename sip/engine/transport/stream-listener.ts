import type { Server, Socket } from 'node:net';
import type { Endpoint } from './channel.js';
import type { LocalIdentity } from './listener.js';
import type { StreamConnection } from './stream-connection.js';

/** A listening TCP or TLS socket, and the maker of connections that go out under its name. */
export interface StreamListener {
  readonly identity: LocalIdentity;
  /**
   * Opens a connection; messages sent before it is up wait, and fail when it does not come up. `name` is who the peer
   * has to prove to be over TLS.
   */
  connectTo(remote: Endpoint, name: string): StreamConnection;
  /** Stops accepting; open connections are the pool's. Idempotent. */
  close(): Promise<void>;
}

/** Listens; resolves with the port, rejects when the address cannot be bound. Port 0 picks a free one. */
export async function listenOn(server: Server, at: Endpoint): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: at.address, port: at.port, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const bound = server.address();
  return bound === null || typeof bound === 'string' ? at.port : bound.port;
}

/** The peer of an accepted socket; undefined when it has gone already. */
export function remoteOf({ remoteAddress, remotePort }: Socket): Endpoint | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return { address: remoteAddress.replace(/^::ffff:/, ''), port: remotePort };
}

/** The address to connect from: that of the listener, unless the peer is not reached from it. */
export function localAddressFor(
  remote: Endpoint,
  identity: LocalIdentity,
  bindAddress: string,
): { localAddress?: string } {
  return identity.localFor(remote.address).address === identity.bound.address
    ? { localAddress: bindAddress }
    : {};
}
