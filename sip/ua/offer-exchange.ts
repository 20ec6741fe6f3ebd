import { answerWithinMs } from '../answer-within.js';
import { randomInt } from 'node:crypto';
import { failure, type SipFailure } from '../failure.js';
import type { HeaderList, LegListener, Reoffer, ReofferResult } from '../leg.js';
import type { SipRequest } from '../message/index.js';
import { AckWait } from './ack-wait.js';
import { rejected } from './deferred.js';
import type { EndReason } from './end-reason.js';
import type { EndpointContext } from './endpoint-context.js';
import { headerLines, safeHeaders } from './header-lines.js';
import type { LegDialog } from './leg-dialog.js';
import { contactUri, isSdp, sdpOf, type AdaptedRequest, type AdaptedResponse } from './message-adapter.js';
import { Reinvite } from './reinvite.js';
import { InviteServer, PlainServer, type ServerRequest } from './server-request.js';
import type { SessionTimer } from './session-timer.js';

/** Whose INVITE or offer is under way. */
export type Turn = 'local' | 'remote' | undefined;

export interface OfferExchangeOwner {
  /** Undefined when the leg has ended. */
  readonly listener: LegListener | undefined;
  /** The dialog is of no more use; ends the leg. */
  fail(failure: SipFailure): void;
}

/**
 * The offers and answers of one dialog: re-INVITEs both ways, UPDATEs of the browser, and the ACK of every 2xx of ours.
 * One INVITE and one offer at a time (RFC 3261 §14.1, §14.2; RFC 3311 §5).
 */
export class OfferExchange {
  private ackWait: AckWait | undefined;
  private serving: ServerRequest | undefined;
  private reinviting: Reinvite | undefined;
  private closed = false;

  /** Both are set by the leg for the INVITE that makes the dialog. */
  invite: Turn;
  offer: Turn;

  constructor(
    private readonly context: EndpointContext,
    private readonly dialog: LegDialog,
    private readonly timer: SessionTimer,
    private readonly owner: OfferExchangeOwner,
  ) {}

  /** A 2xx of ours to an INVITE has been sent as `text`: sends it again until the ACK comes. */
  awaitAck(server: InviteServer, text: string): Promise<string | undefined> {
    const wait = new AckWait(this.context, server, text, () => {
      this.ackWait = undefined;
      this.owner.fail(failure('call.ack_timeout'));
    });
    this.ackWait = wait;
    return wait.acknowledged;
  }

  /** Takes an ACK; true when it is the one that is waited for. */
  acknowledge(message: AdaptedRequest): boolean {
    const wait = this.ackWait;
    if (wait?.isFor(message.cseq) !== true) return false;
    this.ackWait = undefined;
    this.settleInvite();
    wait.acknowledge(sdpOf(message.original));
    return true;
  }

  receiveInvite(message: AdaptedRequest): void {
    const { listener } = this.owner;
    if (listener === undefined) {
      this.context.refuse(message.original, failure('dialog.unknown'));
      return;
    }
    const refusal = this.refusalOfInvite(message);
    if (refusal !== undefined) {
      this.context.refuse(message.original, refusal);
      return;
    }
    const server = new InviteServer(this.context.core, message);
    server.respond(100);
    server.onCancel = () => {
      this.settleInvite();
      server.respond(487);
    };
    this.invite = 'remote';
    this.begin(server, 'INVITE', listener);
  }

  receiveUpdate(message: AdaptedRequest): void {
    const { listener } = this.owner;
    if (listener === undefined) {
      this.context.refuse(message.original, failure('dialog.unknown'));
      return;
    }
    const refusal = this.refusalOfOffer(message.original);
    if (refusal !== undefined) {
      this.context.refuse(message.original, refusal);
      return;
    }
    const server = new PlainServer(this.context.core, message);
    if (sdpOf(message.original) === undefined) {
      // It refreshes the session timer or the remote target and is nobody else's business.
      this.confirm(server, undefined, []);
      return;
    }
    this.begin(server, 'UPDATE', listener);
  }

  /** A PRACK that brings an offer (RFC 3262 §5): like an UPDATE. */
  receivePrack(message: AdaptedRequest): void {
    const { listener } = this.owner;
    const refusal = this.refusalOfOffer(message.original);
    if (listener === undefined) this.context.refuse(message.original, failure('dialog.unknown'));
    else if (refusal !== undefined) this.context.refuse(message.original, refusal);
    else this.begin(new PlainServer(this.context.core, message), 'PRACK', listener);
  }

