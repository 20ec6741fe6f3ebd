import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  createRequest,
  newBranch,
  newCallId,
  newTag,
  parseMessage,
  respond,
  serializeText,
  type RespondOptions,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../sip/message/index.js';

const pagesFolder = fileURLToPath(new URL('../../web/', import.meta.url));
const contentTypes: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  svg: 'image/svg+xml',
};
/** What the strictest server would send: the page must live with it. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type Fields = Readonly<Record<string, string>>;

/** A request of the page and how to answer it. */
export interface ServedRequest {
  readonly request: SipRequest;
  readonly body: string;
  readonly reply: (status: number, options?: RespondOptions) => void;
}

/**
 * Serves the softphone page and speaks SIP to it exactly as a test says: what a real server does in a year, in a second.
 * Users may sign in with the password `right`, by default.
 */
export class ScriptedServer {
  /** Answers a REGISTER; may be replaced by a test. */
  onRegister = (served: ServedRequest): void => this.acceptRegister(served);
  onInvite: (served: ServedRequest) => void = ({ reply }) => reply(404);
  /** Any other request, ACK included. */
  onOther: (served: ServedRequest) => void = ({ request, reply }) => {
    if (request.method !== 'ACK') reply(200);
  };
  readonly requests: SipRequest[] = [];
  private readonly http: Server;
  private readonly sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'sip' });
  private readonly waiting = new Map<string, (response: SipResponse) => void>();
  private port = 0;

  private constructor() {
    this.http = createServer((request, response) => void this.serve(request, response));
    this.http.on('upgrade', (request, socket, head) => {
      this.sockets.handleUpgrade(request, socket, head, (webSocket) => this.attach(webSocket));
    });
  }

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer();
    await server.listen();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Number of connections that pages hold. */
  get size(): number {
    return this.sockets.clients.size;
  }

  /** Takes connections again, on the port from before. */
  async listen(): Promise<void> {
    this.http.listen(this.port, '127.0.0.1');
    await once(this.http, 'listening');
    this.port = (this.http.address() as AddressInfo).port;
  }

  /** Closes every WebSocket with this code, as an operator or a crash would (1006: without a word). */
  dropSockets(code: number): void {
    for (const socket of this.sockets.clients) {
      if (code === 1006) socket.terminate();
      else socket.close(code);
    }
  }

  /** Lets every WebSocket hang: nothing is read, written or closed any more. */
  freezeSockets(): void {
    for (const socket of this.sockets.clients) socket.pause();
  }

  /** Stops listening and ends every connection. */
  async close(): Promise<void> {
    this.dropSockets(1006);
    this.http.closeAllConnections();
    if (!this.http.listening) return;
    this.http.close();
    await once(this.http, 'close');
  }

  /** Accepts the REGISTER when it carries digest credentials, else asks for them. */
  acceptRegister({ request, reply }: ServedRequest): void {
    if (!request.headers.has('Authorization')) {
      reply(401, {
        headers: [['WWW-Authenticate', 'Digest realm="localhost", nonce="0123456789", qop="auth"']],
      });
      return;
    }
    const contact = request.headers.get('Contact') ?? '';
    reply(200, { headers: [['Contact', contact]] });
  }

  /** Sends a request to the page, and gives its final response. */
  call(method: string, requestUri: string, fields: Fields, body = ''): Promise<SipResponse> {
    return this.send(this.request(method, requestUri, fields, body));
  }

  /** Calls the page's user: sends an INVITE with this offer. */
  invite(caller: string, offer: string): { request: SipRequest; final: Promise<SipResponse> } {
    const fields = { From: `${caller};tag=${newTag()}`, To: '<sip:alice@localhost>' };
    const request = this.request('INVITE', this.contactUri(), fields, offer);
    return { request, final: this.send(request) };
  }

  /** Cancels a call that {@link invite} made, with the transaction's own branch (RFC 3261 §9.1). */
  cancel({ headers, requestUri, callId, cseq }: SipRequest, reason?: string): void {
    const fields = {
      Via: headers.get('Via') ?? '',
      From: headers.get('From') ?? '',
      To: headers.get('To') ?? '',
      'Call-ID': callId,
      CSeq: `${cseq.number} CANCEL`,
      ...(reason === undefined ? {} : { Reason: reason }),
    };
    this.sendText(serializeText(this.request('CANCEL', requestUri, fields, '')));
  }

  /** Sends the ACK for a 2xx of the page (RFC 3261 §13.2.2.4). */
  acknowledge({ headers, callId, cseq }: SipResponse): void {
    const fields = {
      From: headers.get('From') ?? '',
      To: headers.get('To') ?? '',
      'Call-ID': callId,
      CSeq: `${cseq.number} ACK`,
    };
    this.sendText(serializeText(this.request('ACK', this.contactUri(), fields, '')));
  }

  /** The contact that the page has registered last. */
  contactUri(): string {
    const register = this.requests.filter((request) => request.method === 'REGISTER').at(-1);
    return /<([^>]+)>/.exec(register?.headers.get('Contact') ?? '')?.[1] ?? 'sip:nobody@invalid';
  }

  sendText(text: string): void {
    for (const socket of this.sockets.clients) socket.send(text);
  }

  private request(method: string, requestUri: string, fields: Fields, body: string): SipRequest {
    const headers: Record<string, string> = {
      Via: `SIP/2.0/WS 127.0.0.1:${this.port};branch=${newBranch()}`,
      'Max-Forwards': '70',
      'Call-ID': newCallId(),
      CSeq: `1 ${method}`,
      Contact: `<sip:127.0.0.1:${this.port};transport=ws>`,
      ...fields,
      ...(body === '' ? {} : { 'Content-Type': 'application/sdp' }),
    };
    return createRequest({ method, requestUri, headers: Object.entries(headers), body });
  }

  private send(request: SipRequest): Promise<SipResponse> {
    this.sendText(serializeText(request));
    const { callId, cseq } = request;
    return new Promise((resolve) => this.waiting.set(`${callId} ${cseq.number} ${cseq.method}`, resolve));
  }

  private attach(socket: WebSocket): void {
    socket.on('message', (data: Buffer) => this.received(socket, data));
    socket.on('error', () => undefined);
  }

  private received(socket: WebSocket, data: Buffer): void {
    if (data.toString() === '\r\n\r\n') {
      socket.send('\r\n');
      return;
    }
    const message = parseMessage(data) as SipMessage;
    if (message.kind === 'response') this.settle(message);
    if (message.kind === 'request') this.dispatch(socket, message);
  }

  private settle(response: SipResponse): void {
    if (response.status < 200) return;
    const key = `${response.callId} ${response.cseq.number} ${response.cseq.method}`;
    this.waiting.get(key)?.(response);
    this.waiting.delete(key);
  }

  private dispatch(socket: WebSocket, request: SipRequest): void {
    this.requests.push(request);
    const served: ServedRequest = {
      request,
      body: request.body.toString(),
      reply: (status, options) => {
        if (socket.readyState === socket.OPEN) socket.send(serializeText(respond(request, status, options)));
      },
    };
    if (request.method === 'REGISTER') this.onRegister(served);
    else if (request.method === 'INVITE') this.onInvite(served);
    else this.onOther(served);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('Content-Security-Policy', policy);
    const path = request.url ?? '/';
    if (path === '/config.json') {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ domain: 'localhost', websocketPath: '/ws', iceServers: [] }));
      return;
    }
    if (path === '/blank') {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>far end</title>');
      return;
    }
    const file = path === '/' ? 'phone/index.html' : path.slice(1);
    try {
      const content = await readFile(pagesFolder + file);
      response.setHeader(
        'Content-Type',
        contentTypes[file.split('.').pop() ?? ''] ?? 'application/octet-stream',
      );
      response.end(content);
    } catch {
      response.statusCode = 404;
      response.end();
    }
  }
}
