import { Dialog } from '../dialog/dialog.js';
import type { Channel } from '../transport/channel.js';
import type { Core } from './core.js';
import { resumeSessionTimer } from './session-timer.js';

/** A confirmed INVITE dialog in plain values: what {@link Dialog} is made of, and where its peer was last heard. */
export interface DialogState {
  readonly id: string;
  readonly role: 'uac' | 'uas';
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localParty: string;
  readonly remoteParty: string;
  readonly localSequence: number;
  readonly remoteSequence?: number | undefined;
  readonly localContact: string;
  readonly remoteTarget: string;
  readonly routeSet: readonly string[];
  readonly localSdp: string;
  readonly sessionTimer?: { readonly seconds: number; readonly weRefresh: boolean } | undefined;
  readonly peer: {
    readonly transport: 'udp' | 'tcp' | 'tls';
    readonly address: string;
    readonly port: number;
  };
}

/** More requests than a dialog sees between two snapshots; gaps are allowed (RFC 3261 §12.2.2). */
const sequenceGap = 1_000;

/** Undefined unless the dialog is of an INVITE, confirmed and not about to end. */
export function stateOf(dialog: Dialog): DialogState | undefined {
  if (dialog.kind !== 'INVITE' || dialog.state !== 'confirmed' || dialog.byeSent) return undefined;
  const { id, role, callId, localTag, remoteTag, localParty, remoteParty, channel } = dialog;
  return {
    ...{ id, role, callId, localTag, remoteTag, localParty, remoteParty },
    localSequence: dialog.localSequence,
    remoteSequence: dialog.remoteSequence,
    localContact: dialog.localContact,
    remoteTarget: dialog.remoteTarget,
    routeSet: dialog.routeSet,
    localSdp: dialog.localSdp,
    sessionTimer: dialog.sessionTimer?.interval,
    peer: { transport: channel.transport, address: channel.remote.address, port: channel.remote.port },
  };
}

/** The Contact with the address that the channel is reached by: the dialog may come from an engine at another. */
function ownContact(contact: string, { sentBy }: Channel): string {
  return contact.replace(
    /(sips?:(?:[^@>]*@)?)(?:\[[^\]]*\]|[^:;>]*)(?::[0-9]+)?/,
    `$1${sentBy.host}:${sentBy.port}`,
  );
}

/** See `Engine.restoreDialog`. */
export function restoreDialog(core: Core, state: DialogState): boolean {
  const { transport, ...remote } = state.peer;
  const owner = core.control.clientFor('INVITE');
  const channel = core.pool.channelTo(transport, remote, remote.address);
  if (owner === undefined || channel === undefined || core.dialogs.named(state.id) !== undefined)
    return false;
  const dialog = new Dialog({
    ...state,
    kind: 'INVITE',
    localSequence: state.localSequence + sequenceGap,
    remoteSequence: state.remoteSequence,
    localContact: ownContact(state.localContact, channel),
    channel,
    owner,
  });
  dialog.confirm(state.remoteTarget, state.routeSet);
  dialog.localSdp = state.localSdp;
  core.dialogs.add(dialog);
  if (state.sessionTimer !== undefined) resumeSessionTimer(core, dialog, state.sessionTimer);
  return true;
}
