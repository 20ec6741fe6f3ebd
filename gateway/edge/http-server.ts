import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** Answers one HTTP request that is not an upgrade. */
export type PageHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpListen {
  readonly address: string;
  /** 0 for any free port. */
  readonly port: number;
  /** PEM texts; with them the listener speaks TLS 1.2 or later. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
}

export interface HttpServerOptions {
  readonly listen: HttpListen;
  readonly pages: PageHandler;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** A listener that is up. */
export interface HttpServer {
  readonly secure: boolean;
  readonly address: string;
  /** The real port. */
  readonly port: number;
  /** Takes no new connection and ends those that carry no WebSocket; resolves when all are gone. Idempotent. */
  close(): Promise<void>;
}

const settings = {
  // A client that dribbles its request (slow loris) is cut off within these.
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16 * 1_024,
  noDelay: true,
};

/** Starts to listen for pages and upgrades. Rejects when the address cannot be bound. */
export async function startHttpServer({ listen, pages, upgrade }: HttpServerOptions): Promise<HttpServer> {
  const server: Server =
    listen.tls === undefined
      ? createServer(settings)
      : createSecureServer({ ...settings, ...listen.tls, minVersion: 'TLSv1.2' });
  server.on('request', pages);
  server.on('upgrade', upgrade);
  await bind(server, listen);
  const { address, port } = boundTo(server);
  let closing: Promise<void> | undefined;
  return {
    secure: listen.tls !== undefined,
    address,
    port,
    close: () => (closing ??= closed(server)),
  };
}

function bind(server: Server, { address, port }: HttpListen): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function boundTo(server: Server): AddressInfo {
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new TypeError('the listener has no port');
  return bound;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