  /** Sends a re-INVITE; see `Leg.reoffer`. */
  reinvite(sdp: string | undefined, headers: HeaderList): Promise<ReofferResult> {
    if (this.closed) return rejected(failure('dialog.unknown'));
    if (this.invite !== undefined || this.offer !== undefined)
      return rejected(failure('dialog.request_pending'));
    this.reinviting?.forget();
    this.invite = 'local';
    this.offer = sdp === undefined ? undefined : 'local';
    const user = {
      accepted: ({ original }: AdaptedResponse): void => {
        this.offer = sdp === undefined ? 'remote' : undefined;
        this.dialog.refreshTarget(contactUri(original.headers));
        this.timer.learn(original.headers);
      },
      acknowledged: (): void => this.settleInvite(),
      refused: (refusal: SipFailure): void => {
        this.settleInvite();
        if (refusal.code === 'dialog.unknown') this.owner.fail(refusal);
      },
    };
    const lines = [...this.context.dialogLines, ...headerLines(safeHeaders(headers))];
    this.reinviting = new Reinvite(this.context, this.dialog, user, lines, sdp);
    return this.reinviting.result;
  }

  /** The leg ends: whatever is under way is answered or given up. */
  close(reason: EndReason): void {
    if (this.closed) return;
    this.closed = true;
    this.ackWait?.close(reason);
    this.ackWait = undefined;
    // RFC 3261 §15.1.2: requests that a BYE overtakes.
    this.serving?.respond(487);
    this.serving = undefined;
    this.reinviting?.abandon(reason);
  }

  /** The peer has heard that the leg has ended: no answer to a re-INVITE can follow. */
  peerKnows(): void {
    this.reinviting?.forget();
  }

  private begin(server: ServerRequest, method: Reoffer['method'], listener: LegListener): void {
    const sdp = sdpOf(server.request);
    if (sdp !== undefined) this.offer = 'remote';
    this.serving = server;
    const reoffer: Reoffer = {
      method,
      sdp,
      headers: server.request.headers,
      accept: (answer, headers = []) => this.accept(server, answer, headers),
      reject: (refusal) => {
        if (server.refuse(refusal) !== undefined) this.settle(server);
      },
    };
    // The sender of a re-INVITE has got 100, and waits for as long as it takes.
    if (server instanceof PlainServer)
      server.limit = this.context.after(answerWithinMs, () => this.giveUp(server, reoffer));
    this.context.safely(
      () => listener.reoffer(reoffer),
      (broken) => reoffer.reject(broken),
    );
  }

  private giveUp({ request }: ServerRequest, reoffer: Reoffer): void {
    const { method, callId: sipCallId } = request;
    this.context.log.warn({ method, sipCallId }, 'An offer was not answered in time');
    reoffer.reject(tooEarly());
  }

  private accept(
    server: ServerRequest,
    sdp: string | undefined,
    headers: HeaderList,
  ): Promise<string | undefined> {
    if (!server.isOpen) return rejected(failure('dialog.unknown'));
    const offered = this.offer === 'remote';
    const text = this.confirm(server, sdp, headers);
    if (!(server instanceof InviteServer) || text === undefined) {
      this.settle(server);
      return Promise.resolve(undefined);
    }
    this.serving = undefined;
    this.offer = offered ? undefined : 'local';
    return this.awaitAck(server, text);
  }

  /** Sends the 200 of a target refresh request. */
  private confirm(server: ServerRequest, sdp: string | undefined, headers: HeaderList): string | undefined {
    const { request } = server;
    this.dialog.refreshTarget(contactUri(request.headers));
    return server.respond(200, {
      headers: [
        ...this.context.dialogHeaders,
        ...this.timer.answer(request.headers),
        ...safeHeaders(headers),
      ],
      ...(sdp === undefined ? {} : { sdp }),
    });
  }

  private refusalOfInvite({ original }: AdaptedRequest): SipFailure | undefined {
    if (this.invite === 'local' || this.offer === 'local') return failure('dialog.request_pending');
    if (this.invite === 'remote' || this.offer === 'remote') return tooEarly();
    if (contactUri(original.headers) === undefined)
      return failure('message.malformed', { reason: 'Missing Contact Header' });
    if (original.body.length > 0 && !isSdp(original)) return notSdp();
    return undefined;
  }

  private refusalOfOffer(original: SipRequest): SipFailure | undefined {
    if (original.body.length === 0) return undefined;
    if (!isSdp(original)) return notSdp();
    if (this.offer === 'local') return failure('dialog.request_pending');
    if (this.offer === 'remote') return tooEarly();
    return undefined;
  }

  private settle(server: ServerRequest): void {
    if (server instanceof InviteServer) this.settleInvite();
    else this.settleOffer();
  }

  private settleInvite(): void {
    this.invite = undefined;
    this.settleOffer();
  }

  private settleOffer(): void {
    this.offer = undefined;
    this.serving = undefined;
  }
}

/** RFC 3261 §14.2, RFC 3311 §5.2: an INVITE or offer of the peer is not answered yet. */
function tooEarly(): SipFailure {
  return failure('dialog.request_pending', {
    status: 500,
    reason: 'Server Internal Error',
    headers: [['Retry-After', String(randomInt(0, 11))]],
  });
}

/** RFC 3261 §21.4.13 */
export function notSdp(): SipFailure {
  return failure('message.content_type', { headers: [['Accept', 'application/sdp']] });
}
