import { randomUUID } from 'node:crypto';
import { tagOf } from '../../message/index.js';
import type { Timer } from '../../clock.js';
import type { ControlClient, SipCommand } from '../control-protocol/control-client.js';
import { internalMeta, receivedMeta, sentMeta } from '../control-protocol/meta.js';
import { contactUri } from '../dialog/contact.js';
import { Dialog } from '../dialog/dialog.js';
import { routeSetOf } from '../dialog/route-set.js';
import type { InviteClientTransaction, InviteClientUser } from '../transaction/invite-client.js';
import type { Channel } from '../transport/channel.js';
import type { ReceivedResponse } from '../wire/received.js';
import type { SentRequest } from '../wire/sent-request.js';
import type { AppMessage } from './app-message.js';
import { uacDialogId, type Core, type PendingInvite } from './core.js';
import { AppHeaders } from './header-policy.js';
import type { HopSeries } from './hop-series.js';
import { armFromResponse } from './session-timer.js';
import { acknowledgeAndEnd, nobody, sendOwnBye } from './own-requests.js';
import { hostPortOf, unsentReason } from './unsent.js';

/** The ACK of one fork's 2xx, to be repeated whenever that 2xx is (RFC 3261 §13.2.2.4). */
interface Acknowledgement {
  readonly bytes: Buffer;
  readonly channel: Channel;
}

export interface ClientInviteOptions {
  readonly transactionId: string;
  readonly owner: ControlClient;
  /** The request for its first hop, and for those that can take its place. */
  readonly request: SentRequest;
  readonly series: HopSeries;
  readonly requestUri: string;
  readonly localTag: string;
  readonly credentials: string;
  /** The dialog of a re-INVITE. */
  readonly dialog: Dialog | undefined;
}

/** Of one INVITE. */
const mostForks = 64;

/** Sends an INVITE of the application. */
export function startInvite(core: Core, options: ClientInviteOptions): void {
  new ClientInvite(core, options).start();
}

/**
 * An INVITE that the application sent to one hop: its provisional dialogs, its CANCEL and the races around its 2xx. When
 * the hop does not serve it, another ClientInvite takes its place at the next (RFC 3263 §4.3).
 */
class ClientInvite implements InviteClientUser, PendingInvite {
  owner: ControlClient | undefined;
  private readonly dialogId: string;
  private transaction: InviteClientTransaction | undefined;
  /** Dialogs that responses have made, by remote tag; all but the winner end with the transaction. */
  private readonly forks = new Map<string, Dialog>();
  /** By remote tag. */
  private readonly acknowledgements = new Map<string, Acknowledgement>();
  /** RSeq of the last reliable provisional response, by remote tag. */
  private readonly reliable = new Map<string, number>();
  /** It has been told. */
  private hasTooMany = false;
  private winner: Dialog | undefined;
  private cancelText = '';
  private cancelState: 'none' | 'held' | 'sent' = 'none';
  private hasProvisional = false;
  /** Another hop is being tried: the application hears no more of this one. */
  private isReplaced = false;
  private giveUp: Timer | undefined;
  private patience: Timer | undefined;

  constructor(
    private readonly core: Core,
    private readonly options: ClientInviteOptions,
  ) {
    const { dialog, request, localTag } = options;
    this.owner = options.owner;
    this.dialogId = dialog?.id ?? uacDialogId(request.callId, localTag);
    if (dialog !== undefined) dialog.inviteOut = true;
  }

  /** Sends the INVITE. */
  start(): void {
    const { request, series, transactionId } = this.options;
    if (!this.core.invites.has(transactionId)) this.countName(1);
    this.core.invites.set(transactionId, this);
    if (series.hasNext)
      this.patience = this.core.clock.after(this.core.timers.silentHopMs, () => this.leave());
    this.transaction = this.core.transactions.sendInvite(
      request.branch,
      request.bytes,
      request.channel,
      this,
    );
  }

  response(response: ReceivedResponse): void {
    const { status } = response.message;
    this.patience?.cancel();
    if (!this.isReplaced) this.options.series.answered();
    if (status < 200) this.provisional(response);
    else if (status < 300) this.success(response);
    else this.failure(response);
  }

  timedOut(): void {
    if (this.isReplaced) return;
    if (this.cancelState === 'sent') return this.locally(487, 'Request Terminated');
    if (!this.hasProvisional) this.options.series.failed();
    if (!this.moveOn()) this.locally(408, 'Request Timeout');
  }

  unsent(error: Error): void {
    if (this.isReplaced) return;
    this.options.series.failed();
    if (!this.moveOn()) this.locally(503, ...unsentReason(error));
  }

  acknowledgement(response: ReceivedResponse): Buffer {
    return this.options.request.failureAck(response.message.headers.get('to') ?? '');
  }

  gone(): void {
    this.giveUp?.cancel();
    this.patience?.cancel();
    this.finish();
    this.endForks();
    this.acknowledgements.clear();
    this.reliable.clear();
  }

