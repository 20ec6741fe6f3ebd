import type { IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import type { EdgeEvents, UpgradeRefusal } from '../telemetry/edge-events.js';
import type { ClientAddress } from './client-address.js';
import type { FlowOrigin } from './flow.js';
import type { FlowTable } from './flow-table.js';
import { remoteText } from './remote-text.js';
import { pathOf, upgradeToken, type UpgradeTokenOptions } from './upgrade-token.js';

export interface UpgradeOptions {
  /** Paths at which SIP is spoken. */
  readonly paths: readonly string[];
  /**
   * Origins (`https://phone.example.com`) whose pages may connect; `*` for all. When empty, only pages of this very host
   * may. A request without Origin does not come from a browser and is let in.
   */
  readonly origins: readonly string[];
  readonly maxFlows: number;
  readonly maxFlowsPerAddress: number;
  /** Flows that have not signed in. */
  readonly maxUnauthenticated: number;
  readonly maxUnauthenticatedPerAddress: number;
  /** False when the address opens WebSockets too fast. */
  takeConnect(address: string): boolean;
  /** Bytes of one WebSocket message. */
  readonly maxMessageBytes: number;
  readonly perMessageDeflate: boolean;
  readonly flows: FlowTable;
  readonly clients: ClientAddress;
  readonly events: Pick<EdgeEvents, 'upgradeRefused'>;
  /** Undefined: no domain takes tokens, and none is looked for. */
  readonly tokens: UpgradeTokenOptions | undefined;
  accept(socket: WebSocket, origin: FlowOrigin, token: string | undefined): void;
}

interface Refusal {
  readonly status: number;
  readonly cause: UpgradeRefusal;
  /** Sent as the body, in plain words. */
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Gate = (request: IncomingMessage, options: UpgradeOptions) => Refusal | undefined;

const websocketKey = /^[+/0-9A-Za-z]{22}==$/;
const closeTimeoutMs = 5_000;
const maxFragments = 64;
/** The flow counts what waits to be read, pongs too. */
const unlimited = 0;
const retryAfterSeconds = '5';

/** Lets WebSockets in that pass every gate, in order; the others get an HTTP answer that says why not. */
export class Upgrade {
  readonly #server: WebSocketServer;
  #mayReturn: (() => boolean) | undefined;

  constructor(private readonly options: UpgradeOptions) {
    const settings: ServerOptions & { closeTimeout: number; maxPendingAutoPongs: number } = {
      noServer: true,
      clientTracking: false,
      maxPayload: options.maxMessageBytes,
      maxFragments,
      maxPendingAutoPongs: unlimited,
      closeTimeout: closeTimeoutMs,
      perMessageDeflate: options.perMessageDeflate && {
        serverNoContextTakeover: true,
        clientNoContextTakeover: true,
      },
      handleProtocols: () => 'sip',
    };
    this.#server = new WebSocketServer(settings);
    this.#server.on('wsClientError', (error: Error, socket: Duplex, request: IncomingMessage) => {
      this.#refuse(request, socket, { status: 400, cause: 'handshake', detail: error.message });
    });
  }

  /** Refuses upgrades from now on, but while `mayReturn` says that somebody may come back to a call. */
  drain(mayReturn: () => boolean): void {
    this.#mayReturn = mayReturn;
  }

  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Without a listener a connection that breaks now would end the process.
    socket.on('error', () => socket.destroy());
    const isClosed = this.#mayReturn?.() === false;
    const refusal = isClosed ? draining : firstRefusal(request, this.options);
    if (refusal !== undefined) return this.#refuse(request, socket, refusal);
    const { tokens, clients } = this.options;
    const origin = clients.of(request);
    const token = tokens && upgradeToken(request, tokens);
    this.#server.handleUpgrade(request, socket, head, (webSocket) =>
      this.options.accept(webSocket, origin, token),
    );
  }

  #refuse(request: IncomingMessage, socket: Duplex, { status, cause, detail, headers }: Refusal): void {
    const lines = Object.entries({
      Connection: 'close',
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': String(Buffer.byteLength(detail)),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.once('finish', () => socket.destroy());
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${detail}`);
    const remote = remoteText(this.options.clients.of(request));
    this.options.events.upgradeRefused({ remote, status, cause, detail });
  }
}

const draining: Refusal = {
  status: 503,
  cause: 'draining',
  detail: 'webtrunk is being stopped',
  headers: { 'Retry-After': retryAfterSeconds },
};

const tooMany = { status: 429, headers: { 'Retry-After': retryAfterSeconds } } as const;

const checkPath: Gate = ({ url }, { paths }) => {
  if (paths.includes(pathOf(url))) return undefined;
  return { status: 404, cause: 'path', detail: `SIP over WebSocket is at ${paths.join(' and ')}` };
};

const checkMethod: Gate = ({ method }) =>
  method === 'GET'
    ? undefined
    : { status: 405, cause: 'method', detail: 'use GET', headers: { Allow: 'GET' } };

const checkHandshake: Gate = ({ headers, httpVersionMajor, httpVersionMinor }) => {
  if (httpVersionMajor === 1 && httpVersionMinor === 0) {
    return { status: 400, cause: 'handshake', detail: 'HTTP/1.1 is needed' };
  }
  if (headers.upgrade?.toLowerCase() !== 'websocket') {
    return { status: 400, cause: 'handshake', detail: 'Upgrade is not websocket' };
  }
  if (headers['sec-websocket-version'] !== '13') {
    const detail = 'Sec-WebSocket-Version 13 is needed';
    return { status: 426, cause: 'handshake', detail, headers: { 'Sec-WebSocket-Version': '13' } };
  }
  if (websocketKey.test(headers['sec-websocket-key'] ?? '')) return undefined;
  return { status: 400, cause: 'handshake', detail: 'Sec-WebSocket-Key is missing or malformed' };
};

const checkOrigin: Gate = ({ headers, socket }, { origins }) => {
  const { origin, host } = headers;
  if (origin === undefined || origins.includes('*') || origins.includes(origin.toLowerCase()))
    return undefined;
  const scheme = 'encrypted' in socket ? 'https' : 'http';
  if (origins.length === 0 && host !== undefined) {
    // A proxy in front may have taken TLS away, so the scheme may differ but the host may not.
    const own = origin.toLowerCase();
    if (own === `${scheme}://${host.toLowerCase()}` || own === `https://${host.toLowerCase()}`)
      return undefined;
  }
  return { status: 403, cause: 'origin', detail: 'this Origin is not allowed; see websocket.origins' };
};

