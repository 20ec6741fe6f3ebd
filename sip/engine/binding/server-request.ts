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
import type { Core, PendingRequest } from './core.js';
import { AppHeaders, ownContact } from './header-policy.js';

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
    this.transaction = core.transactions.receive(request.message, request.channel, this);
    if (options.isNested !== true) core.pending.set(options.transactionId, this);
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
    const { status, reason, body } = response;
    const toTag = headers.toTag ?? this.toTag;
    const makesDialog = this.makesDialog(status);
    const { channel } = request;
    const contact =
      headers.contact(channel) ??
      (request.message.method === 'SUBSCRIBE' && status >= 200 && status < 300
        ? ownContact(channel)
        : undefined);
    const text = writeResponse(request, {
      status,
      reason,
      toTag,
      copyRecordRoute: makesDialog,
      known: headers.known(channel.sentBy),
      other: headers.other,
      body,
      ...(contact === undefined ? {} : { contact }),
      ...(contentType === undefined ? {} : { contentType }),
    });
    const dialogId = makesDialog
      ? this.subscribe(client, toTag, contact ?? ownContact(channel))
      : this.options.answerDialogId;
    const meta = released(answeredMeta(channel, Buffer.byteLength(text)));
    client.responseSent(command.id, meta, transactionId, dialogId, text);
    if (status >= 200) this.forget();
    this.transaction.respond(status, Buffer.from(text));
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

  private forget(): void {
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
  private subscribe(client: ControlClient, toTag: string, contact: string): string {
    const { message, channel } = this.options.request;
    const remoteTag = tagOf(message.from) ?? '';
    const id = `${message.callId};from-tag=${remoteTag}`;
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
    return id;
  }
}
