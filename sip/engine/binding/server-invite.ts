import { newTag, reasonPhrase, tagOf } from '../../message/index.js';
import type { Timer } from '../../clock.js';
import type { ControlClient, SipCommand } from '../control-protocol/control-client.js';
import { answeredMeta, receivedMeta } from '../control-protocol/meta.js';
import { AnswerRetransmission } from '../dialog/answer-retransmission.js';
import { contactUri } from '../dialog/contact.js';
import { Dialog, type DialogInvite } from '../dialog/dialog.js';
import { routeSetOf } from '../dialog/route-set.js';
import type { InviteServerTransaction, InviteServerUser } from '../transaction/invite-server.js';
import type { ReceivedRequest } from '../wire/received.js';
import { toWithTag, writeResponse, type ResponseParts } from '../wire/response-text.js';
import { isPrintable, type AppMessage } from './app-message.js';
import { uasDialogId, type Core, type PendingRequest } from './core.js';
import { AppHeaders, listHas, ownContact } from './header-policy.js';
import { sendOwnBye } from './own-requests.js';
import { ServerRequest } from './server-request.js';
import { armFromAnswer } from './session-timer.js';
import { ReliableProvisionals } from './reliable-provisionals.js';

export interface ServerInviteOptions {
  readonly transactionId: string;
  readonly owner: ControlClient;
  readonly request: ReceivedRequest;
  /** The dialog of a re-INVITE. */
  readonly dialog: Dialog | undefined;
}

/** An INVITE from the network, until its final response; and the retransmission of its 2xx until the ACK. */
export class ServerInvite implements PendingRequest, InviteServerUser, DialogInvite {
  owner: ControlClient;
  /** An UPDATE that came before the final response: answered under the INVITE's transaction id (PROTOCOL §4.3). */
  private update: ServerRequest | undefined;
  private readonly reliable: ReliableProvisionals;
  private readonly transaction: InviteServerTransaction;
  /** Runs until the application says anything. */
  private readonly silence: Timer;
  private readonly isInitial: boolean;
  private readonly dialogId: string;
  private readonly toTag: string;
  private dialog: Dialog | undefined;
  private hasProgressed = false;
  private isFinal = false;

  constructor(
    private readonly core: Core,
    private readonly options: ServerInviteOptions,
  ) {
    const { request, dialog, owner, transactionId } = options;
    this.owner = owner;
    this.dialog = dialog;
    this.isInitial = dialog === undefined;
    this.toTag = dialog?.localTag ?? newTag();
    this.dialogId = dialog?.id ?? uasDialogId(core, request.message.callId, tagOf(request.message.from));
    this.transaction = core.transactions.receiveInvite(request.message, request.back, this);
    this.reliable = new ReliableProvisionals(
      core,
      (bytes) => this.transaction.respond(183, bytes),
      () => this.notAcknowledged(),
    );
    core.pending.set(transactionId, this);
    if (dialog === undefined) core.overload.waits(this);
    if (dialog !== undefined) dialog.invite = this;
    this.transaction.respond(100, Buffer.from(this.write({ status: 100, reason: 'Trying' })));
    this.silence = core.clock.after(2 * core.timers.lifetimeMs, () => this.unanswered());
  }

  answer(client: ControlClient, command: SipCommand, response: AppMessage): void {
    const headers = new AppHeaders(response);
    if (this.update !== undefined && /\sUPDATE$/i.test(headers.get('cseq') ?? '')) {
      const { update } = this;
      if (response.status >= 200) this.update = undefined;
      return update.answer(client, command, response);
    }
    const contentType = headers.contentType(response.body);
    if (headers.malformed !== undefined || !isPrintable(response.reason)) {
      return client.refuse(command.id, 'Unknown server error sending response');
    }
    if (response.body !== '' && contentType === undefined)
      return client.refuse(command.id, 'missing content-type');
    const isReliable =
      response.status > 100 && response.status < 200 && headers.hasOption('require', '100rel');
    if (isReliable && !this.peerKnows100rel()) {
      return client.refuse(command.id, 'Remote endpoint does not support 100rel');
    }
    if (response.status > 100 && response.status < 300 && this.lostName()) {
      client.refuse(command.id, 'Server error: another dialog has the id');
      return this.terminate(482);
    }
    this.owner = client;
    this.send(client, command, response, headers, isReliable);
  }

