import { EventEmitter } from 'node:events';
import type { TrunkDialogSnapshot } from '../leg.js';
import {
  Srf,
  type SrfDialog,
  type SrfMessage,
  type SrfRequest,
  type SrfResponse,
  type SrfStack,
} from './srf-types.js';

/** What drachtio-srf asks of the messages that made a dialog. */
interface MadeBy extends SrfMessage {
  getParsedHeader(name: string): unknown;
}

/**
 * drachtio-srf's dialog for one that the engine has, but that this process did not make: from then on srf brings what comes
 * in it. srf reads tags, URIs and SDP from the two messages that make a dialog; those that stand in for them here say the
 * same.
 */
export function restoredDialog(srf: SrfStack, dialog: TrunkDialogSnapshot): SrfDialog {
  const { callId, localTag, remoteTag, role, contact = '' } = dialog;
  const tags = role === 'callee' ? { from: localTag, to: remoteTag } : { from: remoteTag, to: localTag };
  const message = (body: string | undefined): MadeBy => ({
    body: body ?? '',
    get: (name) => ({ 'call-id': callId, contact })[name.toLowerCase()],
    has: (name) => ['call-id', 'contact'].includes(name.toLowerCase()),
    getParsedHeader: (name) => {
      if (name.toLowerCase() === 'contact') return [{ uri: contact }];
      return { params: { tag: name.toLowerCase() === 'from' ? tags.from : tags.to } };
    },
  });
  const [local, remote] = [message(dialog.localSdp), message(dialog.remoteSdp)];
  const [invite, answer] = role === 'callee' ? [local, remote] : [remote, local];
  const req = Object.assign(new EventEmitter(), invite, { method: 'INVITE', uri: contact });
  const res = Object.assign(answer, { stackDialogId: dialog.dialogId, agent: srf.app.client });
  return new Srf.Dialog(srf, role === 'callee' ? 'uac' : 'uas', {
    req: req as unknown as SrfRequest,
    res: res as unknown as SrfResponse,
    sent: local as unknown as SrfResponse,
  });
}
