import { NonInviteClientTransaction, UserAgentClient } from 'sip.js/lib/core/index.js';
import type { Timer } from '../clock.js';
import { failure, type FailureCode, type SipFailure } from '../failure.js';
import type {
  BrowserDialogSnapshot,
  CalleeLeg,
  CalleeListener,
  HeaderList,
  HeaderView,
  InDialogResponse,
  Invitation,
  LegEnd,
  ReofferResult,
} from '../leg.js';
import { forget, passedOn } from './client-request.js';
import { rejected } from './deferred.js';
import type { EndReason } from './end-reason.js';
import type { BrowserLeg, EndpointContext } from './endpoint-context.js';
import { hasOptionTag, headerLines, safeHeaders } from './header-lines.js';
import { InDialog, type DialogOwner } from './in-dialog.js';
import { InviteClient } from './invite-client.js';
import type { LegDialog } from './leg-dialog.js';
import { sdpOf, type AdaptedRequest, type AdaptedResponse } from './message-adapter.js';
import type { OutgoingRequest } from './outgoing-request.js';
import { timerCMs, transactionTimeoutMs } from './timing.js';

/**
 * `inviting`: no final response yet; `answered`: 2xx received, ACK not sent yet; `withdrawn`: cancelled, the final
 * response is still to come; `ended`: nothing can follow.
 */
type State = 'inviting' | 'answered' | 'established' | 'withdrawn' | 'ended';

interface Fork {
  readonly dialog: LegDialog;
  readonly inDialog: InDialog;
  rseq: number | undefined;
  sdp: string | undefined;
}

/** The leg of a browser that is called: we send its INVITE. */
export class BrowserCalleeLeg implements CalleeLeg, BrowserLeg, DialogOwner {
  readonly side = 'browser';
  readonly role = 'callee';
  readonly id: string;
  readonly sipCallId: string;

  private state: State = 'inviting';
  private told = false;
  private readonly client: InviteClient;
  private readonly forks = new Map<LegDialog, Fork>();
  private connected: Fork | undefined;
  private limit: Timer;

  /** Sends the INVITE. */
  constructor(
    private readonly context: EndpointContext,
    private readonly invite: OutgoingRequest,
    private readonly invitation: Invitation,
    private readonly callee: CalleeListener,
  ) {
    this.id = invitation.legId;
    this.sipCallId = invite.callId;
    context.addLeg(this);
    this.limit = context.after(timerCMs, () => this.giveUp());
    this.client = new InviteClient(context, invite, {
      progress: (dialog, response) => this.progressed(dialog, response),
      accepted: (dialog, response) => this.accepted(dialog, response),
      refused: (response) => this.refused(response),
      broken: (broken) => this.fail(broken),
    });
  }

  /** Undefined once the leg has told its end. */
  get listener(): CalleeListener | undefined {
    return this.told ? undefined : this.callee;
  }

  reoffer(sdp: string | undefined, headers: HeaderList = []): Promise<ReofferResult> {
    if (this.state === 'ended' || this.state === 'withdrawn') return rejected(failure('dialog.unknown'));
    return this.connected?.inDialog.reoffer(sdp, headers) ?? rejected(failure('dialog.request_pending'));
  }

  request(
    method: string,
    content?: { readonly contentType: string; readonly body: string },
    headers: HeaderList = [],
  ): Promise<InDialogResponse> {
    const fork = this.connected ?? this.forks.values().next().value;
    return fork?.inDialog.request(method, content, headers) ?? rejected(failure('dialog.unknown'));
  }

  hangUp(reason: { readonly failure?: SipFailure; readonly headers?: HeaderList } = {}): void {
    const end: LegEnd = {
      cause: 'local',
      ...(reason.failure === undefined ? {} : { failure: reason.failure }),
    };
    const headers = reason.headers ?? [];
    switch (this.state) {
      case 'inviting':
        this.tellEnd(end);
        this.withdraw(headers);
        return;
      case 'answered':
      case 'established':
        this.tellEnd(end);
        this.leave(headers, 'dialog.unknown');
        this.finish(end);
        return;
      case 'withdrawn':
      case 'ended':
        return;
    }
  }

