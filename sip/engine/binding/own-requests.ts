import { sentMeta } from '../control-protocol/meta.js';
import type { Dialog } from '../dialog/dialog.js';
import type { NonInviteClientUser } from '../transaction/non-invite-client.js';
import type { Channel } from '../transport/channel.js';
import type { Core } from './core.js';
import { dialogChannel, writeDialogRequest } from './dialog-request.js';

/** Nobody waits for the response. */
export const nobody: NonInviteClientUser = {
  response: () => undefined,
  timedOut: () => undefined,
  unsent: () => undefined,
};

/**
 * Ends a dialog of our own accord: sends BYE with a Reason (RFC 3326) and, when the application is to know, tells its
 * owner by an unsolicited BYE (PROTOCOL §4.4).
 */
export function sendOwnBye(core: Core, dialog: Dialog, text: string, tellOwner: boolean): void {
  if (dialog.state === 'ended') return;
  const { owner } = dialog;
  dialogChannel(core, dialog, (channel) => {
    if (dialog.state === 'ended') return;
    const extra = `Reason: SIP;cause=200;text="${text}"\r\n`;
    const bye = writeDialogRequest(dialog, channel, { method: 'BYE', extra });
    core.dialogs.end(dialog);
    core.log.info({ sipCallId: dialog.callId, reason: text }, 'the engine ends a dialog');
    if (tellOwner) owner?.unsolicited(sentMeta(channel, bye.bytes.length), dialog.id, bye.text);
    core.transactions.send(bye.branch, 'BYE', bye.bytes, channel, nobody);
  });
}

/** Acknowledges a 2xx that the application does not want, and ends its dialog (RFC 3261 §13.2.2.4). */
export function acknowledgeAndEnd(
  core: Core,
  dialog: Dialog,
  sequence: number,
  text: string,
  keep: (ack: Buffer, channel: Channel) => void,
): void {
  dialogChannel(core, dialog, (channel) => {
    const ack = writeDialogRequest(dialog, channel, { method: 'ACK', sequence });
    keep(ack.bytes, channel);
    channel.send(ack.bytes);
    sendOwnBye(core, dialog, text, false);
  });
}
