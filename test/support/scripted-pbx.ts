import { randomBytes } from 'node:crypto';
import { parseAuthorization, tagOf, type SipRequest } from '../../sip/message/index.js';
import { isMadeWith } from './digest-check.js';
import { UdpPeer, type Seen } from './sip-peer.js';

/** What the PBX asks passwords for. */
export const pbxRealm = 'the office';

/**
 * A PBX on loopback that challenges every request outside a dialog, checks the digest strictly (nonce, and its `uri` against
 * the Request-URI), and leaves everything else to the test.
 */
export class ScriptedPbx {
  /** It says that it has taken Path (RFC 3327 §5.3). */
  takesPath = true;
  /** Grants so many seconds to a REGISTER; undefined: what is asked for. */
  grantsSeconds: number | undefined;
  /** Answers what has passed the digest, but REGISTER. */
  onRequest: (request: SipRequest & Seen) => void = () => undefined;
  /** Contact of the last REGISTER that was accepted, without brackets. */
  binding: string | undefined;
  readonly #nonces = new Set<string>();

  private constructor(
    readonly peer: UdpPeer,
    readonly address: string,
    private readonly passwords: Readonly<Record<string, string>>,
  ) {
    peer.onMessage = (message) => this.#receive(message);
  }

  static async open(address: string, passwords: Readonly<Record<string, string>>): Promise<ScriptedPbx> {
    return new ScriptedPbx(await UdpPeer.open(0, address), address, passwords);
  }

  get uri(): string {
    return `sip:${this.address}:${this.peer.port};transport=udp`;
  }

  /** Requests of that method that have come, challenged ones too. */
  seen(method: string): SipRequest[] {
    return this.peer.seen.filter(
      (message): message is SipRequest & Seen => message.kind === 'request' && message.method === method,
    );
  }

  /** Text of a request of ours to the browser's binding, or in the dialog of `inside`. */
  requestText(
    method: string,
    { to, callId, cseq = 1, fromTag = 'pbx', headers = [], body = '' }: PbxRequest,
  ): string {
    const target = to ?? this.binding ?? '';
    const { port } = this.peer;
    return [
      `${method} ${target} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.address}:${port};branch=z9hG4bK${randomBytes(8).toString('hex')}`,
      'Max-Forwards: 70',
      `From: "Reception" <sip:1002@${this.address}>;tag=${fromTag}`,
      ...(headers.some((line) => line.startsWith('To:')) ? [] : [`To: <${target}>`]),
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:1002@${this.address}:${port}>`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }

  close(): Promise<void> {
    return this.peer.close();
  }

  #receive(message: Seen): void {
    if (message.kind !== 'request' || message.method === 'ACK') return;
    if (tagOf(message.to) !== undefined || message.method === 'CANCEL') return this.onRequest(message);
    const isRegister = message.method === 'REGISTER';
    const [status, challenge, answer] = isRegister
      ? ([401, 'WWW-Authenticate', 'authorization'] as const)
      : ([407, 'Proxy-Authenticate', 'proxy-authorization'] as const);
    if (!this.#isAuthentic(message, message.headers.get(answer))) {
      const nonce = randomBytes(8).toString('hex');
      this.#nonces.add(nonce);
      const value = `Digest realm="${pbxRealm}", nonce="${nonce}", opaque="o/1", algorithm=MD5, qop="auth"`;
      return this.peer.respond(message, status, 'Who Are You', { headers: [`${challenge}: ${value}`] });
    }
    if (isRegister) this.#register(message);
    else this.onRequest(message);
  }

  #register(request: SipRequest): void {
    const contact = request.headers.get('contact') ?? '';
    const asked = /;expires=(\d+)/.exec(contact)?.[1] ?? request.headers.get('expires') ?? '3600';
    const seconds = asked === '0' ? 0 : (this.grantsSeconds ?? Number(asked));
    this.binding = seconds === 0 || contact === '*' ? undefined : /<([^>]+)>/.exec(contact)?.[1];
    const listed = this.binding === undefined ? [] : [`Contact: <${this.binding}>;expires=${seconds}`];
    const other = 'Contact: <sip:1001@192.0.2.9:5060>;expires=77';
    const path = this.takesPath ? request.headers.getAll('path').map((value) => `Path: ${value}`) : [];
    this.peer.respond(request, 200, 'OK', { headers: [other, ...listed, ...path] });
  }

  #isAuthentic({ method, requestUri }: SipRequest, value: string | undefined): boolean {
    const given = value === undefined ? undefined : parseAuthorization(value);
    if (given === undefined || given.uri !== requestUri || !this.#nonces.has(given.nonce)) return false;
    if (given.realm !== pbxRealm || given.opaque !== 'o/1') return false;
    const password = this.passwords[given.username];
    return password !== undefined && isMadeWith(password, method, given);
  }
}

export interface PbxRequest {
  readonly to?: string;
  readonly callId: string;
  readonly cseq?: number;
  readonly fromTag?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}
