import { newTag, tagOf } from '../../message/index.js';
import type { ControlClient, SipCommand } from '../control-protocol/control-client.js';
import { answeredMeta, released } from '../control-protocol/meta.js';
import { contactUri } from '../dialog/contact.js';
import { Dialog } from '../dialog/dialog.js';
import { routeSetOf } from '../dialog/route-set.js';
import type { NonInviteServerTransaction, NonInviteServerUser } from '../transaction/non-invite-server.js';
import type { ReceivedRequest } from '../wire/received.js';
import { toWithTag, writeRefusal, writeResponse } from '../wire/response-text.js';
import type { AppMessage } from './app-message.js';
import { isPrintable } from './app-message.js';
import { uasDialogId, type Core, type PendingRequest } from './core.js';
import { AppHeaders, ownContact } from './header-policy.js';
import { armFromAnswer } from './session-timer.js';
import { armSubscription, expiresSeconds } from './subscription-expiry.js';

export interface ServerRequestOptions {
  readonly transactionId: string;
  readonly owner: ControlClient;
  readonly request: ReceivedRequest;
  /** Undefined outside a dialog. */
  readonly dialog: Dialog | undefined;
  /** What the application is told of the dialog in the reply to its response. */
  readonly answerDialogId: string;
  /** The entry in the table of pending requests is another's: that of the INVITE whose UPDATE this is. */
  readonly isNested?: boolean;
}

/** A request from the network, neither INVITE nor ACK, that the application answers. */
export class ServerRequest implements PendingRequest, NonInviteServerUser {
  readonly owner: ControlClient;
  private readonly transaction: NonInviteServerTransaction;
  private readonly toTag: string;

  constructor(
    private readonly core: Core,
    private readonly options: ServerRequestOptions,
  ) {
    const { request, dialog, owner } = options;
    this.owner = owner;
    this.toTag = dialog?.localTag ?? newTag();
    this.transaction = core.transactions.receive(request.message, request.back, this);
    if (options.isNested !== true) core.pending.set(options.transactionId, this);
    if (dialog === undefined) core.overload.waits(this);
  }

  answer(client: ControlClient, command: SipCommand, response: AppMessage): void {
    const { request, transactionId } = this.options;
    const headers = new AppHeaders(response);
    const contentType = headers.contentType(response.body);
    if (headers.malformed !== undefined || !isPrintable(response.reason)) {
      return client.refuse(command.id, 'Unknown server error sending response');
    }
    if (response.body !== '' && contentType === undefined)
      return client.refuse(command.id, 'missing content-type');
    const toTag = headers.toTag ?? this.toTag;
    const contact = headers.contact(request.channel, request.isSecure) ?? this.ownContactFor(response.status);
    const text = this.compose(response, headers, toTag, contact);
    const dialogId = this.makesDialog(response.status)
      ? this.subscribe(client, toTag, contact ?? ownContact(request.channel, request.isSecure), headers)
      : this.options.answerDialogId;
    const bytes = Buffer.from(text);
    const meta = released(answeredMeta(request.channel, bytes.length));
    client.responseSent(command.id, meta, transactionId, dialogId, text);
    this.core.overload.answered(this);
    if (response.status >= 200) this.forget();
    if (response.status >= 200 && response.status < 300) this.refresh(headers);
    this.transaction.respond(response.status, bytes);
  }

  ownerLost(): void {
    this.forget();
    this.transaction.respond(503, writeRefusal(this.options.request, 503, [['Retry-After', '5']]));
  }

  unanswered(): void {
    const { message } = this.options.request;
    this.core.log.warn(
      { method: message.method, sipCallId: message.callId },
      'the application did not answer a request',
    );
    this.forget();
  }

  unsent(error: Error): void {
    this.core.log.debug({ err: error, sipCallId: this.options.request.message.callId }, 'response not sent');
    this.forget();
  }

  private compose(
    response: AppMessage,
    headers: AppHeaders,
    toTag: string,
    contact: string | undefined,
  ): string {
    const { status, reason, body } = response;
    const contentType = headers.contentType(body);
    return writeResponse(this.options.request, {
      status,
      reason,
      toTag,
      copyRecordRoute: this.makesDialog(status),
      known: headers.known(this.options.request.channel.sentBy),
      other: headers.other,
      body,
      ...(contact === undefined ? {} : { contact }),
      ...(contentType === undefined ? {} : { contentType }),
    });
  }

  /** An accepted SUBSCRIBE, first or repeated, is answered with our Contact (PROTOCOL §6.4). */
  private ownContactFor(status: number): string | undefined {
    const { dialog, request } = this.options;
    if (request.message.method !== 'SUBSCRIBE' || status < 200 || status >= 300) return undefined;
    return dialog?.localContact ?? ownContact(request.channel, request.isSecure);
  }

  /** RFC 4028 §9: an UPDATE refreshes the session too. RFC 6665 §4.2.1.1: a SUBSCRIBE its subscription. */
  private refresh(headers: AppHeaders): void {
    const { dialog, request } = this.options;
    const { method, headers: asked } = request.message;
    if (dialog === undefined) return;
    if (method === 'UPDATE')
      armFromAnswer(this.core, dialog, headers.get('session-expires'), asked.get('session-expires'));
    if (method === 'SUBSCRIBE') this.lasts(dialog, headers);
  }

  private lasts(dialog: Dialog, headers: AppHeaders): void {
    const asked = this.options.request.message.headers;
    const seconds = expiresSeconds(headers.get('expires'), asked.get('expires'));
    armSubscription(this.core, dialog, asked.get('event'), seconds);
  }

  private forget(): void {
    this.core.overload.answered(this);
    if (this.options.isNested !== true) this.core.pending.delete(this.options.transactionId);
  }

  private makesDialog(status: number): boolean {
    return (
      this.options.dialog === undefined &&
      this.options.request.message.method === 'SUBSCRIBE' &&
      status >= 200 &&
      status < 300
    );
  }

  /** Accepting a SUBSCRIBE makes a dialog (RFC 6665 §4.2.1). */
  private subscribe(client: ControlClient, toTag: string, contact: string, headers: AppHeaders): string {
    const { message, channel } = this.options.request;
    const remoteTag = tagOf(message.from) ?? '';
    const id = uasDialogId(this.core, message.callId, remoteTag);
    const dialog = new Dialog({
      id,
      kind: 'SUBSCRIBE',
      role: 'uas',
      callId: message.callId,
      localTag: toTag,
      remoteTag,
      localParty: toWithTag(message, toTag),
      remoteParty: message.headers.get('from') ?? '',
      localSequence: 1,
      remoteSequence: message.cseq.number,
      localContact: contact,
      remoteTarget: contactUri(message) ?? message.requestUri,
      routeSet: routeSetOf(message.headers, 'uas'),
      channel,
      owner: client,
    });
    dialog.state = 'confirmed';
    this.core.dialogs.add(dialog);
    this.lasts(dialog, headers);
    return id;
  }
}
