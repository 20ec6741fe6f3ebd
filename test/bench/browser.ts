import { WebSocket } from 'ws';
import {
  bodyText,
  digestResponse,
  ha1,
  newBranch,
  newCallId,
  newTag,
  parseChallenge,
  parseMessage,
  respond,
  serializeAuthorization,
  serializeText,
  serializeUri,
  tagOf,
  parseNameAddr,
  type SipRequest,
  type SipResponse,
} from '../../sip/message/index.js';
import { domain, passwordOf } from './target.js';

/** What becomes of one call, as seen by the caller. */
export interface CallWatcher {
  ringing(): void;
  /** After the 200 to BYE. */
  ended(): void;
  failed(why: string): void;
}

interface OwnCall {
  readonly callee: string;
  readonly watcher: CallWatcher;
  hasRung: boolean;
}

type Done = (failure?: string) => void;

/** A browser of the load generator: signs in, calls and answers as fast as it can. */
export class Browser {
  private readonly aor: string;
  private readonly contact: string;
  private readonly credential: string;
  private readonly registerCallId = newCallId();
  private readonly registerTag = newTag();
  private cseq = 0;
  private registering: Done | undefined;
  private hasCredentials = false;
  private readonly calls = new Map<string, OwnCall>();
  private pairing: (() => void) | undefined;

  private constructor(
    readonly user: string,
    private readonly socket: WebSocket,
    private readonly answerSdp: string,
  ) {
    this.aor = `sip:${user}@${domain}`;
    this.contact = `<sip:${user}@${user}.invalid;transport=ws>`;
    this.credential = ha1(user, domain, passwordOf(user));
    socket.on('message', (data: Buffer) => this.receive(data));
    socket.on('error', () => this.registering?.('socket error'));
  }

  /** Opens the WebSocket; `opened` is called once. */
  static open(
    url: string,
    user: string,
    answerSdp: string,
    opened: (browser: Browser | undefined) => void,
  ): void {
    const socket = new WebSocket(url, 'sip', { perMessageDeflate: false, rejectUnauthorized: false });
    const browser = new Browser(user, socket, answerSdp);
    socket.once('open', () => opened(browser));
    socket.once('error', () => opened(undefined));
  }

  /** As {@link open}, and signs in; rejects when either fails. */
  static async signedIn(url: string, user: string, answerSdp = ''): Promise<Browser> {
    return new Promise((resolve, reject) => {
      Browser.open(url, user, answerSdp, (browser) => {
        if (browser === undefined) return reject(new Error(`${user} could not connect`));
        browser.register((why) =>
          why === undefined ? resolve(browser) : reject(new Error(`${user}: ${why}`)),
        );
      });
    });
  }

  /** A REGISTER of this browser has no answer yet; the next must wait for it (RFC 3261 §10.2). */
  get isRegistering(): boolean {
    return this.registering !== undefined;
  }

  /** REGISTER, 401, REGISTER with credentials, 200. The floor sends each message back, which counts as the answer. */
  register(done: Done): void {
    this.registering = done;
    this.hasCredentials = false;
    this.sendRegister('');
  }

  /** Joins this socket to that of the same name on the floor. */
  async pair(name: string): Promise<void> {
    return new Promise((resolve) => {
      this.pairing = resolve;
      this.socket.send(`PAIR ${name}`);
    });
  }

  /** INVITE, and after 200 at once ACK and BYE. */
  call(callee: string, sdp: string, watcher: CallWatcher): void {
    const callId = newCallId();
    this.calls.set(callId, { callee, watcher, hasRung: false });
    const uri = `sip:${callee}@${domain}`;
    const fields = [`To: <${uri}>`, `Contact: ${this.contact}`, 'Content-Type: application/sdp'];
    this.socket.send(this.request('INVITE', uri, callId, newTag(), 1, fields, sdp));
  }

  close(): void {
    this.socket.terminate();
  }

