import { TransactionState } from 'sip.js/lib/core/index.js';
import type { Timer } from '../clock.js';
import { failure, toFailure, type SipFailure } from '../failure.js';
import type {
  CalleeLeg,
  CalleeListener,
  HeaderList,
  IncomingCall,
  InDialogResponse,
  Invitation,
  Leg,
  LegListener,
  OutOfDialogRequest,
  Party,
} from '../leg.js';
import { newCallId, newTag, type SipMessage, type SipRequest } from '../message/index.js';
import { sessionExpiresOf } from '../session-refresh.js';
import { BrowserCalleeLeg } from './browser-callee-leg.js';
import { BrowserCallerLeg } from './browser-caller-leg.js';
import { sendRequest } from './client-request.js';
import { acceptable, type BrowserSubscription } from './browser-subscription.js';
import type { BrowserLeg, EndpointContext } from './endpoint-context.js';
import type { EndpointCoreOptions, EndpointCoreSizes, OutgoingMessage } from './endpoint-core-options.js';
import { EndpointTransport } from './endpoint-transport.js';
import { EndpointUserAgent } from './endpoint-user-agent.js';
import { answerHeaders, headerLines, partyOf, safeHeaders } from './header-lines.js';
import { requestOf } from './in-dialog.js';
import { LegDialog } from './leg-dialog.js';
import {
  AdaptedRequest,
  AdaptedResponse,
  contactUri,
  isSdp,
  sdpOf,
  transactionKey,
} from './message-adapter.js';
import { notSdp } from './offer-exchange.js';
import { bodyOf, requestOptions, type OutgoingRequest } from './outgoing-request.js';
import { RestoredLeg, type RestorableLeg } from './restored-leg.js';
import { InviteServer, PlainServer, responseText } from './server-request.js';
import { minSessionExpiresSeconds } from './session-timer.js';
import { unconfirmed } from './unconfirmed.js';
import { readWireUri } from './wire-uri.js';

