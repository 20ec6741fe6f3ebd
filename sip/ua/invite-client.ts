import {
  InviteClientTransaction,
  UserAgentClient,
  type IncomingResponseMessage,
} from 'sip.js/lib/core/index.js';
import type { SipFailure } from '../failure.js';
import type { EndpointContext } from './endpoint-context.js';
import { LegDialog } from './leg-dialog.js';
import { AdaptedResponse, setContact } from './message-adapter.js';
import type { OutgoingRequest } from './outgoing-request.js';

export interface InviteClientUser {
  /** A provisional response 101–199 that starts or continues an early dialog. */
  progress(dialog: LegDialog, response: AdaptedResponse): void;
  /** A 2xx, once for each dialog. */
  accepted(dialog: LegDialog, response: AdaptedResponse): void;
  /** A 3xx–6xx; undefined: no response came in 64·T1. */
  refused(response: AdaptedResponse | undefined): void;
  /** Something threw while a response was taken in. */
  broken(failure: SipFailure): void;
}

/** Of one INVITE; a browser has one, a browser behind a proxy of its own a few. */
const mostDialogs = 16;

/**
 * An INVITE that we send, with the dialogs that its responses start (RFC 3261 §13.2.2): several when it forks. Lives
 * on sip.js's transaction; unlike sip.js's own client it takes a 18x or 2xx without Contact.
 */
export class InviteClient extends UserAgentClient {
  /** By the tag of the peer. */
  private readonly dialogs = new Map<string, LegDialog>();
  /** It has been told. */
  private hasTooMany = false;

  constructor(
    private readonly context: EndpointContext,
    private readonly invite: OutgoingRequest,
    private readonly user: InviteClientUser,
  ) {
    super(InviteClientTransaction, context.core, invite);
  }

  /** Called by the transaction, its timer B included. */
  protected override receiveResponse(message: IncomingResponseMessage): void {
    this.context.safely(
      () => this.dispatch(message instanceof AdaptedResponse ? message : undefined),
      (broken) => this.user.broken(broken),
    );
  }

  /** Cancels (RFC 3261 §9.1): at once after a provisional response, else when the first one arrives. */
  withdraw(extraHeaders: string[]): void {
    this.invite.takenBack = true;
    this.cancel(undefined, { extraHeaders });
  }

  private dispatch(message: AdaptedResponse | undefined): void {
    const status = message?.original.status ?? 408;
    if (message === undefined || status >= 300) {
      this.user.refused(message);
      return;
    }
    // RFC 3261 §12.1: without a tag there is no dialog; 100 never makes one.
    if (status === 100 || message.toTag === undefined) return;
    if (this.isOneTooMany(message)) return;
    if (status < 200) this.user.progress(this.dialogOf(message), message);
    else this.user.accepted(this.dialogOf(message), message);
  }

  private isOneTooMany({ toTag, original }: AdaptedResponse): boolean {
    if (this.dialogs.size < mostDialogs || this.dialogs.has(toTag)) return false;
    if (!this.hasTooMany)
      this.context.log.warn(
        { sipCallId: original.callId, forks: mostDialogs },
        'more forks than are followed',
      );
    this.hasTooMany = true;
    return true;
  }

  private dialogOf(message: AdaptedResponse): LegDialog {
    const known = this.dialogs.get(message.toTag);
    if (known !== undefined) return known;
    // Interop: a missing Contact means the address that was called.
    if (!message.hasHeader('contact')) setContact(message, this.invite.ruri.toString());
    const dialog = LegDialog.asClient(this.context.core, this.invite, message);
    this.dialogs.set(message.toTag, dialog);
    return dialog;
  }
}
