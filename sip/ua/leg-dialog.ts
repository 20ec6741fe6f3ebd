import {
  Dialog,
  InviteClientTransaction,
  type IncomingRequestMessage,
  type URI,
  type UserAgentClient,
  type UserAgentCore,
} from 'sip.js/lib/core/index.js';
import type { DialogState } from 'sip.js/lib/core/dialogs/dialog-state.js';
import type { BrowserDialogSnapshot } from '../leg.js';
import type { AdaptedRequest, AdaptedResponse } from './message-adapter.js';
import { requestOptions, type OutgoingRequest } from './outgoing-request.js';
import { WireUri } from './wire-uri.js';

/** Whoever takes the requests that arrive in a dialog. */
export interface DialogUser {
  receive(message: AdaptedRequest): void;
}

/** More requests than a dialog sees between two snapshots; gaps are allowed (RFC 3261 §12.2.2). */
const restoredSequenceGap = 1_000;

/**
 * sip.js's dialog (RFC 3261 §12): tags, sequence numbers, remote target, route set. Kept in the table of its core from
 * construction to `dispose`.
 */
export class LegDialog extends Dialog {
  user: DialogUser | undefined;

  private constructor(core: UserAgentCore, state: DialogState) {
    super(core, state);
  }

  /** The dialog that our response with `localTag` to this INVITE starts (RFC 3261 §12.1.1), early at first. */
  static asServer(core: UserAgentCore, invite: AdaptedRequest, localTag: string): LegDialog {
    return new LegDialog(core, Dialog.initialDialogStateForUserAgentServer(invite, localTag, true));
  }

  /** The dialog that this response to our INVITE starts (RFC 3261 §12.1.2). Throws without Contact or tag. */
  static asClient(core: UserAgentCore, invite: OutgoingRequest, response: AdaptedResponse): LegDialog {
    return new LegDialog(core, Dialog.initialDialogStateForUserAgentClient(invite, response));
  }

  /** A confirmed dialog of an earlier process. Its sequence numbers go on above those that the process may have used. */
  static restored(core: UserAgentCore, snapshot: BrowserDialogSnapshot): LegDialog {
    const { callId, localTag, remoteTag, local, remote, remoteTarget, routeSet } = snapshot;
    return new LegDialog(core, {
      id: callId + localTag + remoteTag,
      early: false,
      callId,
      localTag,
      remoteTag,
      localSequenceNumber: snapshot.localSequence + restoredSequenceGap,
      remoteSequenceNumber: snapshot.remoteSequence,
      localURI: new WireUri(...local),
      remoteURI: new WireUri(...remote),
      remoteTarget: new WireUri(remoteTarget),
      routeSet: [...routeSet],
      secure: false,
    });
  }

  /** What {@link restored} takes; undefined while the dialog is early. */
  snapshot(): Omit<BrowserDialogSnapshot, 'takesUpdate' | 'sessionTimer'> | undefined {
    const { early, callId, localTag, remoteTag, remoteTarget, routeSet } = this.dialogState;
    if (early) return undefined;
    return {
      side: 'browser',
      callId,
      localTag,
      remoteTag,
      localSequence: this.dialogState.localSequenceNumber ?? 0,
      remoteSequence: this.dialogState.remoteSequenceNumber,
      local: partyText(this.dialogState.localURI),
      remote: partyText(this.dialogState.remoteURI),
      remoteTarget: remoteTarget.toString(),
      routeSet,
    };
  }

  /** What the dialog of a request is found by in its core. */
  static idOf(message: IncomingRequestMessage): string {
    return message.callId + message.toTag + message.fromTag;
  }

  /** RFC 3261 §12.2.2: is this request newer than all before it? */
  isInOrder(message: IncomingRequestMessage): boolean {
    return this.remoteSequenceNumber === undefined || message.cseq > this.remoteSequenceNumber;
  }

  /** A target refresh request or its 2xx names a new Contact (RFC 3261 §12.2). */
  refreshTarget(contactUri: string | undefined): void {
    if (contactUri !== undefined) this.dialogState.remoteTarget = new WireUri(contactUri);
  }

  /** Acknowledges a 2xx to an INVITE of ours; the transaction sends it again when the 2xx comes again (RFC 6026 §8.1). */
  acknowledge(client: UserAgentClient, cseq: number, sdp: string | undefined): void {
    const { transaction } = client;
    if (!(transaction instanceof InviteClientTransaction)) return;
    transaction.ackResponse(this.createOutgoingRequestMessage('ACK', { cseq, ...requestOptions([], sdp) }));
  }
}

function partyText(uri: URI): readonly [string, string] {
  const text = uri.toString();
  return [text, uri instanceof WireUri ? uri.nameAddr : `<${text}>`];
}
