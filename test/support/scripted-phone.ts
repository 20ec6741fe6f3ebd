import {
  branchOf,
  newBranch,
  newCallId,
  newTag,
  parseNameAddr,
  respond,
  serializeText,
  serializeUri,
  tagOf,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../sip/message/index.js';
import { Journal } from './journal.js';

/** What speaks and listens at one end of a call. `Change`: what its next offer may change. */
export interface CallMedia<Change> {
  offer(change?: Change): Promise<string>;
  answer(offer: string): Promise<string>;
  /** Takes the answer to its offer. */
  settle(answer: string): Promise<void>;
}

/** How messages of a phone leave. */
export interface PhoneLine {
  /** Transport and sent-by of its Via, `UDP 127.0.0.1:5060`. */
  readonly via: string;
  /** With angle brackets. */
  readonly contact: string;
  /** Address-of-record. */
  readonly aor: string;
  send(text: string): void;
}

interface Dialog {
  readonly callId: string;
  readonly local: string;
  remote: string;
  target: string;
  cseq: number;
}

interface Early {
  /** Of the fork that says it; the phone's own when not given. */
  readonly tag?: string;
  readonly sdp?: string;
}

/**
 * A user agent with one call at a time: it answers requests inside a call by itself (re-INVITE and UPDATE by its media)
 * and does all else when told to. As sip.js it takes the first SDP that answers its INVITE for the answer.
 */
export class ScriptedPhone<Change> {
  readonly #tag = newTag();
  readonly #responses = new Journal<SipResponse>();
  readonly #requests = new Journal<SipRequest>();
  /** Last answer to each request, by branch and method. */
  readonly #answers = new Map<string, string>();
  #dialog: Dialog | undefined;
  #invite: SipRequest | undefined;
  #rings: Promise<SipRequest>;
  /** What answered the offer of the INVITE, in either direction. */
  #answerSdp: string | undefined;
  #lastAck: string | undefined;
  #settling: Promise<void> = Promise.resolve();
  /** What went wrong while a request was answered that nobody waits for. */
  readonly problems: unknown[] = [];

  constructor(
    private readonly line: PhoneLine,
    readonly media: CallMedia<Change>,
  ) {
    this.#rings = this.#nextCall();
  }

  /** Every message that arrives is given to this. */
  receive(message: SipMessage): void {
    if (message.kind === 'response') this.#takeResponse(message);
    else this.#takeRequest(message);
  }

  /** Begins a call, with an offer or without (late offer); rejects when it is refused. */
  async call(uri: string, { late = false, change }: { late?: boolean; change?: Change } = {}): Promise<void> {
    this.#dialog = undefined;
    this.#answerSdp = undefined;
    const body = late ? '' : await this.media.offer(change);
    const local = `<${this.line.aor}>;tag=${newTag()}`;
    this.#dialog = { callId: newCallId(), local, remote: `<${uri}>`, target: uri, cseq: 0 };
    await this.#offerIn(this.#dialog, body, true);
  }

  /** Resolves with the INVITE once this phone is called. */
  rings(): Promise<SipRequest> {
    return this.#rings;
  }

  /** Resolves with the provisional response of that status to the INVITE that begins our call. */
  told(status: number): Promise<SipResponse> {
    return this.#responses.first(
      (response) => response.status === status && response.callId === this.#dialog?.callId,
    );
  }

  /** Sends a 18x to the call that comes in. */
  progress(status: number, { tag = this.#tag, sdp }: Early = {}): void {
    this.#respond(this.#called(), status, sdp, tag);
  }

  /** Answers the offer of the call that comes in before the call is taken. */
  async earlyAnswer(): Promise<string> {
    this.#answerSdp ??= await this.media.answer(this.#called().body.toString());
    return this.#answerSdp;
  }

  /** Takes the call that comes in; resolves when it is acknowledged. */
  async accept(): Promise<void> {
    const invite = this.#called();
    const isLate = invite.body.length === 0;
    const sdp = isLate ? await this.media.offer() : await this.earlyAnswer();
    const from = invite.headers.get('from') ?? '';
    this.#dialog = {
      callId: invite.callId,
      local: `${invite.headers.get('to') ?? ''};tag=${this.#tag}`,
      remote: from,
      target: targetOf(invite),
      cseq: 0,
    };
    this.#rings = this.#nextCall();
    await this.#answerInvite(invite, sdp, isLate);
  }

  /** Changes the call by re-INVITE; rejects when that is refused. */
  async change(change: Change): Promise<void> {
    await this.#offerIn(this.#inCall(), await this.media.offer(change), false);
  }

  /** Hangs up. */
  async hangUp(): Promise<void> {
    const response = await this.#transact(this.#inCall(), 'BYE', '');
    if (response.status !== 200) throw new Error(`BYE is answered with ${response.status}`);
  }

  /** Resolves once the other side hangs up. */
  async ended(): Promise<void> {
    const { callId } = this.#inCall();
    await this.#requests.first((request) => request.method === 'BYE' && request.callId === callId);
  }

  async #offerIn(dialog: Dialog, body: string, isFirst: boolean): Promise<void> {
    const response = await this.#transact(dialog, 'INVITE', body);
    if (response.status >= 300)
      throw new Error(`INVITE is answered with ${response.status}: ${warningOf(response)}`);
    dialog.remote = response.headers.get('to') ?? '';
    dialog.target = targetOf(response);
    const sdp = response.body.toString();
    let answer = '';
    if (body === '') answer = await this.media.answer(sdp);
    else if (isFirst) await this.#settle(sdp);
    else await this.media.settle(sdp);
    this.#lastAck = this.#requestText(dialog, 'ACK', answer);
    this.line.send(this.#lastAck);
  }

  async #transact(dialog: Dialog, method: string, body: string): Promise<SipResponse> {
    dialog.cseq += 1;
    const { callId, cseq } = dialog;
    const final = this.#responses.next(
      (response) =>
        response.callId === callId &&
        response.cseq.number === cseq &&
        response.cseq.method === method &&
        response.status >= 200,
    );
    this.line.send(this.#requestText(dialog, method, body));
    return final;
  }

  #takeResponse(response: SipResponse): void {
    const { status, cseq } = response;
    if (status < 200 && cseq.number === 1 && response.body.length > 0)
      void this.#settle(response.body.toString());
    if (status >= 200 && cseq.method === 'INVITE' && this.#lastAck !== undefined && this.#wasTaken(response))
      this.line.send(this.#lastAck);
    this.#responses.add(response);
  }

  /** Whether the same final response has come before: our ACK is lost, or on its way. */
  #wasTaken({ status, cseq, callId }: SipResponse): boolean {
    return this.#responses.items.some(
      (known) => known.status === status && known.cseq.number === cseq.number && known.callId === callId,
    );
  }

  async #settle(sdp: string): Promise<void> {
    if (this.#answerSdp === undefined) {
      this.#answerSdp = sdp;
      this.#settling = this.media.settle(sdp);
    }
    await this.#settling;
  }

  #takeRequest(request: SipRequest): void {
    const known = this.#answers.get(keyOf(request));
    if (known !== undefined) return this.line.send(known);
    this.#requests.add(request);
    if (request.method === 'ACK') return;
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') return this.#respond(request, 200);
    this.#respond(request, 100);
    if (tagOf(request.to) === undefined) this.#invite = request;
    else this.#answerOffer(request).catch((error: unknown) => this.problems.push(error));
  }

  /** Answers a re-INVITE or an UPDATE. */
  async #answerOffer(request: SipRequest): Promise<void> {
    const isLate = request.body.length === 0;
    const sdp = isLate ? await this.media.offer() : await this.media.answer(request.body.toString());
    if (request.method === 'INVITE') await this.#answerInvite(request, sdp, isLate);
    else this.#respond(request, 200, sdp);
  }

  /** Resolves when it is acknowledged. */
  async #answerInvite(invite: SipRequest, sdp: string, isLate: boolean): Promise<void> {
    const acknowledged = this.#requests.next(
      ({ method, callId, cseq }) =>
        method === 'ACK' && callId === invite.callId && cseq.number === invite.cseq.number,
    );
    this.#respond(invite, 200, sdp);
    const ack = await acknowledged;
    if (isLate) await this.media.settle(ack.body.toString());
  }

  #nextCall(): Promise<SipRequest> {
    const next = this.#requests.next(({ method, to }) => method === 'INVITE' && tagOf(to) === undefined);
    return next.then((invite) => {
      this.#answerSdp = undefined;
      return invite;
    });
  }

  #respond(request: SipRequest, status: number, sdp?: string, tag = this.#tag): void {
    const answer = serializeText(
      respond(request, status, {
        ...(status === 100 ? {} : { toTag: tag }),
        headers: [['Contact', this.line.contact]],
        ...(sdp === undefined ? {} : { body: sdp, contentType: 'application/sdp' }),
      }),
    );
    this.#answers.set(keyOf(request), answer);
    this.line.send(answer);
  }

  #requestText({ callId, local, remote, target, cseq }: Dialog, method: string, body: string): string {
    return [
      `${method} ${target} SIP/2.0`,
      `Via: SIP/2.0/${this.line.via};branch=${newBranch()};rport`,
      'Max-Forwards: 70',
      `From: ${local}`,
      `To: ${remote}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: ${this.line.contact}`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }

  #called(): SipRequest {
    if (this.#invite === undefined) throw new Error('nobody calls');
    return this.#invite;
  }

  #inCall(): Dialog {
    if (this.#dialog === undefined) throw new Error('there is no call');
    return this.#dialog;
  }
}

function keyOf({ method, topVia }: SipRequest): string {
  return `${method} ${branchOf(topVia) ?? ''}`;
}

function targetOf(message: SipMessage): string {
  const address = parseNameAddr(message.headers.get('contact') ?? '');
  if (address === undefined) throw new Error('no Contact');
  return serializeUri(address.uri);
}

function warningOf(response: SipResponse): string {
  return response.headers.get('warning') ?? response.reason;
}
