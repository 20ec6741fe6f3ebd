import { once } from 'node:events';
import { WebSocket } from 'ws';
import {
  digestResponse,
  ha1,
  newCallId,
  newTag,
  parseChallenge,
  serializeAuthorization,
  type SipResponse,
} from '../../sip/message/index.js';
import { domain, passwordOf } from '../bench/target.js';
import { SoakUa, type SoakLine } from './soak-ua.js';

/** Of this machine, from which the browsers come: no limit of one address is to be met. */
const addresses = 50;
const expiresSeconds = 600;
/** Half of what it asks for: a refresh may get lost. */
const usualRefreshMs = expiresSeconds * 500;

/**
 * A browser on a real WebSocket that comes and goes; its calls outlive its sockets. Refreshes its binding as long as it
 * has a socket (RFC 3261 §10.2.4).
 */
export class SoakPhone implements SoakLine {
  readonly transport = 'WS';
  readonly aor: string;
  readonly sentBy: string;
  readonly contact: string;
  readonly ua: SoakUa;
  /** A call, or a change of socket, has it. */
  isTaken = false;
  /** The gateway, or the network, has closed the socket. */
  onClose: (code: number) => void = () => undefined;
  /** A refresh of the binding was answered, or has failed with this error. */
  onRefresh: (error: Error | undefined) => void = () => undefined;
  private socket: WebSocket | undefined;
  private readonly callId = newCallId();
  private readonly tag = newTag();
  private cseq = 0;
  private refreshing: NodeJS.Timeout | undefined;

  constructor(
    readonly user: string,
    private readonly url: string,
    sdp: string,
    private readonly refreshEveryMs = usualRefreshMs,
  ) {
    this.aor = `sip:${user}@${domain}`;
    this.sentBy = `${user}.invalid`;
    const instance = `00000000-0000-4000-8000-${user.slice(1).padStart(12, '0')}`;
    this.contact = `<sip:${user}@${this.sentBy};transport=ws>;reg-id=1;+sip.instance="<urn:uuid:${instance}>"`;
    this.ua = new SoakUa(this, sdp);
  }

  send(text: string): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(text);
  }

  /** Opens a socket and registers; rejects when either fails, or the socket is closed meanwhile. */
  async connect(): Promise<void> {
    const localAddress = `127.0.0.${1 + (Number(this.user.slice(1)) % addresses)}`;
    const socket = new WebSocket(this.url, 'sip', { perMessageDeflate: false, localAddress });
    socket.on('error', () => undefined);
    socket.on('message', (bytes: Buffer) => this.ua.take(bytes));
    await once(socket, 'open');
    this.socket = socket;
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    const early = closed.then(() =>
      Promise.reject(new Error('the socket was closed before it had registered')),
    );
    try {
      await Promise.race([this.signIn(), early]);
    } catch (cause) {
      socket.terminate();
      throw cause;
    }
    void closed.then((code) => {
      if (this.socket !== socket) return;
      clearTimeout(this.refreshing);
      this.onClose(code);
    });
    this.refreshLater(socket);
  }

  /** Loses the socket, as a network does, and comes back. */
  async reconnect(): Promise<void> {
    this.drop();
    await this.connect();
  }

  drop(): void {
    clearTimeout(this.refreshing);
    this.socket?.terminate();
    this.socket = undefined;
  }

  private refreshLater(socket: WebSocket): void {
    clearTimeout(this.refreshing);
    if (this.socket !== socket) return;
    this.refreshing = setTimeout(() => void this.refresh(socket), this.refreshEveryMs);
  }

  private async refresh(socket: WebSocket): Promise<void> {
    try {
      await this.signIn();
      this.onRefresh(undefined);
    } catch (cause) {
      // What was sent on a socket that is gone is not answered on the next one.
      if (this.socket !== socket) return;
      this.onRefresh(cause instanceof Error ? cause : new Error(String(cause), { cause }));
    }
    this.refreshLater(socket);
  }

  private async signIn(): Promise<void> {
    const challenged = await this.register('');
    const answer = challenged.status === 401 ? await this.register(this.credentials(challenged)) : challenged;
    if (answer.status !== 200) throw new Error(`REGISTER: ${answer.status} ${answer.reason}`);
  }

  private register(authorization: string): Promise<SipResponse> {
    const fields = [`Contact: ${this.contact}`, `Expires: ${expiresSeconds}`, 'Supported: path, outbound'];
    if (authorization !== '') fields.push(`Authorization: ${authorization}`);
    const from = `<${this.aor}>;tag=${this.tag}`;
    this.cseq += 1;
    const uri = `sip:${domain}`;
    return this.ua.transact(
      this.ua.text('REGISTER', uri, this.callId, from, `<${this.aor}>`, this.cseq, '', fields),
    );
  }

  private credentials(response: SipResponse): string {
    const nonce = parseChallenge(response.headers.get('WWW-Authenticate') ?? '')?.nonce ?? '';
    const { user } = this;
    const fields = {
      nonce,
      uri: `sip:${domain}`,
      algorithm: 'MD5',
      qop: 'auth',
      nc: '00000001',
      cnonce: newTag(),
    } as const;
    const answer = digestResponse({
      ...fields,
      method: 'REGISTER',
      ha1: ha1(user, domain, passwordOf(user)),
    });
    return serializeAuthorization({ ...fields, username: user, realm: domain, response: answer });
  }
}
