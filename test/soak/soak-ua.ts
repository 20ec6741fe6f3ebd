import {
  newBranch,
  newCallId,
  newTag,
  parseMessage,
  parseNameAddr,
  respond,
  serializeText,
  serializeUri,
  tagOf,
  type SipRequest,
  type SipResponse,
} from '../../sip/message/index.js';
import { within } from '../support/within.js';

/** What carries a user agent's messages. */
export interface SoakLine {
  readonly transport: 'WS' | 'UDP';
  /** `host[:port]` for Via. */
  readonly sentBy: string;
  /** Contact header value. */
  readonly contact: string;
  send(text: string): void;
}

/** One side of a call that is up, as its user agent sees it. */
export interface SoakDialog {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  readonly target: string;
  cseq: number;
  /** Resolves when the other side has hung up. */
  readonly hungUp: Promise<void>;
}

interface Pending {
  readonly text: string;
  final(response: SipResponse): void;
  rang(): void;
}

interface Held extends SoakDialog {
  end(): void;
}

const answerWithinMs = 15_000;
const repeatEveryMs = 500;
const keptReplies = 500;
/** Of a call that has ended, for as long as its messages may come again. */
const keptAcks = 500;

/**
 * A user agent as light as one can be that still keeps to RFC 3261 where a gateway would notice: it answers what comes
 * again as before, acknowledges each 200, and over UDP repeats what gets no answer.
 */
export class SoakUa {
  private readonly dialogs = new Map<string, Held>();
  private readonly pending = new Map<string, Pending>();
  /** By method and branch, the oldest first. */
  private readonly replies = new Map<string, string>();
  /** By Call-ID and CSeq, the oldest first. */
  private readonly acks = new Map<string, string>();
  private readonly callees = new Map<string, { give(dialog: SoakDialog | undefined): void }>();

  constructor(
    private readonly line: SoakLine,
    private readonly sdp: string,
  ) {}

  /** Nothing is awaited: the line may be changed now. */
  get isQuiet(): boolean {
    return this.pending.size === 0;
  }

  get size(): number {
    return this.dialogs.size + this.pending.size + this.callees.size;
  }

  /** Places a call; rejects with the refusal. */
  async call(from: string, to: string, rang: () => void): Promise<SoakDialog> {
    const [callId, local] = [newCallId(), `<${from}>;tag=${newTag()}`];
    const text = this.text('INVITE', to, callId, local, `<${to}>`, 1, this.sdp);
    const answer = await this.transact(text, rang);
    if (answer.status !== 200) throw new Error(`INVITE: ${answer.status} ${answer.reason}`);
    const dialog = this.hold(answer, callId, local, answer.headers.get('To') ?? '');
    this.acknowledge(dialog, 1);
    return dialog;
  }

  /** The next call for that user part of the Request-URI, answered. */
  async answered(user: string): Promise<SoakDialog> {
    const call = new Promise<SoakDialog | undefined>((give) => this.callees.set(user, { give }));
    try {
      const dialog = await within(answerWithinMs, `a call for ${user}`, call);
      if (dialog === undefined) throw new Error(`no call for ${user}`);
      return dialog;
    } finally {
      this.callees.delete(user);
    }
  }

  /** Whoever waits for a call for that user waits no longer: {@link answered} rejects. */
  stopWaiting(user: string): void {
    this.callees.get(user)?.give(undefined);
  }

  /** re-INVITE with that direction of media (RFC 3264 §8.4). */
  async reinvite(dialog: SoakDialog, direction: 'sendonly' | 'sendrecv'): Promise<void> {
    const cseq = (dialog.cseq += 1);
    const body = this.sdp
      .replace(/^(o=\S+ \S+) \S+/m, `$1 ${cseq + 1}`)
      .replace('a=sendrecv', `a=${direction}`);
    const { callId, local, remote, target } = dialog;
    const answer = await this.transact(
      this.text('INVITE', target, callId, local, remote, cseq, body),
      () => undefined,
    );
    if (answer.status !== 200) throw new Error(`re-INVITE: ${answer.status} ${answer.reason}`);
    this.acknowledge(dialog, cseq);
  }

  async hangUp(dialog: SoakDialog): Promise<void> {
    const cseq = (dialog.cseq += 1);
    const { callId, local, remote, target } = dialog;
    const answer = await this.transact(
      this.text('BYE', target, callId, local, remote, cseq, ''),
      () => undefined,
    );
    this.dialogs.delete(callId);
    if (answer.status !== 200) throw new Error(`BYE: ${answer.status} ${answer.reason}`);
  }

  /** Gives up a call that went wrong. */
  forget(dialog: SoakDialog): void {
    this.dialogs.delete(dialog.callId);
  }

  /** A message has come. */
  take(bytes: Buffer): void {
    if (bytes.length <= 4) return;
    const message = parseMessage(bytes);
    if (message.kind === 'failure') throw message.failure;
    if (message.kind === 'request') return this.serve(message);
    const branch = message.topVia.params.get('branch') ?? '';
    const pending = this.pending.get(branch);
    if (pending === undefined) {
      const ack = this.acks.get(`${message.callId} ${message.cseq.number}`);
      if (message.cseq.method === 'INVITE' && message.status === 200 && ack !== undefined)
        this.line.send(ack);
      return;
    }
    if (message.status > 100) pending.rang();
    if (message.status < 200) return;
    this.pending.delete(branch);
    if (message.cseq.method === 'INVITE' && message.status >= 300) this.acknowledgeRefusal(message, branch);
    pending.final(message);
  }

