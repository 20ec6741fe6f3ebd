import type { Timer } from '../../clock.js';
import { tagOf, type SipMessage } from '../../message/index.js';
import type { ControlClient } from '../control-protocol/control-client.js';
import { internalMeta, receivedMeta } from '../control-protocol/meta.js';
import { contactUri } from '../dialog/contact.js';
import { Dialog } from '../dialog/dialog.js';
import { routeSetOf } from '../dialog/route-set.js';
import type { NonInviteClientUser } from '../transaction/non-invite-client.js';
import type { Channel } from '../transport/channel.js';
import type { ReceivedRequest, ReceivedResponse } from '../wire/received.js';
import type { SentRequest } from '../wire/sent-request.js';
import { subscriptionKey, type Core, type PendingSubscription } from './core.js';
import { refreshesTarget } from './dialog-request.js';
import type { AppHeaders } from './header-policy.js';
import type { HopSeries } from './hop-series.js';
import { armFromResponse } from './session-timer.js';
import { armFromState, armSubscription, expiresSeconds } from './subscription-expiry.js';
import { hostPortOf, unsentReason } from './unsent.js';

export interface ClientRequestOptions {
  readonly transactionId: string;
  readonly owner: ControlClient;
  /** The request for its first hop, and for those that can take its place. */
  readonly request: SentRequest;
  readonly series: HopSeries;
  readonly requestUri: string;
  /** What the application gave. */
  readonly headers: AppHeaders;
  /** Undefined outside a dialog. */
  readonly dialog: Dialog | undefined;
  /** Our From tag outside a dialog. */
  readonly localTag: string;
  /** The request ends its dialog: BYE, or NOTIFY with the state `terminated` (RFC 6665 §4.4.1). */
  readonly endsDialog: boolean;
}

/** What may be sent to a second address without harm while the first could still be at it. */
const repeatable = new Set(['OPTIONS', 'REGISTER']);

/** Sends a request of the application that is neither INVITE nor ACK. */
export function startRequest(core: Core, options: ClientRequestOptions): void {
  new ClientRequest(core, options).start();
}

/**
 * A request of the application that is neither INVITE nor ACK, at one hop. When the hop does not serve it, another
 * ClientRequest takes its place at the next (RFC 3263 §4.3).
 */