  cancel(client: ControlClient, command: SipCommand, request: AppMessage): void {
    const { request: invite } = this.options;
    const headers = new AppHeaders(request);
    this.cancelText = invite.cancel(
      headers.known(invite.channel.sentBy, 'Supported', 'Require') + headers.other,
    );
    const isHeld = !this.hasProvisional;
    const meta = sentMeta(invite.channel, isHeld ? 0 : Buffer.byteLength(this.cancelText));
    client.requestSent(command.id, meta, randomUUID(), this.cancelText);
    if (this.cancelState !== 'none') return;
    if (isHeld) this.cancelState = 'held';
    else this.sendCancel();
  }

  /** The call has nobody who could answer for it any more: it is cancelled, or ended once it is answered. */
  ownerLost(): void {
    this.owner = undefined;
    for (const dialog of this.forks.values()) dialog.owner = undefined;
    if (this.options.dialog !== undefined || this.cancelState !== 'none') return;
    this.cancelText = this.options.request.cancel('');
    if (this.hasProvisional) this.sendCancel();
    else this.cancelState = 'held';
  }

  /** The hop is silent and there is another: what it says later is cancelled, or ended. */
  private leave(): void {
    this.options.series.failed();
    if (!this.moveOn()) return;
    this.cancelText = this.options.request.cancel('');
    this.cancelState = 'held';
    this.transaction?.silence();
  }

  /** Tries the next hop, unless somebody could be ringing already; false when there is none. */
  private moveOn(): boolean {
    const { owner, options, core } = this;
    if (owner === undefined || this.cancelState !== 'none' || this.forks.size > 0) return false;
    const request = options.series.next();
    if (request === undefined) return false;
    core.log.info(
      { sipCallId: request.callId, from: hostPortOf(options.request), to: hostPortOf(request) },
      'INVITE tried at the next address',
    );
    this.owner = undefined;
    this.isReplaced = true;
    startInvite(core, { ...options, owner, request });
    return true;
  }

  private provisional(response: ReceivedResponse): void {
    this.hasProvisional = true;
    if (this.isOneTooMany(response, this.forks.size)) return;
    if (response.message.status === 100) {
      if (this.core.tellsTrying && this.options.dialog === undefined) this.deliver(response);
    } else if (!this.isOutOfOrder(response)) {
      this.earlyDialog(response);
      this.deliver(response);
    }
    if (this.cancelState === 'held') this.sendCancel();
  }

  /** A response of yet another fork, when there are so many: not even a proxy with a large office behind it has that. */
  private isOneTooMany({ message }: ReceivedResponse, forks: number): boolean {
    if (forks < mostForks) return false;
    const tag = tagOf(message.to);
    if (tag === undefined || this.forks.has(tag)) return false;
    this.core.unserved();
    if (!this.hasTooMany)
      this.core.log.warn({ sipCallId: message.callId, forks }, 'more forks than are followed');
    this.hasTooMany = true;
    return true;
  }

  /** RFC 3262 §4: a reliable provisional response that came before, or before its turn, is neither told nor acknowledged. */
  private isOutOfOrder({ message }: ReceivedResponse): boolean {
    const sequence = Number.parseInt(message.headers.get('rseq') ?? '', 10);
    if (Number.isNaN(sequence)) return false;
    const tag = tagOf(message.to) ?? '';
    const last = this.reliable.get(tag);
    if (last !== undefined && sequence !== last + 1) return true;
    this.reliable.set(tag, sequence);
    return false;
  }

  private success(response: ReceivedResponse): void {
    const tag = tagOf(response.message.to) ?? '';
    const known = this.acknowledgements.get(tag);
    if (known !== undefined) return known.channel.send(known.bytes);
    if (this.options.dialog !== undefined) return this.reinviteAccepted(this.options.dialog, tag, response);
    if (this.winner?.remoteTag === tag) return;
    if (this.winner !== undefined && this.isOneTooMany(response, this.acknowledgements.size)) return;
    const dialog = this.earlyDialog(response) ?? this.makeDialog(tag, response);
    dialog.confirm(contactUri(response.message), routeSetOf(response.message.headers, 'uac'));
    if (this.winner !== undefined) return this.dismiss(dialog, tag, 'another fork has answered');
    this.winner = dialog;
    this.finish();
    if (this.isReplaced) return this.dismiss(dialog, tag, 'another address was tried');
    if (this.owner === undefined) return this.dismiss(dialog, tag, 'the application is gone');
    this.core.dialogs.select(dialog);
    this.awaitAcknowledgement(dialog, tag, response);
    this.startSession(dialog, response);
    this.deliver(response);
  }

  private reinviteAccepted(dialog: Dialog, tag: string, response: ReceivedResponse): void {
    if (this.winner !== undefined || this.isReplaced) return;
    this.winner = dialog;
    this.finish();
    if (dialog.state === 'ended') return;
    dialog.refreshTarget(contactUri(response.message));
    this.awaitAcknowledgement(dialog, tag, response);
    this.startSession(dialog, response);
    this.deliver(response);
  }

