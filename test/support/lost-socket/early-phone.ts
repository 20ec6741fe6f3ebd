import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import {
  newBranch,
  newTag,
  parseMessage,
  parseNameAddr,
  respond,
  serializeText,
  serializeUri,
  type SipRequest,
} from '../../../sip/message/index.js';
import { Journal } from '../journal.js';
import { TonePhone } from '../tone-phone.js';

/** Who calls, from where, and our tag. */
interface Call {
  readonly invite: SipRequest;
  readonly from: RemoteInfo;
  readonly tag: string;
  answered: boolean;
}

/**
 * A telephone that is heard and hears from when it rings on: 183 with SDP (RFC 3960 §3.1), which baresip cannot. It is
 * called, by UDP through a proxy, one call after the other.
 */
export class EarlyPhone {
  readonly #events = new Journal<'rings' | 'closed'>();
  #call: Call | undefined;

  private constructor(
    private readonly sip: Socket,
    private readonly media: TonePhone,
  ) {
    sip.on('message', (bytes, from) => this.#receive(bytes, from));
  }

  static async start(hz: number): Promise<EarlyPhone> {
    const sip = createSocket('udp4');
    sip.bind(0, '127.0.0.1');
    await once(sip, 'listening');
    return new EarlyPhone(sip, await TonePhone.start(hz));
  }

  /** Where it takes SIP, `127.0.0.1:port`. */
  get address(): string {
    return `127.0.0.1:${this.sip.address().port}`;
  }

  /** Forgets what has happened. */
  reset(): void {
    this.#events.items.length = 0;
  }

  /** Resolves when it is called. */
  rings(): Promise<unknown> {
    return this.#events.first((event) => event === 'rings');
  }

  /** Resolves when its call has ended, whoever ended it. */
  closed(): Promise<unknown> {
    return this.#events.first((event) => event === 'closed');
  }

  accept(): void {
    if (this.#call === undefined) throw new Error('nobody calls');
    this.#call.answered = true;
    this.#respond(this.#call.invite, 200, true);
  }

  /** Refuses the call that rings, or ends it. */
  hangUp(): void {
    const call = this.#call;
    if (call === undefined) return;
    if (call.answered) this.#send(byeText(call, this.address));
    else this.#respond(call.invite, 480);
    this.#end();
  }

  /** Waits until this tone is what it hears from now on. */
  hears(hz: number): Promise<void> {
    return this.media.waitForTone(hz, this.media.received);
  }

  close(): void {
    this.media.close();
    this.sip.close();
  }

  #receive(bytes: Buffer, from: RemoteInfo): void {
    const message = parseMessage(bytes);
    if (message.kind !== 'request' || message.method === 'ACK') return;
    if (message.method === 'INVITE') {
      this.#ring(message, from);
      return;
    }
    if (this.#call === undefined) return;
    this.#respond(message, 200);
    if (message.method === 'CANCEL') this.#respond(this.#call.invite, 487);
    if (message.method === 'CANCEL' || message.method === 'BYE') this.#end();
  }

  #ring(invite: SipRequest, from: RemoteInfo): void {
    if (this.#call !== undefined) return;
    this.#call = { invite, from, tag: newTag(), answered: false };
    this.media.speakTo(invite.body.toString());
    this.#respond(invite, 183, true);
    this.#events.add('rings');
  }

  #respond(request: SipRequest, status: number, withMedia = false): void {
    const body = withMedia ? { body: this.media.sdp(), contentType: 'application/sdp' } : {};
    const routes = request.headers.getAll('record-route').map((route) => ['Record-Route', route] as const);
    const headers = [...routes, ['Contact', `<sip:early@${this.address}>`] as const];
    this.#send(serializeText(respond(request, status, { toTag: this.#call?.tag ?? '', headers, ...body })));
  }

  #send(text: string): void {
    const { port, address } = this.#call?.from ?? {};
    if (port !== undefined) this.sip.send(text, port, address);
  }

  #end(): void {
    this.media.hush();
    this.#call = undefined;
    this.#events.add('closed');
  }
}

function byeText({ invite: { headers, callId }, tag }: Call, address: string): string {
  const target = parseNameAddr(headers.get('contact') ?? '');
  if (target === undefined) throw new Error('the INVITE has no Contact');
  return [
    `BYE ${serializeUri(target.uri)} SIP/2.0`,
    `Via: SIP/2.0/UDP ${address};branch=${newBranch()}`,
    'Max-Forwards: 70',
    ...headers.getAll('record-route').map((route) => `Route: ${route}`),
    `From: ${headers.get('to') ?? ''};tag=${tag}`,
    `To: ${headers.get('from') ?? ''}`,
    `Call-ID: ${callId}`,
    'CSeq: 1 BYE',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
}
