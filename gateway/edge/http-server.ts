import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { Socket, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../sip/clock.js';
import type { Log } from '../../sip/log.js';
import { ConnectionGuard, remoteOf } from './connection-guard.js';
import type { ConnectionCut, EdgeEvents } from '../telemetry/edge-events.js';
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
  readonly maxNewcomersPerAddress: () => number;
  /** Connections of all addresses that may be without a request at a time. */
  readonly maxNewcomers: () => number;
  /** Proxies in front may have as many as they want: they speak for many clients. */
  readonly isProxy: (address: string) => boolean;
  /** Longest wait for the whole of a request's head, as it is now. */
  readonly requestWithinMs: () => number;
  readonly events: Pick<EdgeEvents, 'connectionCut'>;
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
  /** `requestWithinMs` has changed. */
  renewPatience(): void;
  /** Shows another certificate to new connections; nothing without TLS. Throws when it cannot be used. */
  renew(certificate: TlsCertificate): void;
  /** Takes no new connection and ends those that carry no WebSocket; resolves when all are gone. Idempotent. */
  close(): Promise<void>;
}

/** A client that dribbles its request (slow loris), or does not read the answer, is cut off within these. */
function patience(requestWithinMs: number) {
  return {
    headersTimeout: requestWithinMs,
    requestTimeout: requestWithinMs * 2,
    timeout: requestWithinMs * 2,
  };
}

const settings = {
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16 * 1_024,
  noDelay: true,
};

/** What a request gets that cannot be read to its end, by Node's code of the error. */
const unreadable: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** Starts to listen for pages and upgrades. Rejects when the address cannot be bound. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { listen, clock, log, requestWithinMs } = options;
  const limited = { ...settings, ...patience(requestWithinMs()) };
  const secure =
    listen.tls === undefined ? undefined : createSecureServer({ ...limited, ...withMinimum(listen.tls) });
  const server: Server = secure ?? createServer(limited);
  server.timeout = limited.timeout;
  const { maxNewcomersPerAddress, maxNewcomers, isProxy } = options;
  const cut = (remote: string, cause: ConnectionCut): void => options.events.connectionCut({ remote, cause });
  const guard = new ConnectionGuard({
    clock,
    get firstRequestWithinMs() {
      return requestWithinMs();
    },
    get maxPerAddress() {
      return maxNewcomersPerAddress();
    },
    get maxInAll() {
      return maxNewcomers();
    },
    isProxy,
    cut,
  });
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
    renewPatience: () => void Object.assign(server, patience(requestWithinMs())),
    renew: (certificate) => secure?.setSecureContext(withMinimum(certificate)),
    close: () => (closing ??= closed(server, guard)),
  };
}

function withMinimum({ cert, key }: TlsCertificate) {
  return { cert, key, minVersion: 'TLSv1.2' } as const;
}

function serve(
  server: Server,
  guard: ConnectionGuard,
  { pages, upgrade, events, log }: HttpServerOptions,
): void {
  server.on('connection', (socket) => guard.admit(socket));
  server.on('clientError', (error: Error & { code?: string }, socket: Duplex) => {
    const { code = '' } = error;
    if (code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket instanceof Socket) {
      events.connectionCut({ remote: remoteOf(socket), cause: 'slow_request' });
    }
    if (!socket.writable) return void socket.destroy();
    socket.once('finish', () => socket.destroy());
    socket.end(`HTTP/1.1 ${unreadable[code] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`);
  });
  server.on('timeout', (socket: Socket) => {
    events.connectionCut({ remote: remoteOf(socket), cause: 'slow_reader' });
    socket.destroy();
  });
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