  /** Sends a request; gives its final response. */
  async transact(text: string, rang: () => void = () => undefined): Promise<SipResponse> {
    const branch = /branch=([^;\s]+)/.exec(text)?.[1] ?? '';
    const method = text.slice(0, text.indexOf(' '));
    const repeat = this.line.transport === 'UDP' ? this.repeat(text) : undefined;
    const rangOnce = (): void => {
      clearInterval(repeat);
      rang();
    };
    const answer = new Promise<SipResponse>((final) =>
      this.pending.set(branch, { text, final, rang: rangOnce }),
    );
    this.line.send(text);
    try {
      return await within(answerWithinMs, `the answer to ${method}`, answer);
    } finally {
      clearInterval(repeat);
      this.pending.delete(branch);
    }
  }

  /** A request without Content-Type when there is no body. */
  text(
    method: string,
    uri: string,
    callId: string,
    from: string,
    to: string,
    cseq: number,
    body: string,
    fields: readonly string[] = [],
  ): string {
    const { transport, sentBy, contact } = this.line;
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${transport} ${sentBy};branch=${newBranch()};rport`,
      'Max-Forwards: 70',
      `From: ${from}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      ...(method === 'REGISTER' ? [] : [`Contact: ${contact}`]),
      ...fields,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }

  private repeat(text: string): NodeJS.Timeout {
    return setInterval(() => this.line.send(text), repeatEveryMs);
  }

  private serve(request: SipRequest): void {
    if (request.method === 'ACK') return;
    const key = `${request.method} ${request.topVia.params.get('branch') ?? ''}`;
    const known = this.replies.get(key);
    if (known !== undefined) return this.line.send(known);
    const toTag = tagOf(request.to);
    if (request.method === 'INVITE' && toTag === undefined) return this.ring(key, request);
    const dialog = this.dialogs.get(request.callId);
    if (dialog === undefined) return this.reply(key, respond(request, 481));
    if (request.method === 'INVITE') return this.accept(key, request);
    this.reply(key, respond(request, 200));
    if (request.method !== 'BYE') return;
    this.dialogs.delete(request.callId);
    dialog.end();
  }

  private ring(key: string, request: SipRequest): void {
    const user = 'user' in request.uri ? request.uri.user : undefined;
    const callee = this.callees.get(user ?? '');
    if (callee === undefined) return this.reply(key, respond(request, 486));
    const toTag = newTag();
    const headers = [['Contact', this.line.contact]] as const;
    this.line.send(serializeText(respond(request, 180, { toTag, headers })));
    this.accept(key, request, toTag);
    const local = `${request.headers.get('To') ?? ''};tag=${toTag}`;
    callee.give(this.hold(request, request.callId, local, request.headers.get('From') ?? ''));
  }

  private accept(key: string, request: SipRequest, toTag?: string): void {
    const headers = [['Contact', this.line.contact]] as const;
    const isHeld = /^a=sendonly\r?$/m.test(request.body.toString());
    const body = isHeld ? this.sdp.replace('a=sendrecv', 'a=recvonly') : this.sdp;
    const content = { headers, body, contentType: 'application/sdp' };
    this.reply(key, respond(request, 200, toTag === undefined ? content : { ...content, toTag }));
  }

  private reply(key: string, response: SipResponse): void {
    const text = serializeText(response);
    remember(this.replies, key, text, keptReplies);
    this.line.send(text);
  }

  private hold(message: SipRequest | SipResponse, callId: string, local: string, remote: string): SoakDialog {
    const contact = parseNameAddr(message.headers.get('Contact') ?? '');
    const target = contact === undefined ? '' : serializeUri(contact.uri);
    let end = (): void => undefined;
    const hungUp = new Promise<void>((resolve) => (end = resolve));
    const dialog = { callId, local, remote, target, cseq: 1, hungUp, end };
    this.dialogs.set(callId, dialog);
    return dialog;
  }

  private acknowledge({ callId, local, remote, target }: SoakDialog, cseq: number): void {
    const ack = this.text('ACK', target, callId, local, remote, cseq, '');
    remember(this.acks, `${callId} ${cseq}`, ack, keptAcks);
    this.line.send(ack);
  }

  /** Of the same transaction as the INVITE (RFC 3261 §17.1.1.3). */
  private acknowledgeRefusal(response: SipResponse, branch: string): void {
    const { callId, cseq, headers } = response;
    const [from, to] = [headers.get('From') ?? '', headers.get('To') ?? ''];
    const uri = /<([^>]+)>/.exec(to)?.[1] ?? to;
    const ack = this.text('ACK', uri, callId, from, to, cseq.number, '');
    this.line.send(ack.replace(/branch=[^;\s]+/, `branch=${branch}`));
  }
}

function remember(table: Map<string, string>, key: string, text: string, most: number): void {
  table.set(key, text);
  if (table.size > most) table.delete(table.keys().next().value ?? '');
}