  snapshot(): BrowserDialogSnapshot | undefined {
    return this.state === 'established' ? this.connected?.inDialog.snapshot() : undefined;
  }

  lose(lost: SipFailure): void {
    const unanswered = this.state === 'inviting';
    if (unanswered) this.tellFailure(lost);
    this.finish({ cause: 'failure', failure: lost });
  }

  /** Interop: JsSIP forgets the INVITE with its socket, and then knows nothing of the CANCEL, but rings on. */
  resumed(): void {
    if (this.state !== 'withdrawn') return;
    // RFC 3261 §15: a caller may end an early dialog by BYE.
    const over = (): void => this.finish({ cause: 'local' });
    for (const { inDialog } of this.forks.values()) inDialog.bye([], 'caller.cancelled', over);
  }

  acknowledged(): void {
    // The ACK of a re-INVITE of the browser's: nothing changes for the leg.
  }

  hungUp(reason: string | undefined): void {
    if (this.state === 'inviting') {
      // RFC 3261 §15 forbids a callee the BYE before its 2xx; it is taken for a refusal.
      this.tellFailure(failure('callee.declined', { status: 480, reason: 'Temporarily Unavailable' }));
      this.withdraw([]);
      return;
    }
    if (this.state === 'withdrawn') return;
    if (this.state === 'answered') this.acknowledge(undefined);
    this.finish({ cause: 'remote', ...(reason === undefined ? {} : { reason }) });
  }

  fail(broken: SipFailure): void {
    if (this.state === 'ended' || this.state === 'withdrawn') return;
    if (this.state === 'inviting') {
      this.tellFailure(broken);
      this.withdraw([]);
      return;
    }
    this.leave([], broken);
    this.finish({ cause: 'failure', failure: broken });
  }

  /** We send no reliable provisional responses in this role. */
  acknowledgeProvisional({ original }: AdaptedRequest): void {
    this.context.refuse(original, failure('dialog.unknown'));
  }

  private progressed(dialog: LegDialog, response: AdaptedResponse): void {
    const fork = this.forkOf(dialog);
    const { status, reason, headers } = response.original;
    const rseq = Number(headers.get('rseq'));
    if (hasOptionTag(headers, 'require', '100rel') && Number.isSafeInteger(rseq)) {
      // RFC 3262 §4: retransmissions and responses out of order are dropped.
      if (fork.rseq !== undefined && rseq !== fork.rseq + 1) return;
      fork.rseq = rseq;
      this.prack(dialog, rseq);
      if (sdpOf(response.original) !== undefined) fork.inDialog.exchange.offer = undefined;
    }
    if (this.state !== 'inviting') return;
    this.limit.cancel();
    this.limit = this.context.after(timerCMs, () => this.giveUp());
    const sdp = sdpOf(response.original);
    fork.sdp = sdp ?? fork.sdp;
    this.context.safely(() => this.callee.progress({ status, reason, sdp, headers }));
  }

  private accepted(dialog: LegDialog, response: AdaptedResponse): void {
    const fork = this.forkOf(dialog);
    fork.inDialog.confirmed(response);
    if (this.state !== 'inviting') {
      // A fork that answers too late, or an answer that crosses our CANCEL (RFC 3261 §13.2.2.4, §9.1).
      dialog.acknowledge(this.client, this.invite.cseq, undefined);
      fork.inDialog.bye([], 'callee.elsewhere');
      if (this.state === 'withdrawn') this.finish({ cause: 'local' });
      return;
    }
    this.limit.cancel();
    this.state = 'answered';
    this.connected = fork;
    this.dropForksBut(fork);
    const { status, reason, headers } = response.original;
    const sdp = sdpOf(response.original) ?? fork.sdp;
    const ack = (answer?: string): void => {
      if (this.state === 'answered') this.acknowledge(answer);
    };
    this.context.safely(
      () => this.callee.answered({ status, reason, sdp, headers, ack }),
      (broken) => this.hangUp({ failure: broken }),
    );
  }

