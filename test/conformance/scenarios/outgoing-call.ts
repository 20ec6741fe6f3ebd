import { tagOf, type SipRequest } from '../../../sip/message/index.js';
import { sdp, type Seen, type UdpPeer } from '../../support/sip-peer.js';
import type { SrfApp, SrfDialog, SrfRequest } from '../../support/srf-app.js';
import type { Stage } from '../stage.js';

export type Invite = SipRequest & Seen;

export async function callers(stage: Stage): Promise<{ app: SrfApp; peer: UdpPeer }> {
  const peer = await stage.udpPeer('B');
  return { app: await stage.app(), peer };
}

/** What a call came to, as an event. */
export async function outcome(stage: Stage, call: Promise<SrfDialog>): Promise<SrfDialog | undefined> {
  try {
    const dialog = await call;
    stage.note(`answered ${dialog.id} by ${dialog.sip.remoteTag}`);
    dialog.on('destroy', (_request: SrfRequest, reason: string) => stage.note(`destroyed: ${reason}`));
    return dialog;
  } catch (error) {
    const { status, code, message } = error as Error & { status?: number; code?: string };
    stage.note(`failed: ${status ?? code ?? message}`);
    return undefined;
  }
}

export function call(app: SrfApp, uri: string, options: object = {}): Promise<SrfDialog> {
  return app.createUAC(uri, { localSdp: sdp(7000), ...explicitTo(uri), ...options });
}

export async function hangUp(dialog: SrfDialog | undefined, peer: UdpPeer): Promise<void> {
  const done = dialog?.destroy();
  peer.respond(await peer.request('BYE'), 200, 'OK');
  await done;
}

/** With an explicit To: without it drachtio-server makes header parameters of the Request-URI's (scenario `uac`). */
export function explicitTo(uri: string, headers: object = {}): { headers: object } {
  return { headers: { ...headers, To: `<${uri}>` } };
}

/** An INVITE of the peer's side in the dialog that the application opened. */
export function inDialog(invite: Invite): { callId: string; fromTag: string; toTag: string } {
  return { callId: invite.callId, fromTag: 'peer', toTag: tagOf(invite.from) ?? '' };
}

/** A call that can be cancelled; `request` is what srf gives for cancelling. */
export function cancellable(
  stage: Stage,
  app: SrfApp,
  peer: UdpPeer,
): { ended: Promise<SrfDialog | undefined>; request: Promise<SrfRequest> } {
  let ended: Promise<SrfDialog | undefined> = Promise.resolve(undefined);
  const request = new Promise<SrfRequest>((resolve) => {
    ended = outcome(
      stage,
      app.createUAC(
        stage.uri(peer),
        { localSdp: sdp(7000), ...explicitTo(stage.uri(peer)) },
        {
          cbRequest: (_error, sent) => resolve(sent),
          cbProvisional: ({ status }) => stage.note(`provisional ${status}`),
        },
      ),
    );
  });
  return { ended, request };
}
