import { once } from 'node:events';
import { WebSocket, type ClientOptions } from 'ws';
import {
  digestResponse,
  ha1,
  newBranch,
  newCallId,
  newTag,
  parseChallenge,
  parseMessage,
  serializeAuthorization,
  type SipResponse,
} from '../../sip/message/index.js';

export interface ClientIdentity {
  readonly user: string;
  readonly password: string;
  readonly domain?: string;
  /** With angle brackets. */
  readonly instanceId?: string;
  /** User part of the contact. */
  readonly contactUser?: string;
}

export interface RegisterOptions {
  readonly expires?: number;
  /** Replaces the Contact headers. */
  readonly contacts?: readonly string[];
  readonly headers?: readonly string[];
}

/** A SIP client on a real WebSocket that does just what a test tells it. */
export class WsSipClient {
  readonly received: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly callId = newCallId();
  readonly fromTag = newTag();
  readonly contactHost = `${newTag().slice(0, 12)}.invalid`;
  #cseq = 0;
  #waiting: (() => void)[] = [];
  #isClosed = false;

  private constructor(
    readonly socket: WebSocket,
    readonly identity: ClientIdentity,
  ) {
    socket.on('message', (data: Buffer) => {
      this.received.push(data.toString());
      for (const wake of this.#waiting.splice(0)) wake();
    });
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#isClosed = true;
        resolve({ code, reason: reason.toString() });
        for (const wake of this.#waiting.splice(0)) wake();
      });
    });
  }

  static async connect(url: string, identity: ClientIdentity, options?: ClientOptions): Promise<WsSipClient> {
    return WsSipClient.over(new WebSocket(url, 'sip', options), identity);
  }

  /** On a WebSocket that the test opens in its own way. */
  static async over(socket: WebSocket, identity: ClientIdentity): Promise<WsSipClient> {
    await once(socket, 'open');
    return new WsSipClient(socket, identity);
  }

  get aor(): string {
    return `sip:${this.identity.user}@${this.identity.domain ?? 'localhost'}`;
  }

  get contact(): string {
    const { user, contactUser = user, instanceId } = this.identity;
    const instance = instanceId === undefined ? '' : `;reg-id=1;+sip.instance="${instanceId}"`;
    return `<sip:${contactUser}@${this.contactHost};transport=ws>${instance}`;
  }

  send(data: string | Buffer, options: { binary?: boolean } = {}): void {
    this.socket.send(data, options);
  }

  /** The first message, from `since` on, that `wanted` says yes to. */
  async next(wanted: (text: string) => boolean = () => true, since = 0): Promise<string> {
    for (let at = since; ; at += 1) {
      while (at >= this.received.length) {
        if (this.#isClosed) throw new Error('the flow was closed while a message was awaited');
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      const text = this.received[at] ?? '';
      if (wanted(text)) return text;
    }
  }

  /** Text of a request of this client. `headers` replace the default ones of the same name. */
  request(
    method: string,
    uri: string,
    {
      headers = [],
      body = '',
      cseq = ++this.#cseq,
    }: { headers?: readonly string[]; body?: string; cseq?: number } = {},
  ): string {
    const given = new Set(headers.map((line) => line.slice(0, line.indexOf(':')).toLowerCase()));
    const defaults = [
      `Via: SIP/2.0/WS ${this.contactHost};branch=${newBranch()};rport`,
      'Max-Forwards: 70',
      `From: <${this.aor}>;tag=${this.fromTag}`,
      `To: <${this.aor}>`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${cseq} ${method}`,
      ...(method === 'REGISTER' ? [] : [`Contact: ${this.contact}`]),
    ].filter((line) => !given.has(line.slice(0, line.indexOf(':')).toLowerCase()));
    const length = `Content-Length: ${Buffer.byteLength(body)}`;
    return [`${method} ${uri} SIP/2.0`, ...defaults, ...headers, length, '', body].join('\r\n');
  }

  /** Sends a request and gives its final response. */
  async transact(text: string): Promise<SipResponse> {
    const since = this.received.length;
    const branch = /branch=([^;\s]+)/.exec(text)?.[1] ?? '';
    this.send(text);
    const answer = await this.next(
      (message) => message.includes(`branch=${branch}`) && /^SIP\/2\.0 [2-6]/.test(message),
      since,
    );
    return asResponse(answer);
  }

  registerText(options: RegisterOptions = {}, extra: readonly string[] = []): string {
    const contacts = options.contacts ?? [this.contact];
    const expires = options.expires === undefined ? [] : [`Expires: ${options.expires}`];
    const headers = [
      ...contacts.map((contact) => `Contact: ${contact}`),
      ...expires,
      ...(options.headers ?? []),
      ...extra,
    ];
    return this.request('REGISTER', this.registrarUri, { headers });
  }

  get registrarUri(): string {
    return `sip:${this.identity.domain ?? 'localhost'}`;
  }

  /** An Authorization or Proxy-Authorization line that answers the challenge in `response`. */
  authorize(
    response: SipResponse,
    method: string,
    uri: string,
    { nc = 1, password = this.identity.password, user = this.identity.user } = {},
  ): string {
    const ofProxy = response.headers.get('proxy-authenticate');
    const challenge = parseChallenge(ofProxy ?? response.headers.get('www-authenticate') ?? '');
    if (challenge === undefined) throw new Error(`no challenge in ${response.status} ${response.reason}`);
    const { realm, nonce, algorithm, opaque } = challenge;
    if (algorithm === undefined) throw new Error('unknown digest algorithm');
    const fields = {
      nonce,
      uri,
      algorithm,
      qop: 'auth',
      nc: nc.toString(16).padStart(8, '0'),
      cnonce: newTag(),
    };
    const answer = digestResponse({ ...fields, method, ha1: ha1(user, realm, password, algorithm) });
    const credentials = { ...fields, username: user, realm, response: answer, opaque };
    const name = ofProxy === undefined ? 'Authorization' : 'Proxy-Authorization';
    return `${name}: ${serializeAuthorization(credentials)}`;
  }

  /** REGISTER, 401, REGISTER; gives the second response. */
  async register(options: RegisterOptions = {}, login: { password?: string } = {}): Promise<SipResponse> {
    const challenged = await this.transact(this.registerText(options));
    if (challenged.status !== 401) return challenged;
    const authorization = this.authorize(challenged, 'REGISTER', this.registrarUri, login);
    return this.transact(this.registerText(options, [authorization]));
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    this.socket.close();
    await this.closed;
  }
}

export function asResponse(text: string): SipResponse {
  const message = parseMessage(Buffer.from(text), { framing: 'websocket' });
  if (message.kind !== 'response') throw new Error(`not a response: ${text}`);
  return message;
}