  /** The application acknowledges (PROTOCOL §6.5); what was cancelled too late is ended right after (RFC 3261 §15). */
  private awaitAcknowledgement(dialog: Dialog, tag: string, response: ReceivedResponse): void {
    const isLate = this.cancelState !== 'none';
    // drachtio-srf makes no dialog of a 2xx without Contact, and could not end it.
    const isUnreachable = this.options.dialog === undefined && contactUri(response.message) === undefined;
    const patience = this.core.clock.after(this.core.timers.lifetimeMs, () => this.neglected(dialog, tag));
    dialog.awaitingAck = {
      sequence: response.message.cseq.number,
      credentials: this.options.credentials,
      acknowledged: (bytes, channel) => {
        patience.cancel();
        this.acknowledgements.set(tag, { bytes, channel });
        if (isLate) sendOwnBye(this.core, dialog, 'ACK-BYE due to cancel race condition', true);
        else if (isUnreachable) sendOwnBye(this.core, dialog, 'No Contact in 2xx', false);
      },
    };
  }

  /** The application has not acknowledged the answer to its call in the time in which the callee gives it up. */
  private neglected(dialog: Dialog, tag: string): void {
    if (dialog.awaitingAck === undefined || this.options.dialog !== undefined) return;
    this.core.log.warn({ sipCallId: dialog.callId }, 'the application did not acknowledge an answer');
    this.dismiss(dialog, tag, 'not acknowledged by the application');
  }

  private startSession(dialog: Dialog, response: ReceivedResponse): void {
    const { body } = this.options.request;
    if (body !== '') dialog.localSdp = body;
    armFromResponse(this.core, dialog, response);
  }

  private failure(response: ReceivedResponse): void {
    if (response.message.status === 503 && this.moveOn()) return this.endForks();
    this.finish();
    this.endForks();
    this.deliver(response);
  }

  /** Early dialogs end with the INVITE (RFC 3261 §12.3, §13.2.2.4). */
  private endForks(): void {
    for (const dialog of this.forks.values()) if (dialog !== this.winner) this.core.dialogs.end(dialog);
    this.forks.clear();
  }

  private dismiss(dialog: Dialog, tag: string, reason: string): void {
    const { sequence } = this.options.request;
    acknowledgeAndEnd(this.core, dialog, sequence, reason, (bytes, channel) => {
      this.acknowledgements.set(tag, { bytes, channel });
    });
  }

  /** The dialog that a response with a To tag makes (RFC 3261 §12.1.2), or has made before. */
  private earlyDialog(response: ReceivedResponse): Dialog | undefined {
    if (this.options.dialog !== undefined) return undefined;
    const tag = tagOf(response.message.to);
    if (tag === undefined) return undefined;
    const known = this.forks.get(tag);
    if (known === undefined) return this.makeDialog(tag, response);
    if (this.winner === undefined && !this.isReplaced) this.core.dialogs.select(known);
    known.channel = response.channel;
    return known;
  }

  private makeDialog(tag: string, response: ReceivedResponse): Dialog {
    const { request, requestUri, localTag } = this.options;
    const { message, channel } = response;
    const dialog = new Dialog({
      id: this.dialogId,
      kind: 'INVITE',
      role: 'uac',
      callId: request.callId,
      localTag,
      remoteTag: tag,
      localParty: request.from,
      remoteParty: message.headers.get('to') ?? '',
      localSequence: request.sequence,
      remoteSequence: undefined,
      localContact: request.contact ?? '',
      remoteTarget: contactUri(message) ?? requestUri,
      routeSet: routeSetOf(message.headers, 'uac'),
      channel,
      owner: this.owner,
    });
    this.forks.set(tag, dialog);
    this.core.dialogs.add(dialog, !this.isReplaced);
    if (this.winner !== undefined) this.core.dialogs.select(this.winner);
    return dialog;
  }

  private sendCancel(): void {
    const { request } = this.options;
    this.cancelState = 'sent';
    const bytes = Buffer.from(this.cancelText);
    this.core.transactions.send(request.branch, 'CANCEL', bytes, request.channel, nobody);
    this.giveUp = this.core.clock.after(this.core.timers.lifetimeMs, () => this.transaction?.abandon());
  }

  private deliver(response: ReceivedResponse): void {
    const meta = receivedMeta(response.channel, response.bytes.length);
    this.owner?.message(meta, this.options.transactionId, this.dialogId, response.text);
  }

  private locally(status: number, reason: string, detail?: string): void {
    const { request, transactionId } = this.options;
    this.finish();
    this.endForks();
    const meta = { ...internalMeta, protocol: request.channel.transport };
    this.owner?.message(meta, transactionId, this.dialogId, request.localResponse(status, reason, detail));
  }

  /** The final response is there: nothing is left to cancel. */
  private finish(): void {
    if (this.isReplaced) return;
    if (this.core.invites.delete(this.options.transactionId)) this.countName(-1);
    if (this.options.dialog !== undefined) this.options.dialog.inviteOut = false;
  }

  /** Of INVITEs that are to make a dialog. */
  private countName(change: number): void {
    if (this.options.dialog !== undefined) return;
    const { invitedNames } = this.core;
    const count = (invitedNames.get(this.dialogId) ?? 0) + change;
    if (count > 0) invitedNames.set(this.dialogId, count);
    else invitedNames.delete(this.dialogId);
  }
}