  takeUpdate(update: ReceivedRequest): boolean {
    const { dialog, owner } = this;
    if (this.update !== undefined || dialog === undefined) return false;
    const { transactionId } = this.options;
    this.update = new ServerRequest(this.core, {
      transactionId,
      owner,
      request: update,
      dialog,
      answerDialogId: '',
      isNested: true,
    });
    owner.message(
      receivedMeta(update.channel, update.bytes.length),
      transactionId,
      this.dialogId,
      update.text,
    );
    return true;
  }

  /** CANCEL from the peer, already answered: tells the application and ends the INVITE (RFC 3261 §9.2). */
  cancelled(cancel: ReceivedRequest): void {
    if (this.isFinal) return;
    const dialogId = this.hasProgressed ? this.dialogId : '';
    const meta = receivedMeta(cancel.channel, cancel.bytes.length);
    this.owner.message(meta, this.options.transactionId, dialogId, cancel.text);
    this.refuse(487);
  }

  /** The tag of our side, which the response to CANCEL carries too (RFC 3261 §9.2). */
  get localTag(): string {
    return this.dialog?.localTag ?? this.toTag;
  }

  /** Ends the INVITE without asking the application, which is told as if the peer had cancelled. */
  terminate(status: number): void {
    if (this.isFinal) return;
    const text = cancelText(this.options.request);
    const meta = receivedMeta(this.options.request.channel, Buffer.byteLength(text));
    this.owner.message(meta, this.options.transactionId, this.hasProgressed ? this.dialogId : '', text);
    this.refuse(status);
  }

  acknowledgeProvisional(rack: string): boolean {
    return this.reliable.acknowledge(rack);
  }

  ownerLost(): void {
    this.refuse(503, [['Retry-After', '5']]);
  }

  private unanswered(): void {
    const { callId } = this.options.request.message;
    this.core.log.warn({ sipCallId: callId }, 'the application did not answer an INVITE');
    this.terminate(500);
  }

  unacknowledged(): void {
    this.core.log.debug({ sipCallId: this.options.request.message.callId }, 'no ACK for a failure response');
  }

  unsent(error: Error): void {
    this.core.log.info(
      { err: error, sipCallId: this.options.request.message.callId },
      'response to INVITE not sent',
    );
    this.terminate(503);
  }

  private send(
    client: ControlClient,
    command: SipCommand,
    response: AppMessage,
    headers: AppHeaders,
    isReliable: boolean,
  ): void {
    const { status } = response;
    const { request, transactionId } = this.options;
    const toTag = this.dialog?.localTag ?? headers.toTag ?? this.toTag;
    const contact = this.contactFor(status, headers, isReliable);
    if (status > 100 && status < 300)
      this.makeDialog(client, toTag, contact ?? ownContact(request.channel, request.isSecure));
    const text = this.compose(response, headers, toTag, contact, isReliable);
    const bytes = Buffer.from(text);
    const meta = answeredMeta(request.channel, bytes.length);
    client.responseSent(command.id, meta, transactionId, this.dialogId, text);
    this.silence.cancel();
    this.core.overload.answered(this);
    if (status > 100) this.hasProgressed = true;
    if (isReliable) this.reliable.send(bytes, request.message.cseq.number);
    else if (status < 200) this.transaction.respond(status, bytes);
    else if (status < 300) this.accept(bytes, response.body, headers);
    else this.reject(status, bytes);
  }

  /** The application's Contact, or ours where PROTOCOL §6.4 wants one. */
  private contactFor(status: number, headers: AppHeaders, isReliable: boolean): string | undefined {
    const { channel, isSecure } = this.options.request;
    const given = headers.contact(channel, isSecure);
    if (given !== undefined) return given;
    const isWanted = isReliable || (status > 100 && status < 300 && (status >= 200 || !this.isInitial));
    return isWanted ? (this.dialog?.localContact ?? ownContact(channel, isSecure)) : undefined;
  }

  private compose(
    response: AppMessage,
    headers: AppHeaders,
    toTag: string,
    contact: string | undefined,
    isReliable: boolean,
  ): string {
    const { status, reason, body } = response;
    const contentType = headers.contentType(body);
    const rseq = isReliable ? `RSeq: ${this.reliable.nextSequence()}\r\n` : '';
    return this.write({
      status,
      reason,
      ...(status > 100 ? { toTag } : {}),
      known: rseq + headers.known(this.options.request.channel.sentBy),
      other: headers.other,
      body,
      ...(contact === undefined ? {} : { contact }),
      ...(contentType === undefined ? {} : { contentType }),
    });
  }