/** RFC 7118 §4: the client offers `sip`, and nothing else will do. */
const checkSubprotocol: Gate = ({ headers }) => {
  const offered = headers['sec-websocket-protocol']?.split(',').map((protocol) => protocol.trim()) ?? [];
  if (offered.includes('sip')) return undefined;
  return { status: 400, cause: 'subprotocol', detail: 'Sec-WebSocket-Protocol must offer sip (RFC 7118)' };
};

const checkFlows: Gate = (_request, { flows, maxFlows }) =>
  flows.size < maxFlows ? undefined : { ...draining, cause: 'flow_limit', detail: 'too many connections' };

const checkAddress: Gate = (request, { flows, clients, maxFlowsPerAddress }) =>
  flows.countOf(clients.of(request).address) < maxFlowsPerAddress
    ? undefined
    : { ...tooMany, cause: 'address_limit', detail: 'too many connections from this address' };

const checkRate: Gate = (request, options) =>
  options.takeConnect(options.clients.of(request).address)
    ? undefined
    : { ...tooMany, cause: 'address_rate', detail: 'too many connections a minute from this address' };

const checkUnauthenticated: Gate = (
  request,
  { flows, clients, maxUnauthenticated, maxUnauthenticatedPerAddress: perAddress },
) => {
  if (flows.unauthenticatedOf(clients.of(request).address) >= perAddress) {
    const detail = 'too many connections from this address that have not signed in';
    return { ...tooMany, cause: 'address_unauthenticated', detail };
  }
  if (flows.unauthenticated < maxUnauthenticated) return undefined;
  return { ...draining, cause: 'unauthenticated', detail: 'too many connections that have not signed in' };
};

const gates: readonly Gate[] = [
  checkRate,
  checkPath,
  checkMethod,
  checkHandshake,
  checkOrigin,
  checkSubprotocol,
  checkFlows,
  checkAddress,
  checkUnauthenticated,
];

function firstRefusal(request: IncomingMessage, options: UpgradeOptions): Refusal | undefined {
  for (const gate of gates) {
    const refusal = gate(request, options);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