  private refused(response: AdaptedResponse | undefined): void {
    if (this.state !== 'inviting' && this.state !== 'withdrawn') return;
    this.tellFailure(failureOf(response), response?.original.headers);
    this.finish({ cause: 'local' }, response !== undefined);
  }

  private acknowledge(answer: string | undefined): void {
    const fork = this.connected;
    if (fork === undefined) return;
    this.state = 'established';
    fork.inDialog.exchange.invite = undefined;
    fork.inDialog.exchange.offer = undefined;
    fork.dialog.acknowledge(
      this.client,
      this.invite.cseq,
      this.invitation.sdp === undefined ? answer : undefined,
    );
  }

  private withdraw(headers: HeaderList): void {
    this.state = 'withdrawn';
    this.limit.cancel();
    // RFC 3261 §9.1: without a final response the INVITE is taken for cancelled after 64·T1.
    this.limit = this.context.after(transactionTimeoutMs, () => this.finish({ cause: 'local' }));
    this.context.safely(() => this.client.withdraw(headerLines(safeHeaders(headers))));
  }

  /** ACK if it is still due, then BYE (RFC 3261 §15). */
  private leave(headers: HeaderList, reason: EndReason): void {
    this.context.safely(() => {
      if (this.state === 'answered') this.acknowledge(undefined);
      this.connected?.inDialog.bye(headers, reason);
    });
  }

  /** Timer C (RFC 3261 §16.8): no final response in time. */
  private giveUp(): void {
    this.tellFailure(failure('callee.no_answer', { status: 408, reason: 'Request Timeout' }));
    this.withdraw([]);
  }

  private prack(dialog: LegDialog, rseq: number): void {
    const extraHeaders = [`RAck: ${rseq} ${this.invite.cseq} INVITE`];
    const request = dialog.createOutgoingRequestMessage('PRACK', { extraHeaders });
    new UserAgentClient(NonInviteClientTransaction, this.context.core, request);
  }

  private forkOf(dialog: LegDialog): Fork {
    const known = this.forks.get(dialog);
    if (known !== undefined) return known;
    const inDialog = new InDialog(this.context, dialog, this);
    inDialog.exchange.invite = 'local';
    inDialog.exchange.offer = this.invitation.sdp === undefined ? undefined : 'local';
    const fork: Fork = { dialog, inDialog, rseq: undefined, sdp: undefined };
    this.forks.set(dialog, fork);
    return fork;
  }

  private dropForksBut(kept: Fork | undefined): void {
    for (const fork of this.forks.values()) {
      if (fork === kept) continue;
      this.forks.delete(fork.dialog);
      this.context.safely(() => fork.inDialog.close('callee.elsewhere'));
    }
  }

  /** @param keepTransaction - the transaction still has a retransmission to answer and ends by itself */
  private finish(end: LegEnd, keepTransaction = false): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.limit.cancel();
    this.context.safely(() => this.connected?.inDialog.close(end.failure ?? 'dialog.unknown'));
    this.dropForksBut(undefined);
    if (!keepTransaction) forget(this.context.core, this.client);
    this.context.removeLeg(this);
    this.tellEnd(end);
  }

  private tellEnd(end: LegEnd): void {
    if (this.told) return;
    this.told = true;
    this.context.safely(() => this.callee.ended(end));
  }

  private tellFailure(refusal: SipFailure, headers?: HeaderView): void {
    if (this.told) return;
    this.told = true;
    this.context.safely(() => this.callee.failed(refusal, headers));
  }
}

const codeOfStatus: ReadonlyMap<number, FailureCode> = new Map<number, FailureCode>([
  [408, 'callee.no_answer'],
  [480, 'callee.no_answer'],
  [486, 'callee.busy'],
  [600, 'callee.busy'],
  [603, 'callee.declined'],
]);

function failureOf(response: AdaptedResponse | undefined): SipFailure {
  if (response === undefined) return failure('endpoint.lost');
  const { status, reason, headers } = response.original;
  const code = codeOfStatus.get(status) ?? 'upstream.refused';
  return failure(code, { status, reason, party: 'callee', headers: passedOn(headers) });
}