  private accept(bytes: Buffer, sdp: string, headers: AppHeaders): void {
    this.finish();
    const { dialog } = this;
    const { request, transactionId } = this.options;
    this.transaction.respond(200, bytes);
    if (dialog === undefined) return;
    const { clock, timers } = this.core;
    const retransmission = new AnswerRetransmission(
      clock,
      timers,
      timers.base.t2Ms,
      () => request.back.send(bytes),
      () => this.ackTimedOut(dialog),
    );
    dialog.state = 'confirmed';
    if (sdp !== '') dialog.localSdp = sdp;
    const asked = request.message.headers.get('session-expires');
    armFromAnswer(this.core, dialog, headers.get('session-expires'), asked);
    dialog.answer = {
      sequence: request.message.cseq.number,
      transactionId: this.isInitial ? transactionId : '',
      stop: () => retransmission.stop(),
      held: [],
    };
  }

  /** RFC 3261 §13.3.1.4: the session has failed, and is ended by BYE. */
  private ackTimedOut(dialog: Dialog): void {
    const held = dialog.answer?.held ?? [];
    dialog.answer = undefined;
    if (held.length > 0) for (const start of held) start();
    else sendOwnBye(this.core, dialog, 'ACK timeout', true);
  }

  /** A reliable provisional response got no PRACK: RFC 3262 §3 wants the INVITE refused with a 5xx. */
  private notAcknowledged(): void {
    this.terminate(504);
  }

  private refuse(status: number, headers: readonly (readonly [string, string])[] = []): void {
    if (this.isFinal) return;
    const known = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const toTag = this.dialog?.localTag ?? this.toTag;
    this.reject(status, Buffer.from(this.write({ status, reason: reasonPhrase(status), toTag, known })));
  }

  private reject(status: number, bytes: Buffer): void {
    this.finish();
    this.transaction.respond(status, bytes);
    if (this.isInitial && this.dialog !== undefined) this.core.dialogs.end(this.dialog);
  }

  /** A final response is about to be sent. */
  private finish(): void {
    this.isFinal = true;
    this.silence.cancel();
    this.core.overload.answered(this);
    this.reliable.stop();
    this.core.pending.delete(this.options.transactionId);
    if (this.dialog !== undefined) this.dialog.invite = undefined;
    if (this.update !== undefined) this.update.ownerLost();
    this.update = undefined;
  }

  /** Another INVITE of the same Call-ID and From tag was answered first. */
  private lostName(): boolean {
    return this.dialog === undefined && this.core.dialogs.named(this.dialogId)?.byeSent === false;
  }

  private peerKnows100rel(): boolean {
    const { headers } = this.options.request.message;
    return ['supported', 'require'].some((name) =>
      headers.getAll(name).some((value) => listHas(value, '100rel')),
    );
  }

  /** RFC 3261 §12.1.1. */
  private makeDialog(owner: ControlClient, localTag: string, localContact: string): void {
    const { message, channel } = this.options.request;
    if (this.dialog !== undefined) {
      this.dialog.localContact = localContact;
      this.dialog.owner = owner;
      return;
    }
    this.dialog = new Dialog({
      id: this.dialogId,
      kind: 'INVITE',
      role: 'uas',
      callId: message.callId,
      localTag,
      remoteTag: tagOf(message.from) ?? '',
      localParty: toWithTag(message, localTag),
      remoteParty: message.headers.get('from') ?? '',
      localSequence: 1,
      remoteSequence: message.cseq.number,
      localContact,
      remoteTarget: contactUri(message) ?? message.requestUri,
      routeSet: routeSetOf(message.headers, 'uas'),
      channel,
      owner,
    });
    this.dialog.invite = this;
    this.core.dialogs.add(this.dialog);
  }

  private write(parts: ResponseParts): string {
    return writeResponse(this.options.request, {
      ...parts,
      copyRecordRoute: this.isInitial && parts.status < 300,
    });
  }
}

/** The CANCEL that the peer did not send, for an INVITE that ends all the same. */
function cancelText({ message, vias }: ReceivedRequest): string {
  return (
    `CANCEL ${message.requestUri} SIP/2.0\r\n${vias}Max-Forwards: 70\r\nFrom: ${message.headers.get('from') ?? ''}\r\n` +
    `To: ${message.headers.get('to') ?? ''}\r\nCall-ID: ${message.callId}\r\nCSeq: ${message.cseq.number} CANCEL\r\n` +
    'Content-Length: 0\r\n\r\n'
  );
}