const allowed = 'ACK, BYE, CANCEL, INFO, INVITE, MESSAGE, NOTIFY, OPTIONS, PRACK, REFER, SUBSCRIBE, UPDATE';
/** Methods outside a dialog that are handed to the listener. */
const handedOn: ReadonlySet<string> = new Set(['MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'NOTIFY', 'REFER', 'INFO']);
/** Methods that make sense in a dialog only. */
const needsDialog: ReadonlySet<string> = new Set(['BYE', 'PRACK', 'UPDATE']);

/**
 * The browser side's SIP user agent of one endpoint. It lives across sockets: whoever attaches a new flow calls
 * `resume`. Transactions, dialogs and their tables are sip.js's, one core for each endpoint, because sip.js trusts
 * branches and tags of whoever shares a core. Requests are dispatched here: sip.js's own dispatcher answers 404 to what
 * does not name it, 405 to UPDATE, 416 to `sips:`, throws on other schemes and matches transactions by branch alone.
 */
export class EndpointCore {
  private readonly transport: EndpointTransport;
  private readonly core: EndpointUserAgent;
  private readonly context: EndpointContext;
  private readonly legs = new Map<string, BrowserLeg>();
  private readonly subscriptions = new Map<string, BrowserSubscription>();
  private disposed = false;

  constructor(private readonly options: EndpointCoreOptions) {
    const { log, clock } = options;
    this.transport = new EndpointTransport({
      protocol: options.transport,
      send: (text) => options.send(text),
      log,
      clock,
    });
    this.core = new EndpointUserAgent(newTag(), this.transport, log, clock);
    const dialogHeaders: HeaderList = [
      ['Contact', this.core.contact],
      ['Allow', allowed],
      ['Supported', '100rel, timer, trickle-ice'],
    ];
    this.context = {
      core: this.core,
      log,
      dialogHeaders,
      dialogLines: headerLines(dialogHeaders),
      refuse: (request, refusal) => this.answer(request, refusal),
      addLeg: (leg) => this.legs.set(leg.id, leg),
      removeLeg: (leg) => this.legs.delete(leg.id),
      safely: (act, rescue) => this.safely(act, rescue),
      after: (delayMs, act): Timer => clock.after(delayMs, () => this.safely(act)),
    };
  }

  /** Takes a message that has passed the gates of the edge. Never throws; every request but ACK gets an answer. */
  receive(message: SipMessage): void {
    this.transport.flush();
    if (message.kind === 'response') {
      this.safely(() => this.core.receiveIncomingResponseFromTransport(new AdaptedResponse(message)));
      return;
    }
    this.safely(
      () => this.receiveRequest(message),
      (broken) => this.answerBroken(message, broken),
    );
  }

  /** The endpoint has a flow again: what the last one may have lost is sent again, then what could not be sent meanwhile. */
  resume(): void {
    this.transport.resend([...this.core.answers.take(), ...unconfirmed(this.core)]);
    for (const leg of this.legs.values()) this.safely(() => leg.resumed?.());
  }

  /**
   * Calls the browser at the Contact of one of its bindings. Throws `dialog.unknown` after `dispose`, `endpoint.backlog`
   * while too much waits for a flow, and `message.malformed` when a URI cannot be read.
   */
  invite(target: string, invitation: Invitation, listener: CalleeListener): CalleeLeg {
    const { sdp, from, to } = invitation;
    const request = this.requestTo('INVITE', target, from, to, {
      // A reliable 18x may carry an offer, which only its PRACK could answer (RFC 3262 §5).
      ...requestOptions(
        [
          `Contact: ${this.core.contact}`,
          `Allow: ${allowed}`,
          sdp === undefined ? 'Supported: timer, trickle-ice' : 'Supported: 100rel, timer, trickle-ice',
          ...headerLines(safeHeaders(invitation.headers)),
        ],
        sdp,
      ),
    });
    return new BrowserCalleeLeg(this.context, request, invitation, listener);
  }

  /** Goes on with a leg of an earlier process. Throws `dialog.unknown` after `dispose`. */
  restore(leg: RestorableLeg, listener: LegListener): Leg {
    if (this.disposed) throw failure('dialog.unknown', { detail: 'the endpoint is gone' });
    return new RestoredLeg(this.context, leg, listener);
  }

  /**
   * Sends a request outside any dialog to the Contact of one of the browser's bindings. Rejects with a SipFailure when
   * no response arrives in 64·T1; throws like {@link invite}.
   */
  request(method: string, target: string, message: OutgoingMessage): Promise<InDialogResponse> {
    const { content } = message;
    const request = this.requestTo(method, target, message.from, message.to, {
      extraHeaders: [
        `Contact: ${this.core.contact}`,
        `Supported: timer`,
        ...headerLines(safeHeaders(message.headers ?? [])),
      ],
      ...(content === undefined ? {} : { body: bodyOf(content.contentType, content.body) }),
    });
    return sendRequest(this.context, request).promise;
  }

  /** The request names a dialog of this endpoint by Call-ID and both tags (RFC 3261 §12). */
  hasDialog(request: SipRequest): boolean {
    return this.core.dialogs.has(LegDialog.idOf(new AdaptedRequest(request)));
  }

  sizes(): EndpointCoreSizes {
    return {
      transactions: this.core.userAgentClients.size + this.core.userAgentServers.size,
      dialogs: this.core.dialogs.size,
      legs: this.legs.size,
      subscriptions: this.subscriptions.size,
      unsent: this.transport.size,
    };
  }

  /** Ends everything without a word to the browser; its legs end with `endpoint.lost`. Idempotent. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const leg of this.legs.values()) this.safely(() => leg.lose(failure('endpoint.lost')));
    this.legs.clear();
    for (const subscription of [...this.subscriptions.values()]) subscription.lose();
    this.core.dispose();
    this.transport.close();
  }

  private receiveRequest(request: SipRequest): void {
    if (this.disposed) {
      this.answer(request, failure('endpoint.lost'));
      return;
    }
    if (request.method === 'CANCEL') {
      this.receiveCancel(request);
      return;
    }
    const message = new AdaptedRequest(request);
    const serving = this.core.userAgentServers.get(message.viaBranch);
    // The ACK of a 2xx is no part of the INVITE's transaction, whatever its branch (RFC 3261 §17.1.1.3).
    const forDialog = request.method === 'ACK' && serving?.transaction.state === TransactionState.Accepted;
    if (serving !== undefined && !forDialog) {
      serving.transaction.receiveRequest(message);
      return;
    }
    if (request.body.length > 0 && !request.headers.has('content-type') && request.method !== 'ACK') {
      this.answer(request, failure('message.malformed', { reason: 'Missing Content-Type Header' }));
      return;
    }
    if (message.toTag === undefined) this.receiveOutsideDialog(message);
    else this.receiveInsideDialog(message);
  }

  /** RFC 3261 §9.2 */
  private receiveCancel(request: SipRequest): void {
    const serving = this.core.userAgentServers.get(transactionKey(request));
    if (!(serving instanceof InviteServer)) {
      this.answer(request, failure('dialog.unknown'));
      return;
    }
    this.send(responseText(request, 200, {}, serving.localTag));
    if (serving.isOpen) serving.onCancel?.(request);
  }

  /** RFC 3261 §12.2.2 */
  private receiveInsideDialog(message: AdaptedRequest): void {
    const id = LegDialog.idOf(message);
    const subscription = this.subscriptions.get(id);
    if (subscription !== undefined) {
      subscription.receive(message);
      return;
    }
    const dialog = this.core.dialogs.get(id);
    if (dialog instanceof LegDialog && dialog.user !== undefined) {
      dialog.user.receive(message);
      return;
    }
    if (message.method !== 'ACK') this.answer(message.original, failure('dialog.unknown'));
  }

  private receiveOutsideDialog(message: AdaptedRequest): void {
    const { method, original } = message;
    if (method === 'ACK') return;
    if (needsDialog.has(method)) {
      this.answer(original, failure('dialog.unknown'));
      return;
    }
    if (method === 'OPTIONS') {
      // RFC 3261 §11.2
      this.send(
        responseText(original, 200, {
          headers: [...this.context.dialogHeaders, ['Accept', 'application/sdp']],
        }),
      );
      return;
    }
    if (method === 'INVITE') {
      this.receiveInvite(message);
      return;
    }
    if (!handedOn.has(method)) {
      this.answer(original, failure('message.method_not_allowed', { headers: [['Allow', allowed]] }));
      return;
    }
    this.handOn(message);
  }

  private receiveInvite(message: AdaptedRequest): void {
    const { original } = message;
    const refusal = this.refusalOfInvite(message);
    if (refusal !== undefined) {
      this.answer(original, refusal);
      return;
    }
    const leg = new BrowserCallerLeg(this.context, message);
    const call: IncomingCall = {
      leg,
      requestUri: original.requestUri,
      from: partyOf(original.from),
      to: partyOf(original.to),
      sdp: sdpOf(original),
      headers: original.headers,
    };
    this.safely(
      () => this.options.listener.incomingCall(call),
      (broken) => leg.fail(broken),
    );
  }

  private refusalOfInvite(message: AdaptedRequest): SipFailure | undefined {
    const { original } = message;
    if (contactUri(original.headers) === undefined)
      return failure('message.malformed', { reason: 'Missing Contact Header' });
    if (original.body.length > 0 && !isSdp(original)) return notSdp();
    if (this.isMerged(message)) return failure('message.loop');
    const expires = sessionExpiresOf(original.headers);
    if (expires !== undefined && expires.seconds < minSessionExpiresSeconds) {
      return failure('message.session_interval', { headers: [['Min-SE', String(minSessionExpiresSeconds)]] });
    }
    return undefined;
  }

  /** The same request over another path (RFC 3261 §8.2.2.2). */
  private isMerged({ fromTag, callId, cseq, method }: AdaptedRequest): boolean {
    for (const { message } of this.core.userAgentServers.values()) {
      const same = message.callId === callId && message.cseq === cseq && message.fromTag === fromTag;
      if (same && message.method === method) return true;
    }
    return false;
  }

  private handOn(message: AdaptedRequest): void {
    const { original } = message;
    const server = new PlainServer(this.core, message);
    const own: HeaderList = [['Contact', this.core.contact]];
    const request = requestOf(this.context, server, (status, reason, headers) => {
      server.respond(status, {
        ...(reason === undefined ? {} : { reason }),
        headers: answerHeaders(status < 300 ? own : [], headers ?? []),
      });
    });
    const outside: OutOfDialogRequest = {
      ...request,
      refuse: (refusal) => {
        request.respond(refusal.status, refusal.reason, refusal.headers);
        this.options.listener.refused?.(original, refusal);
      },
      requestUri: original.requestUri,
      from: partyOf(original.from),
      to: partyOf(original.to),
    };
    const books = { context: this.context, contact: this.core.contact, table: this.subscriptions };
    this.safely(
      () => this.options.listener.request(acceptable(outside, server, books)),
      (broken) => outside.refuse(broken),
    );
  }

  private requestTo(
    method: string,
    target: string,
    from: Party,
    to: Party,
    options: ReturnType<typeof requestOptions>,
  ): OutgoingRequest {
    if (this.disposed) throw failure('dialog.unknown', { detail: 'the endpoint is gone' });
    if (this.core.isFull) throw failure('endpoint.backlog');
    return this.core.makeOutgoingRequestMessage(
      method,
      readWireUri(target),
      readWireUri(from.uri, from.displayName),
      readWireUri(to.uri, to.displayName),
      { callId: newCallId(), fromTag: newTag(), cseq: 1 },
      options.extraHeaders,
      options.body,
    );
  }

  private answer(request: SipRequest, refusal: SipFailure): void {
    if (request.method === 'ACK') return;
    const { status, reason, headers } = refusal;
    this.send(responseText(request, status, { reason, headers }));
    this.options.listener.refused?.(request, refusal);
  }

  /** Something threw while the request was served: 500, in its transaction if there is one. */
  private answerBroken(request: SipRequest, broken: SipFailure): void {
    const serving = this.core.userAgentServers.get(transactionKey(request));
    if (serving instanceof InviteServer || serving instanceof PlainServer) serving.refuse(broken);
    else this.answer(request, broken);
  }

  /** A final response outside any transaction. */
  private send(text: string): void {
    this.core.answers.add(text);
    void this.transport.send(text);
  }

  private safely(act: () => void, rescue?: (broken: SipFailure) => void): void {
    try {
      act();
    } catch (err) {
      const broken = toFailure(err);
      this.options.log.error({ err, endpointId: this.options.id, code: broken.code }, 'A browser leg threw');
      if (rescue !== undefined) this.safely(() => rescue(broken));
    }
  }
}
