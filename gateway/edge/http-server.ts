import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../sip/clock.js';
import type { Log } from '../../sip/log.js';
import { ConnectionGuard } from './connection-guard.js';
import { pathOf } from './upgrade-token.js';

/** Answers one HTTP request that is not an upgrade. */
export type PageHandler = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpListen {
  readonly address: string;
  /** 0 for any free port. */
  readonly port: number;
  /** PEM texts; with them the listener speaks TLS 1.2 or later. */
  readonly tls?: TlsCertificate;
}

/** PEM texts. */
export interface TlsCertificate {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

export interface HttpServerOptions {
  readonly listen: HttpListen;
  readonly pages: PageHandler;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
  /** Connections of one address that may be without a request at a time. */
  readonly maxNewcomersPerAddress: number;
  /** Proxies in front may have as many as they want: they speak for many clients. */
  readonly isProxy: (address: string) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** A listener that is up. */
export interface HttpServer {
  readonly secure: boolean;
  readonly address: string;
  /** The real port. */
  readonly port: number;
  /** Connections that have not sent a request yet. */
  readonly newcomers: number;
  /** Cuts connections that take too long for their first request; to be called about once a second. */
  sweep(): void;
  /** Shows another certificate to new connections; nothing without TLS. Throws when it cannot be used. */
  renew(certificate: TlsCertificate): void;
  /** Takes no new connection and ends those that carry no WebSocket; resolves when all are gone. Idempotent. */
  close(): Promise<void>;
}

const firstRequestWithinMs = 10_000;

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
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { listen, clock, log } = options;
  const secure =
    listen.tls === undefined ? undefined : createSecureServer({ ...settings, ...withMinimum(listen.tls) });
  const server: Server = secure ?? createServer(settings);
  const { maxNewcomersPerAddress: maxPerAddress, isProxy } = options;
  const guard = new ConnectionGuard({ clock, firstRequestWithinMs, maxPerAddress, isProxy });
  serve(server, guard, options);
  await bind(server, listen);
  server.on('error', (err) => log.error({ err, port: listen.port }, 'a connection could not be accepted'));
  const { address, port } = boundTo(server);
  let closing: Promise<void> | undefined;
  return {
    secure: secure !== undefined,
    address,
    port,
    get newcomers() {
      return guard.size;
    },
    sweep: () => guard.sweep(),
    renew: (certificate) => secure?.setSecureContext(withMinimum(certificate)),
    close: () => (closing ??= closed(server, guard)),
  };
}

function withMinimum({ cert, key }: TlsCertificate) {
  return { cert, key, minVersion: 'TLSv1.2' } as const;
}

function serve(server: Server, guard: ConnectionGuard, { pages, upgrade, log }: HttpServerOptions): void {
  server.on('connection', (socket) => guard.admit(socket));
  server.on('request', (request, response) => {
    guard.release(request.socket);
    try {
      pages(request, response);
    } catch (err) {
      log.error({ err, path: pathOf(request.url) }, 'a page could not be served');
      if (!response.headersSent) response.writeHead(500);
      response.end();
    }
  });
  server.on('upgrade', (request, socket, head) => {
    guard.release(request.socket);
    upgrade(request, socket, head);
  });
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

function closed(server: Server, guard: ConnectionGuard): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    guard.close();
    server.closeAllConnections();
  });
}
