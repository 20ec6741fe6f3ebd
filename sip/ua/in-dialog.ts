import { failure } from '../failure.js';
import type {
  BrowserDialogSnapshot,
  HeaderList,
  HeaderView,
  InDialogRequest,
  InDialogResponse,
  ReofferResult,
} from '../leg.js';
import { endsDialog, sendRequest, type PendingResponse } from './client-request.js';
import { rejected } from './deferred.js';
import { failureFor, type EndReason } from './end-reason.js';
import type { EndpointContext } from './endpoint-context.js';
import { answerHeaders, headerLines, safeHeaders } from './header-lines.js';
import type { DialogUser, LegDialog } from './leg-dialog.js';
import { contactUri, type AdaptedRequest, type AdaptedResponse } from './message-adapter.js';
import { OfferExchange, type OfferExchangeOwner } from './offer-exchange.js';
import { bodyOf } from './outgoing-request.js';
import { PlainServer } from './server-request.js';
import { SessionTimer } from './session-timer.js';
import { transactionTimeoutMs } from './timing.js';

export interface DialogOwner extends OfferExchangeOwner {
  /** The peer has acknowledged the 2xx to the INVITE that made the dialog or to a re-INVITE. */
  acknowledged(): void;
  /** The peer has hung up; its BYE has been answered. */
  hungUp(reason: string | undefined): void;
  /** A PRACK to be answered. */
  acknowledgeProvisional(prack: AdaptedRequest): void;
}

/** Methods that are handed to the leg's listener. */
const handedOn: ReadonlySet<string> = new Set(['INFO', 'MESSAGE', 'REFER', 'NOTIFY', 'OPTIONS']);
/** Requests that refresh the remote target must name ours (RFC 3261 §12.2, RFC 3515 §2.2). */
const refreshesTarget: ReadonlySet<string> = new Set(['UPDATE', 'REFER', 'SUBSCRIBE', 'NOTIFY']);

/** Everything that happens inside the dialog of one leg, for both roles. */
export class InDialog implements DialogUser {
  readonly exchange: OfferExchange;
  private readonly timer: SessionTimer;
  private readonly serving = new Set<PlainServer>();
  private readonly sent = new Set<PendingResponse>();
  private closed = false;
  /** RFC 3311 §4 */
  private peerTakesUpdate = false;

  constructor(
    private readonly context: EndpointContext,
    private readonly dialog: LegDialog,
    private readonly owner: DialogOwner,
  ) {
    dialog.user = this;
    this.timer = new SessionTimer(context, {
      refresh: (sessionExpires) => this.refresh(sessionExpires),
      expired: () => owner.fail(failure('call.session_expired')),
    });
    this.exchange = new OfferExchange(context, dialog, this.timer, owner);
  }

  /** We answer the peer's INVITE with 2xx; returns the headers that it needs besides Contact. */
  confirm(invite: HeaderView): HeaderList {
    this.dialog.confirm();
    this.learnAllow(invite);
    return this.timer.answer(invite);
  }

  /** The peer has answered our INVITE with this 2xx. */
  confirmed(answer: AdaptedResponse): void {
    const { headers } = answer.original;
    this.dialog.confirm();
    this.dialog.recomputeRouteSet(answer);
    this.dialog.refreshTarget(contactUri(headers));
    this.learnAllow(headers);
    this.timer.learn(headers);
  }

  /** What an earlier process knew beyond the dialog itself. */
  restore({ takesUpdate, sessionTimer, localTag }: BrowserDialogSnapshot): void {
    this.peerTakesUpdate = takesUpdate;
    if (sessionTimer !== undefined) this.timer.restore(sessionTimer, localTag);
  }

  /** See `Leg.snapshot`. */
  snapshot(): BrowserDialogSnapshot | undefined {
    const dialog = this.closed ? undefined : this.dialog.snapshot();
    if (dialog === undefined) return undefined;
    return { ...dialog, takesUpdate: this.peerTakesUpdate, sessionTimer: this.timer.running };
  }

  /** Takes a request of the peer in this dialog, but CANCEL. */
  receive(message: AdaptedRequest): void {
    if (message.method === 'ACK') {
      if (this.exchange.acknowledge(message)) this.owner.acknowledged();
      return;
    }
    if (!this.dialog.isInOrder(message)) {
      this.context.refuse(message.original, failure('dialog.sequence'));
      return;
    }
    this.dialog.receiveRequest(message);
    this.learnAllow(message.original.headers);
    switch (message.method) {
      case 'INVITE':
        this.exchange.receiveInvite(message);
        return;
      case 'UPDATE':
        this.exchange.receiveUpdate(message);
        return;
      case 'BYE':
        this.receiveBye(message);
        return;
      case 'PRACK':
        this.owner.acknowledgeProvisional(message);
        return;
      default:
        this.receiveOther(message);
    }
  }

  /** See `Leg.reoffer`. */
  reoffer(sdp: string | undefined, headers: HeaderList): Promise<ReofferResult> {
    if (this.context.core.isFull) return rejected(failure('endpoint.backlog'));
    return this.exchange.reinvite(sdp, headers);
  }

