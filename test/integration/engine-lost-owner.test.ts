import assert from 'node:assert/strict';
import { ControlConnection } from '../support/control-connection.js';
import { EngineLab, labSecret, requestText } from '../support/engine-lab.js';
import type { UdpPeer } from '../support/sip-peer.js';

// Found by mutations: the dialogs of an application that has gone meanwhile stayed for ever.
describe('engine: a subscription whose application is gone', () => {
  let lab: EngineLab;
  let peer: UdpPeer;

  beforeEach(async () => {
    lab = await EngineLab.start();
    peer = await lab.udpPeer();
  });

  afterEach(() => lab.close());

  /** The application sends SUBSCRIBE and is gone before the answer. */
  const abandoned = async (): Promise<Awaited<ReturnType<UdpPeer['request']>>> => {
    const app = await ControlConnection.open(lab.engine.controlPort, labSecret);
    app.send(
      `sip||\r\nSUBSCRIBE sip:peer@127.0.0.1:${peer.port} SIP/2.0\r\nEvent: presence\r\nExpires: 60\r\n\r\n`,
    );
    const subscribe = await peer.request('SUBSCRIBE');
    const { closed } = app;
    app.end();
    await closed;
    return subscribe;
  };

  it('makes no dialog when it is accepted, and refuses its NOTIFY with 481', async () => {
    const subscribe = await abandoned();
    peer.respond(subscribe, 200, 'OK', { toTag: 'n1' });
    notify(subscribe.callId, subscribe.from.params.get('tag'));
    await peer.status(481, 'NOTIFY');
    assert.equal(lab.engine.sizes()['dialogs'], 0);
    await lab.idle();
  });

  it('refuses a NOTIFY that overtakes its answer with 481', async () => {
    const subscribe = await abandoned();
    notify(subscribe.callId, subscribe.from.params.get('tag'));
    await peer.status(481, 'NOTIFY');
    peer.respond(subscribe, 200, 'OK', { toTag: 'n1' });
    await lab.idle();
  });

  function notify(callId: string, toTag: string | null | undefined): void {
    peer.send(
      requestText(peer, {
        method: 'NOTIFY',
        port: lab.udpPort,
        callId,
        cseq: 1,
        fromTag: 'n1',
        toTag: toTag ?? '',
        headers: ['Event: presence', 'Subscription-State: active;expires=60'],
      }),
    );
  }
});