  private request(
    method: string,
    uri: string,
    callId: string,
    tag: string,
    cseq: number,
    fields: readonly string[],
    body = '',
  ): string {
    const more = fields.map((field) => `${field}\r\n`).join('');
    return (
      `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/WS ${this.user}.invalid;branch=${newBranch()}\r\nMax-Forwards: 70\r\n` +
      `From: <${this.aor}>;tag=${tag}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\n${more}` +
      `User-Agent: load\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    );
  }

  private sendRegister(authorization: string): void {
    const fields = [`To: <${this.aor}>`, `Contact: ${this.contact};expires=600`, 'Supported: path, outbound'];
    if (authorization !== '') fields.push(`Authorization: ${authorization}`);
    const uri = `sip:${domain}`;
    this.socket.send(
      this.request('REGISTER', uri, this.registerCallId, this.registerTag, ++this.cseq, fields),
    );
  }

  private receive(data: Buffer): void {
    if (data.length === 6 && data.toString('latin1') === 'PAIRED') return this.pairing?.();
    const message = parseMessage(data, { framing: 'websocket' });
    if (message.kind === 'failure') throw message.failure;
    if (message.kind === 'request') this.serve(message);
    else if (message.cseq.method === 'REGISTER') this.registered(message);
    else this.progress(message);
  }

  private registered(response: SipResponse): void {
    const done = this.registering;
    if (response.status === 401 && !this.hasCredentials) {
      this.hasCredentials = true;
      this.sendRegister(this.authorization(response.headers.get('WWW-Authenticate') ?? ''));
      return;
    }
    this.registering = undefined;
    done?.(response.status === 200 ? undefined : `${response.status} ${response.reason}`);
  }

  private authorization(text: string): string {
    const challenge = parseChallenge(text);
    const nonce = challenge?.nonce ?? newTag();
    const uri = `sip:${domain}`;
    const [nc, cnonce, qop] = ['00000001', newTag().slice(0, 8), 'auth'];
    const response = digestResponse({
      ha1: this.credential,
      algorithm: 'MD5',
      nonce,
      method: 'REGISTER',
      uri,
      qop,
      nc,
      cnonce,
    });
    const { user: username } = this;
    return serializeAuthorization({
      username,
      realm: domain,
      nonce,
      uri,
      response,
      algorithm: 'MD5',
      qop,
      nc,
      cnonce,
    });
  }

  /** What the server sent back unchanged (the floor), or a call's request. */
  private serve(request: SipRequest): void {
    if (request.method === 'REGISTER') return this.echoed();
    if (request.method === 'INVITE') {
      const toTag = newTag();
      const headers = [['Contact', this.contact]] as const;
      this.socket.send(serializeText(respond(request, 180, { toTag, headers })));
      const content = { body: this.answerSdp, contentType: 'application/sdp' };
      this.socket.send(serializeText(respond(request, 200, { toTag, headers, ...content })));
    } else if (request.method !== 'ACK') this.socket.send(serializeText(respond(request, 200)));
  }

  private echoed(): void {
    if (!this.hasCredentials) {
      this.hasCredentials = true;
      return this.sendRegister(this.authorization(''));
    }
    const done = this.registering;
    this.registering = undefined;
    done?.();
  }

  private progress(response: SipResponse): void {
    const call = this.calls.get(response.callId);
    if (call === undefined || response.status === 100) return;
    if (response.cseq.method === 'BYE') {
      this.calls.delete(response.callId);
      if (response.status === 200) call.watcher.ended();
      else call.watcher.failed(`BYE ${response.status} ${response.reason}`);
      return;
    }
    if (response.status < 200) {
      if (!call.hasRung) call.watcher.ringing();
      call.hasRung = true;
      return;
    }
    if (response.status === 200 && bodyText(response) !== '') return this.hangUp(response);
    this.calls.delete(response.callId);
    call.watcher.failed(`${response.status} ${response.reason}`);
  }

  private hangUp(answer: SipResponse): void {
    const contact = parseNameAddr(answer.headers.get('Contact') ?? '');
    const target = contact === undefined ? this.aor : serializeUri(contact.uri);
    const to = [`To: ${answer.headers.get('To') ?? ''}`];
    const tag = tagOf(answer.from) ?? '';
    this.socket.send(this.request('ACK', target, answer.callId, tag, 1, to));
    this.socket.send(this.request('BYE', target, answer.callId, tag, 2, to));
  }
}