  /** See `Leg.request`. */
  request(
    method: string,
    content: { readonly contentType: string; readonly body: string } | undefined,
    headers: HeaderList,
  ): Promise<InDialogResponse> {
    if (this.closed) return rejected(failure('dialog.unknown'));
    if (this.context.core.isFull) return rejected(failure('endpoint.backlog'));
    const offers = method === 'UPDATE' && content?.contentType === 'application/sdp';
    if (offers && this.exchange.offer !== undefined) return rejected(failure('dialog.request_pending'));
    const lines = headerLines(safeHeaders(headers));
    const extraHeaders = refreshesTarget.has(method) ? [...this.context.dialogLines, ...lines] : lines;
    const request = this.dialog.createOutgoingRequestMessage(method, {
      extraHeaders,
      ...(content === undefined ? {} : { body: bodyOf(content.contentType, content.body) }),
    });
    const pending = sendRequest(this.context, request);
    this.sent.add(pending);
    if (offers) this.exchange.offer = 'local';
    const settled = (status: number): void => {
      this.sent.delete(pending);
      if (offers) this.exchange.offer = undefined;
      if (!this.closed && endsDialog(status)) this.owner.fail(failure('dialog.unknown', { status }));
    };
    pending.promise.then(
      ({ status }) => this.context.safely(() => settled(status)),
      () => this.context.safely(() => settled(408)),
    );
    return pending.promise;
  }

  /** Says goodbye and closes (RFC 3261 §15.1.1). `answered` runs when the peer has answered, or never will. */
  bye(headers: HeaderList, reason: EndReason, answered: () => void = () => undefined): void {
    if (this.closed) return;
    const extraHeaders = headerLines(safeHeaders(headers));
    const request = this.dialog.createOutgoingRequestMessage('BYE', { extraHeaders });
    this.close(reason);
    const over = (): void => {
      this.exchange.peerKnows();
      answered();
    };
    const settled = (): void => this.context.safely(over);
    sendRequest(this.context, request).promise.then(settled, settled);
  }

  /** Removes the dialog without a word; requests under way end with `reason` or 487. Idempotent. */
  close(reason: EndReason): void {
    if (this.closed) return;
    this.closed = true;
    this.timer.stop();
    this.dialog.dispose();
    this.exchange.close(reason);
    for (const server of this.serving) server.respond(487);
    this.serving.clear();
    for (const pending of this.sent) pending.reject(failureFor(reason));
    this.sent.clear();
  }

  private receiveBye(message: AdaptedRequest): void {
    new PlainServer(this.context.core, message).respond(200);
    this.owner.hungUp(message.original.headers.get('reason'));
  }

  private receiveOther(message: AdaptedRequest): void {
    const { listener } = this.owner;
    if (!handedOn.has(message.method)) {
      const headers = this.context.dialogHeaders.filter(([name]) => name === 'Allow');
      this.context.refuse(message.original, failure('message.method_not_allowed', { headers }));
      return;
    }
    if (listener === undefined) {
      this.context.refuse(message.original, failure('dialog.unknown'));
      return;
    }
    const server = new PlainServer(this.context.core, message);
    this.serving.add(server);
    const request = requestOf(this.context, server, (status, reason, headers) => {
      this.serving.delete(server);
      const own = status < 300 && refreshesTarget.has(message.method) ? this.context.dialogHeaders : [];
      server.respond(status, {
        ...(reason === undefined ? {} : { reason }),
        headers: answerHeaders(own, headers ?? []),
      });
    });
    this.context.safely(
      () => listener.request(request),
      ({ status, reason }) => request.respond(status, reason),
    );
  }

  private refresh(sessionExpires: string): void {
    // Without UPDATE the session can only expire: a re-INVITE would need an offer of the call's.
    if (!this.peerTakesUpdate) return;
    this.request('UPDATE', undefined, [['Session-Expires', sessionExpires]]).then(
      ({ headers, status }) => {
        if (status < 300 && !this.closed) this.timer.learn(headers);
      },
      () => undefined,
    );
  }

  private learnAllow(headers: HeaderView): void {
    const values = headers.getAll('allow');
    if (values.length === 0) return;
    const methods = values.join(',').toUpperCase().split(',');
    this.peerTakesUpdate = methods.some((method) => method.trim() === 'UPDATE');
  }
}

/** A request as its receiver sees it. Only the first `respond` counts, and none after 64·T1: nobody waits any more. */
export function requestOf(
  context: EndpointContext,
  server: PlainServer,
  respond: InDialogRequest['respond'],
): InDialogRequest {
  const { request } = server;
  server.limit = context.after(transactionTimeoutMs, () => {
    context.log.warn({ method: request.method, sipCallId: request.callId }, 'A request was never answered');
    server.finish();
  });
  return {
    method: request.method,
    headers: request.headers,
    contentType: request.headers.get('content-type'),
    body: request.body.toString('utf8'),
    respond: (status, reason, headers) => {
      if (server.isOpen) respond(status, reason, headers);
    },
  };
}
