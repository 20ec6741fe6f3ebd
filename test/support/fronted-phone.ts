import {
  newBranch,
  newCallId,
  newTag,
  splitCommaList,
  type SipRequest,
  type SipResponse,
} from '../../sip/message/index.js';
import type { FrontTransport, KamailioFront } from './kamailio-front.js';
import { sdp, TcpPeer, UdpPeer, type Seen, type SipPeer } from './sip-peer.js';
import type { TestAuthority } from './test-certificate.js';
import { TlsPeer } from './tls-peer.js';

interface PhoneDialog {
  readonly callId: string;
  /** From of what the phone sends, with its tag. */
  readonly local: string;
  /** To of what the phone sends, with the other side's tag. */
  readonly remote: string;
  readonly target: string;
  readonly routes: readonly string[];
}

/** Where its audio is at first; each offer of its own says another port, so that none passes for a session refresh. */
const firstMediaPort = 9000;

/** Opens a socket that a phone can be reached at, connected to the proxy where its transport has connections. */
async function openPlace(
  transport: FrontTransport,
  front: KamailioFront,
  authority: TestAuthority | undefined,
): Promise<SipPeer> {
  const port = front.portOf(transport);
  if (transport === 'udp') return UdpPeer.open(port);
  if (transport === 'tcp') return TcpPeer.open(port);
  if (authority === undefined) throw new Error('TLS needs an authority');
  const place = await TlsPeer.open(authority.issue('DNS:localhost', 'IP:127.0.0.1'));
  await place.connect(port, authority.ca);
  return place;
}

/** A scripted telephone behind a record-routing proxy, that can move to another address or transport in mid-call. */
export class FrontedPhone {
  /** Where it is: what its Contact names. */
  place: SipPeer;
  private readonly places: SipPeer[] = [];
  private dialog: PhoneDialog | undefined;
  private sequence = 0;
  private mediaPort = firstMediaPort;

  private constructor(
    private readonly front: KamailioFront,
    private readonly authority: TestAuthority | undefined,
    place: SipPeer,
  ) {
    this.place = place;
    this.places.push(place);
  }

  static async start(
    transport: FrontTransport,
    front: KamailioFront,
    authority: TestAuthority | undefined,
  ): Promise<FrontedPhone> {
    return new FrontedPhone(front, authority, await openPlace(transport, front, authority));
  }

  /** `sip:phone@127.0.0.1:port;transport=…` of where it is. */
  get contact(): string {
    return contactAt(this.place);
  }

  /** The Record-Route values of its call, in the order that its own requests take. */
  get routes(): readonly string[] {
    return this.dialog?.routes ?? [];
  }

  /** Goes elsewhere: its next message says so. Gives the place that it leaves, which stays open. */
  async move(transport: FrontTransport): Promise<SipPeer> {
    const left = this.place;
    this.place = await openPlace(transport, this.front, this.authority);
    this.places.push(this.place);
    return left;
  }

  /** The next INVITE to it; the first one makes its dialog. */
  async called(): Promise<SipRequest & Seen> {
    const invite = await this.place.request('INVITE');
    const { headers, callId } = invite;
    this.dialog ??= {
      callId,
      local: `${headers.get('to') ?? ''};tag=${newTag()}`,
      remote: headers.get('from') ?? '',
      target: contactIn(invite),
      routes: recordRoutes(invite),
    };
    return invite;
  }

  /** Answers a request from where it is now, however that came: `at` is where. */
  answer(
    request: SipRequest,
    at: SipPeer,
    body = request.method === 'INVITE' ? sdp(firstMediaPort) : '',
  ): void {
    const toTag = /;tag=(.+)$/.exec(this.dialog?.local ?? '')?.[1] ?? '';
    at.respond(request, 200, 'OK', { toTag, headers: [`Contact: <${this.contact}>`], body });
  }

  /** Calls that URI through the proxy; resolves with the 2xx once it is acknowledged. */
  async call(uri: string): Promise<SipResponse> {
    const callId = newCallId();
    const local = `<sip:phone@127.0.0.1>;tag=${newTag()}`;
    this.write(
      this.place,
      'INVITE',
      uri,
      [`From: ${local}`, `To: <${uri}>`, `Call-ID: ${callId}`],
      this.offer(),
    );
    const ok = await this.place.status(200, 'INVITE', 10_000);
    const routes = recordRoutes(ok).reverse();
    this.dialog = { callId, local, remote: ok.headers.get('to') ?? '', target: contactIn(ok), routes };
    this.acknowledge();
    return ok;
  }

  /** Sends a request in the call along its route set, and gives where it was sent from. */
  send(method: string, body = ''): SipPeer {
    const { callId, local, remote, target, routes } = this.current;
    const from = this.placeTowards(routes[0]);
    const lines = [`From: ${local}`, `To: ${remote}`, `Call-ID: ${callId}`];
    this.write(from, method, target, [...lines, ...routes.map((route) => `Route: ${route}`)], body);
    return from;
  }

  /** Re-INVITEs, with the 200 awaited and acknowledged. */
  async reinvite(): Promise<void> {
    await this.send('INVITE', this.offer()).status(200, 'INVITE');
    this.acknowledge();
  }

  async close(): Promise<void> {
    for (const place of this.places.splice(0)) await place.close();
  }

  private offer(): string {
    this.mediaPort += 2;
    return sdp(this.mediaPort);
  }

  private acknowledge(): void {
    this.sequence -= 1;
    this.send('ACK');
  }

  private get current(): PhoneDialog {
    if (this.dialog === undefined) throw new Error('the phone has no call');
    return this.dialog;
  }

  /** Requests go to the first route, by its transport (RFC 3261 §8.1.2). */
  private placeTowards(route = ''): SipPeer {
    const transport = (/;transport=(\w+)/.exec(route)?.[1] ?? 'udp').toUpperCase();
    const found = [...this.places].reverse().find((place) => place.transport === transport);
    if (found === undefined) throw new Error(`the phone has no place for ${route}`);
    return found;
  }

  private write(from: SipPeer, method: string, uri: string, lines: readonly string[], body: string): void {
    this.sequence += 1;
    from.send(
      [
        `${method} ${uri} SIP/2.0`,
        `Via: SIP/2.0/${from.transport} 127.0.0.1:${from.port};branch=${newBranch()};rport`,
        'Max-Forwards: 70',
        ...lines,
        `CSeq: ${this.sequence} ${method}`,
        `Contact: <${this.contact}>`,
        ...(body === '' ? [] : ['Content-Type: application/sdp']),
        `Content-Length: ${Buffer.byteLength(body)}`,
        '',
        body,
      ].join('\r\n'),
    );
  }
}

/** What the Contact of a phone at that place names. */
export function contactAt({ port, transport }: SipPeer): string {
  return `sip:phone@127.0.0.1:${port};transport=${transport.toLowerCase()}`;
}

function contactIn(message: SipRequest | SipResponse): string {
  return /<([^>]+)>/.exec(message.headers.get('contact') ?? '')?.[1] ?? '';
}

function recordRoutes(message: SipRequest | SipResponse): string[] {
  return message.headers.getAll('record-route').flatMap((value) => splitCommaList(value));
}