class ClientRequest implements NonInviteClientUser, PendingSubscription {
  private readonly dialogId: string;
  private patience: Timer | undefined;
  /** Another hop is being tried: the application hears no more of this one. */
  private isReplaced = false;

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
    const { request, series, localTag } = this.options;
    const { clock, timers } = this.core;
    if (this.isSubscription) this.core.subscriptions.set(subscriptionKey(request.callId, localTag), this);
    if (series.hasNext && repeatable.has(request.method))
      this.patience = clock.after(timers.silentHopMs, () => this.leave());
    this.core.transactions.send(request.branch, request.method, request.bytes, request.channel, this);
  }

  response(response: ReceivedResponse): void {
    const { status } = response.message;
    const { dialog, owner, series, transactionId } = this.options;
    this.patience?.cancel();
    if (this.isReplaced || status === 100) return;
    series.answered();
    if (status === 503 && this.moveOn()) return;
    if (dialog !== undefined && status >= 200) this.answered(dialog, response);
    else if (this.isSubscription && status >= 200) this.subscribed(response);
    owner.message(
      receivedMeta(response.channel, response.bytes.length),
      transactionId,
      this.dialogId,
      response.text,
    );
  }

  notified(notify: ReceivedRequest): Dialog | undefined {
    const { message, channel } = notify;
    if (!this.options.owner.isOpen) return undefined;
    return this.makeDialog(
      message,
      tagOf(message.from) ?? '',
      message.headers.get('from') ?? '',
      'uas',
      channel,
    );
  }

  timedOut(): void {
    this.patience?.cancel();
    if (this.isReplaced) return;
    this.options.series.failed();
    if (!this.moveOn()) this.locally(408, 'Request Timeout');
  }

  unsent(error: Error): void {
    this.patience?.cancel();
    if (this.isReplaced) return;
    this.options.series.failed();
    if (!this.moveOn()) this.locally(503, ...unsentReason(error));
  }

  private leave(): void {
    this.options.series.failed();
    this.moveOn();
  }

  /** Tries the next hop; false when there is none. */
  private moveOn(): boolean {
    const { core, options } = this;
    const request = options.series.next();
    if (request === undefined) return false;
    core.log.info(
      {
        method: request.method,
        sipCallId: request.callId,
        from: hostPortOf(options.request),
        to: hostPortOf(request),
      },
      'request tried at the next address',
    );
    this.isReplaced = true;
    startRequest(core, { ...options, request });
    return true;
  }

  private answered(dialog: Dialog, response: ReceivedResponse): void {
    const { status } = response.message;
    const { endsDialog, request } = this.options;
    if (status < 300 && refreshesTarget(request.method)) dialog.refreshTarget(contactUri(response.message));
    if (status < 300) this.refresh(dialog, response);
    if (!endsDialog) return;
    if (status === 401 || status === 407) this.awaitCredentials(dialog);
    else this.core.dialogs.end(dialog);
  }

  /** A challenged BYE may be sent again with credentials; without them the session is over too (RFC 3261 §15.1.1). */
  private awaitCredentials(dialog: Dialog): void {
    const { clock, dialogs, timers } = this.core;
    dialog.byeSent = false;
    clock.after(timers.lifetimeMs, () => {
      if (!dialog.byeSent) dialogs.end(dialog);
    });
  }

  private refresh(dialog: Dialog, response: ReceivedResponse): void {
    const { headers, request } = this.options;
    const { method } = request;
    if (method === 'UPDATE') armFromResponse(this.core, dialog, response);
    if (method === 'SUBSCRIBE') this.lasts(dialog, response.message);
    if (method === 'NOTIFY')
      armFromState(this.core, dialog, headers.get('event'), headers.get('subscription-state'));
  }

  /** The Expires of the 2xx counts, else that of the SUBSCRIBE (RFC 6665 §4.1.2.1). */
  private lasts(dialog: Dialog, { headers: told }: SipMessage): void {
    const { headers } = this.options;
    const seconds = expiresSeconds(told.get('expires'), headers.get('expires'));
    armSubscription(this.core, dialog, headers.get('event'), seconds);
  }

  private get isSubscription(): boolean {
    return this.options.dialog === undefined && this.options.request.method === 'SUBSCRIBE';
  }

  /**
   * An accepted subscription makes a dialog, unless a NOTIFY has (RFC 6665 §4.1.2.4). One whose application is gone
   * makes none: its NOTIFYs are answered with 481, which ends it (RFC 6665 §4.2.2).
   */
  private subscribed(response: ReceivedResponse): void {
    const { request, localTag, owner } = this.options;
    const { message, channel } = response;
    this.core.subscriptions.delete(subscriptionKey(request.callId, localTag));
    const remoteTag = tagOf(message.to) ?? '';
    if (message.status >= 300) return;
    const made = this.core.dialogs.find(request.callId, localTag, remoteTag);
    if (made !== undefined) return this.lasts(made, message);
    if (owner.isOpen) this.makeDialog(message, remoteTag, message.headers.get('to') ?? '', 'uac', channel);
  }

  /** `role` is ours in the transaction whose message makes the dialog. */
  private makeDialog(
    message: SipMessage,
    remoteTag: string,
    remoteParty: string,
    role: 'uac' | 'uas',
    channel: Channel,
  ): Dialog {
    const { request, requestUri, localTag, owner } = this.options;
    const dialog = new Dialog({
      id: this.dialogId,
      kind: 'SUBSCRIBE',
      role: 'uac',
      callId: request.callId,
      localTag,
      remoteTag,
      localParty: request.from,
      remoteParty,
      localSequence: request.sequence,
      remoteSequence: undefined,
      localContact: request.contact ?? '',
      remoteTarget: contactUri(message) ?? requestUri,
      routeSet: routeSetOf(message.headers, role),
      channel,
      owner,
    });
    dialog.state = 'confirmed';
    this.core.dialogs.add(dialog);
    this.lasts(dialog, message);
    return dialog;
  }

  private locally(status: number, reason: string, detail?: string): void {
    const { dialog, endsDialog, localTag, owner, request, transactionId } = this.options;
    if (this.isSubscription) this.core.subscriptions.delete(subscriptionKey(request.callId, localTag));
    if (dialog !== undefined && endsDialog) this.core.dialogs.end(dialog);
    const meta = { ...internalMeta, protocol: request.channel.transport };
    owner.message(meta, transactionId, this.dialogId, request.localResponse(status, reason, detail));
  }
}
