import assert from 'node:assert/strict';
import { silentLog, type Log } from '../../sip/log.js';
import type {
  CalleeAnswer,
  CalleeListener,
  CalleeProgress,
  HeaderView,
  IncomingCall,
  InDialogRequest,
  LegEnd,
  OutOfDialogRequest,
  Reoffer,
} from '../../sip/leg.js';
import type { SipFailure } from '../../sip/failure.js';
import {
  parseMessage,
  parseNameAddr,
  serializeUri,
  tagOf,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../sip/message/index.js';
import { EndpointCore } from '../../sip/ua/endpoint-core.js';
import { FakeClock } from './fake-clock.js';
import { Journal } from './journal.js';

/** A browser that says exactly what a test tells it to, wired straight to an EndpointCore. */

export const sdpA = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n';
export const sdpB = 'v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 8\r\n';

export interface RequestOptions {
  readonly uri?: string;
  readonly branch?: string;
  readonly cseq?: number;
  /** Whole header lines. */
  readonly headers?: readonly string[];
  readonly contentType?: string;
  readonly body?: string;
  readonly noContact?: boolean;
}

/** What a leg told its listener, in order, with what it brought. */
export class LegNotes implements CalleeListener {
  readonly journal = new Journal<string>();
  readonly reoffers: Reoffer[] = [];
  readonly requests: InDialogRequest[] = [];
  readonly progresses: CalleeProgress[] = [];
  answer: CalleeAnswer | undefined;
  end: LegEnd | undefined;
  failure: SipFailure | undefined;
  failureHeaders: HeaderView | undefined;

  get events(): string[] {
    return this.journal.items;
  }

  reoffer(reoffer: Reoffer): void {
    this.journal.add(`reoffer ${reoffer.method}`);
    this.reoffers.push(reoffer);
  }

  request(request: InDialogRequest): void {
    this.journal.add(`request ${request.method}`);
    this.requests.push(request);
  }

  ended(end: LegEnd): void {
    this.journal.add(`ended ${end.cause}`);
    this.end = end;
  }

  progress(progress: CalleeProgress): void {
    this.journal.add(`progress ${progress.status}`);
    this.progresses.push(progress);
  }

  answered(answer: CalleeAnswer): void {
    this.journal.add(`answered ${answer.status}`);
    this.answer = answer;
  }

  failed(failure: SipFailure, headers?: HeaderView): void {
    this.journal.add(`failed ${failure.status}`);
    this.failure = failure;
    this.failureHeaders = headers;
  }
}

let serial = 0;

export function unique(prefix: string): string {
  serial += 1;
  return `${prefix}${serial}`;
}

/** Lets every promise that is ready settle. */
export async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export class ScriptedBrowser {
  readonly clock = new FakeClock();
  readonly core: EndpointCore;
  /** What webtrunk has sent and no test has taken yet. */
  readonly inbox: SipMessage[] = [];
  readonly calls: IncomingCall[] = [];
  readonly requests: OutOfDialogRequest[] = [];
  /** Codes of the failures that its requests were answered with by ourselves. */
  readonly refusals: string[] = [];
  online = true;
  /** Runs when a call comes in, before anything else can. */
  onCall: (call: IncomingCall) => void = () => undefined;

  constructor(
    readonly user = 'alice',
    log: Log = silentLog,
  ) {
    this.core = new EndpointCore({
      id: `e_${user}`,
      aor: `sip:${user}@localhost`,
      transport: 'WS',
      send: (text) => {
        if (this.online) this.inbox.push(parsed(text));
        return this.online;
      },
      listener: {
        incomingCall: (call) => {
          this.calls.push(call);
          this.onCall(call);
        },
        request: (request) => this.requests.push(request),
        refused: (_request, { code }) => this.refusals.push(code),
      },
      log,
      clock: this.clock,
    });
  }

  get contact(): string {
    return `sip:${this.user}x@browser.invalid;transport=ws`;
  }

  /** Sends a message as text, line ends as they are. */
  say(text: string): void {
    this.core.receive(parsed(text));
  }

  /** Takes the first request with that method, or fails. */
  takeRequest(method: string): SipRequest {
    const found = this.inbox.find((each) => each.kind === 'request' && each.method === method);
    assert.ok(found?.kind === 'request', `no ${method} was sent; sent: ${this.summary()}`);
    this.inbox.splice(this.inbox.indexOf(found), 1);
    return found;
  }

  /** Takes the first response with that status, or fails. */
  takeResponse(status: number, method?: string): SipResponse {
    const found = this.inbox.find(
      (each) =>
        each.kind === 'response' &&
        each.status === status &&
        (method ?? each.cseq.method) === each.cseq.method,
    );
    assert.ok(found?.kind === 'response', `no ${status} was sent; sent: ${this.summary()}`);
    this.inbox.splice(this.inbox.indexOf(found), 1);
    return found;
  }

  summary(): string {
    return this.inbox
      .map((each) => (each.kind === 'request' ? each.method : `${each.status} ${each.cseq.method}`))
      .join(', ');
  }

  /** Answers a request of webtrunk's. */
  reply(
    request: SipRequest,
    status: number,
    options: { toTag?: string; headers?: readonly string[]; sdp?: string; noContact?: boolean } = {},
  ): void {
    const to = request.headers.get('to') ?? '';
    const tag = options.toTag ?? 'calleetag';
    const hasTag = tagOf(request.to) !== undefined || status === 100;
    this.say(
      text(
        [
          `SIP/2.0 ${status} Whatever`,
          ...request.headers.getAll('via').map((via) => `Via: ${via}`),
          `From: ${request.headers.get('from') ?? ''}`,
          `To: ${hasTag ? to : `${to};tag=${tag}`}`,
          `Call-ID: ${request.callId}`,
          `CSeq: ${request.cseq.number} ${request.cseq.method}`,
          ...(options.noContact === true || status === 100 ? [] : [`Contact: <${this.contact}>`]),
          ...(options.headers ?? []),
        ],
        options.sdp === undefined ? undefined : 'application/sdp',
        options.sdp ?? '',
      ),
    );
  }

  /** An INVITE of the browser's, with everything that later messages of its dialog need. */
  call(options: RequestOptions & { sdp?: string } = {}): ScriptedDialog {
    const dialog = new ScriptedDialog(this, options.uri ?? 'sip:bob@localhost');
    dialog.invite(options);
    return dialog;
  }

  /** A dialog in which webtrunk has invited the browser. */
  dialogOf(invite: SipRequest, toTag = 'calleetag'): ScriptedDialog {
    const dialog = new ScriptedDialog(this, contactOf(invite));
    dialog.callId = invite.callId;
    dialog.localTag = toTag;
    dialog.remoteTag = tagOf(invite.from);
    dialog.cseq = 100;
    return dialog;
  }

  /** A request outside any dialog. */
  request(method: string, options: RequestOptions = {}): string {
    const branch = options.branch ?? unique('z9hG4bKout');
    const callId = unique('out');
    this.say(
      text(
        [
          `${method} ${options.uri ?? 'sip:bob@localhost'} SIP/2.0`,
          `Via: SIP/2.0/WS browser.invalid;branch=${branch}`,
          'Max-Forwards: 70',
          `From: <sip:${this.user}@localhost>;tag=${unique('f')}`,
          'To: <sip:bob@localhost>',
          `Call-ID: ${callId}`,
          `CSeq: ${options.cseq ?? 1} ${method}`,
          ...(options.headers ?? []),
        ],
        options.contentType,
        options.body ?? '',
      ),
    );
    return branch;
  }
}

/** The browser's side of one dialog. */
export class ScriptedDialog {
  callId = unique('call');
  localTag = unique('tag');
  remoteTag: string | undefined;
  remoteTarget: string;
  cseq = 1;
  inviteBranch = unique('z9hG4bKinv');

  constructor(
    readonly browser: ScriptedBrowser,
    readonly target: string,
  ) {
    this.remoteTarget = target;
  }

  invite(options: RequestOptions & { sdp?: string } = {}): void {
    const sdp = options.sdp === '' ? undefined : (options.sdp ?? sdpA);
    this.send('INVITE', {
      branch: this.inviteBranch,
      cseq: this.cseq,
      ...(options.body === undefined && sdp !== undefined
        ? { contentType: 'application/sdp', body: sdp }
        : {}),
      ...options,
    });
  }

  /** Remembers the tag and target of a response that makes the dialog. */
  learn(response: SipResponse): SipResponse {
    this.remoteTag = tagOf(response.to);
    this.remoteTarget = contactOf(response);
    return response;
  }

  ack(options: RequestOptions = {}): void {
    this.send('ACK', { cseq: 1, noContact: true, ...options });
  }

  /** The ACK of a non-2xx, or CANCEL: in the INVITE's transaction. */
  sameTransaction(method: 'ACK' | 'CANCEL', response?: SipResponse, headers: readonly string[] = []): void {
    const tag = this.remoteTag;
    this.remoteTag = response === undefined ? undefined : tagOf(response.to);
    const target = this.remoteTarget;
    this.remoteTarget = this.target;
    this.send(method, { branch: this.inviteBranch, cseq: 1, noContact: true, headers });
    this.remoteTag = tag;
    this.remoteTarget = target;
  }

  /** A request inside the dialog with the next CSeq unless given. */
  send(method: string, options: RequestOptions = {}): void {
    if (options.cseq === undefined) this.cseq += 1;
    const cseq = options.cseq ?? this.cseq;
    const to = this.remoteTag === undefined ? '' : `;tag=${this.remoteTag}`;
    this.browser.say(
      text(
        [
          `${method} ${this.remoteTarget} SIP/2.0`,
          `Via: SIP/2.0/WS browser.invalid;branch=${options.branch ?? unique('z9hG4bKreq')}`,
          'Max-Forwards: 70',
          `From: "Al \\"Ice\\"" <sip:${this.browser.user}@localhost>;tag=${this.localTag}`,
          `To: <sip:bob@localhost>${to}`,
          `Call-ID: ${this.callId}`,
          `CSeq: ${cseq} ${method}`,
          ...(options.noContact === true ? [] : [`Contact: <${this.browser.contact}>`]),
          ...(options.headers ?? []),
        ],
        options.contentType,
        options.body ?? '',
      ),
    );
  }
}

function contactOf(message: SipMessage): string {
  const address = parseNameAddr(message.headers.get('contact') ?? '');
  assert.ok(address, 'no Contact');
  return serializeUri(address.uri);
}

function text(lines: readonly string[], contentType: string | undefined, body: string): string {
  const type = contentType === undefined ? [] : [`Content-Type: ${contentType}`];
  return [...lines, ...type, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

function parsed(message: string): SipMessage {
  const result = parseMessage(Buffer.from(message), { framing: 'websocket' });
  if (result.kind === 'failure') throw new Error(`${result.failure.message}\n${message}`);
  return result;
}
