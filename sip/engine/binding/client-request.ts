import { tagOf } from '../../message/index.js';
import type { ControlClient } from '../control-protocol/control-client.js';
import { internalMeta, receivedMeta } from '../control-protocol/meta.js';
import { contactUri } from '../dialog/contact.js';
import { Dialog } from '../dialog/dialog.js';
import { routeSetOf } from '../dialog/route-set.js';
import type { NonInviteClientUser } from '../transaction/non-invite-client.js';
import type { ReceivedResponse } from '../wire/received.js';
import type { SentRequest } from '../wire/sent-request.js';
import type { Core } from './core.js';
import { refreshesTarget } from './dialog-request.js';

export interface ClientRequestOptions {
  readonly transactionId: string;
  readonly owner: ControlClient;
  readonly request: SentRequest;
  readonly requestUri: string;
  /** Undefined outside a dialog. */
  readonly dialog: Dialog | undefined;
  /** Our From tag outside a dialog. */
  readonly localTag: string;
  /** The request ends its dialog: BYE, or NOTIFY with the state `terminated` (RFC 6665 §4.4.1). */
  readonly endsDialog: boolean;
}

/** A request of the application that is neither INVITE nor ACK. */
export class ClientRequest implements NonInviteClientUser {
  private readonly dialogId: string;

  constructor(
    private readonly core: Core,
    private readonly options: ClientRequestOptions,
  ) {
    const { dialog, request, localTag } = options;
    const makesDialog = request.method === 'SUBSCRIBE';
    this.dialogId = dialog?.id ?? (makesDialog ? `${request.callId};from-tag=${localTag}` : '');
  }

  /** Sends the request. */
  start(): void {
    const { request } = this.options;
    this.core.transactions.send(request.branch, request.method, request.bytes, request.channel, this);
  }

  response(response: ReceivedResponse): void {
    const { status } = response.message;
    if (status === 100) return;
    const { dialog, owner, transactionId, request } = this.options;
    if (dialog === undefined && request.method === 'SUBSCRIBE' && status >= 200 && status < 300)
      this.subscribed(response);
    else if (dialog !== undefined && status >= 200) this.answered(dialog, response);
    owner.message(
      receivedMeta(response.channel, response.bytes.length),
      transactionId,
      this.dialogId,
      response.text,
    );
  }

  timedOut(): void {
    this.locally(408, 'Request Timeout');
  }

  unsent(error: Error): void {
    this.locally(503, error.message === 'DNS Error' ? error.message : 'Service Unavailable');
  }

  private answered(dialog: Dialog, response: ReceivedResponse): void {
    const { status } = response.message;
    const { endsDialog, request } = this.options;
    if (status < 300 && refreshesTarget(request.method)) dialog.refreshTarget(contactUri(response.message));
    if (!endsDialog) return;
    // A challenged BYE is sent again with credentials.
    if (status === 401 || status === 407) dialog.byeSent = false;
    else this.core.dialogs.end(dialog);
  }

  /** A subscription makes a dialog (RFC 6665 §4.1.2). */
  private subscribed(response: ReceivedResponse): void {
    const { request, requestUri, localTag, owner } = this.options;
    const { message, channel } = response;
    const remoteTag = tagOf(message.to) ?? '';
    if (this.core.dialogs.find(request.callId, localTag, remoteTag) !== undefined) return;
    const dialog = new Dialog({
      id: this.dialogId,
      kind: 'SUBSCRIBE',
      role: 'uac',
      callId: request.callId,
      localTag,
      remoteTag,
      localParty: request.from,
      remoteParty: message.headers.get('to') ?? '',
      localSequence: request.sequence,
      remoteSequence: undefined,
      localContact: request.contact ?? '',
      remoteTarget: contactUri(message) ?? requestUri,
      routeSet: routeSetOf(message.headers, 'uac'),
      channel,
      owner,
    });
    dialog.state = 'confirmed';
    this.core.dialogs.add(dialog);
  }

  private locally(status: number, reason: string): void {
    const { dialog, endsDialog, owner, request, transactionId } = this.options;
    if (dialog !== undefined && endsDialog) this.core.dialogs.end(dialog);
    const meta = { ...internalMeta, protocol: request.channel.transport };
    owner.message(meta, transactionId, this.dialogId, request.localResponse(status, reason));
  }
}
