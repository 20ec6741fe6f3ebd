import assert from 'node:assert/strict';
import { once } from 'node:events';
import { tagOf } from '../../sip/message/index.js';
import { EngineLab, requestText } from '../support/engine-lab.js';
import { FakeClock } from '../support/fake-clock.js';
import { sdp, type UdpPeer } from '../support/sip-peer.js';
import type { SrfApp, SrfDialog } from '../support/srf-app.js';

describe('engine: session timers', () => {
  let lab: EngineLab;
  let app: SrfApp;
  let peer: UdpPeer;
  let clock: FakeClock;

  beforeEach(async () => {
    clock = new FakeClock();
    lab = await EngineLab.start({ clock });
    app = await lab.app();
    peer = await lab.udpPeer();
  });

  afterEach(async () => {
    clock.advance(600_000);
    await lab.idle();
    await lab.close();
  });

  /** Lets what was sent arrive. */
  const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

  /** A call from the peer that the application answers with these header fields. */
  const answered = async (
    headers: Record<string, string>,
    asked = 'Session-Expires: 90',
  ): Promise<{ dialog: SrfDialog; toTag: string }> => {
    const established = new Promise<SrfDialog>((resolve, reject) => {
      app.invite((request, response) => {
        app.createUAS(request, response, { localSdp: sdp(8000), headers }).then(resolve, reject);
      });
    });
    await settle();
    peer.send(
      requestText(peer, {
        method: 'INVITE',
        port: lab.udpPort,
        callId: 'st',
        cseq: 1,
        body: sdp(6000),
        headers: ['Supported: timer', asked],
      }),
    );
    const toTag = tagOf((await peer.status(200)).to) ?? '';
    peer.send(requestText(peer, { method: 'ACK', port: lab.udpPort, callId: 'st', cseq: 1, toTag }));
    const dialog = await established;
    await once(dialog, 'ack');
    return { dialog, toTag };
  };

  const hangUp = async (dialog: SrfDialog): Promise<void> => {
    const done = dialog.destroy();
    peer.respond(await peer.request('BYE'), 200, 'OK');
    await done;
  };

  it('refreshes as the answering side behind the back of the application', async () => {
    const { dialog } = await answered({ 'Session-Expires': '90;refresher=uas', Require: 'timer' });
    for (let round = 1; round <= 2; round += 1) {
      clock.advance(44_999);
      assert.equal(await peer.silent((message) => message.cseq.method === 'INVITE', 50), true);
      clock.advance(1);
      const refresh = await peer.request('INVITE');
      assert.equal(refresh.headers.get('session-expires'), '90;refresher=uac');
      assert.equal(refresh.headers.get('min-se'), '90');
      assert.equal(refresh.body.toString(), sdp(8000));
      peer.respond(refresh, 200, 'OK', {
        body: sdp(6000),
        headers: [`Contact: <sip:alice@127.0.0.1:${peer.port}>`, 'Session-Expires: 90;refresher=uac'],
      });
      const ack = await peer.request('ACK');
      assert.equal(ack.cseq.number, refresh.cseq.number);
      peer.respond(refresh, 200, 'OK', { body: sdp(6000) });
      assert.equal((await peer.request('ACK')).text, ack.text);
    }
    await hangUp(dialog);
  });

  it('ends the call when its refresh fails', async () => {
    const { dialog } = await answered({ 'Session-Expires': '90;refresher=uas' });
    const destroyed = once(dialog, 'destroy');
    clock.advance(45_000);
    peer.respond(await peer.request('INVITE'), 500, 'Server Internal Error');
    const bye = await peer.request('BYE');
    assert.equal(bye.headers.get('reason'), 'SIP;cause=200;text="Session timer expired"');
    assert.equal((await destroyed)[1], 'Session timer expired');
    peer.respond(bye, 200, 'OK');
  });

  it('tries its refresh again after a collision', async () => {
    const { dialog } = await answered({ 'Session-Expires': '90;refresher=uas' });
    clock.advance(45_000);
    peer.respond(await peer.request('INVITE'), 491, 'Request Pending');
    await peer.request('ACK');
    clock.advance(3000);
    const again = await peer.request('INVITE');
    peer.respond(again, 200, 'OK', { body: sdp(6000) });
    await peer.request('ACK');
    await hangUp(dialog);
  });

  it('lets a re-INVITE of the application wait for its refresh', async () => {
    const { dialog } = await answered({ 'Session-Expires': '90;refresher=uas' });
    clock.advance(45_000);
    const refresh = await peer.request('INVITE');
    const modified = dialog.request({ method: 'INVITE', body: sdp(8004) });
    assert.equal(await peer.silent((message) => message.cseq.number > refresh.cseq.number, 100), true);
    peer.respond(refresh, 200, 'OK', { body: sdp(6000) });
    const reinvite = await peer.request('INVITE');
    assert.equal(reinvite.body.toString(), sdp(8004));
    peer.respond(reinvite, 200, 'OK', { body: sdp(6002) });
    assert.equal((await modified).status, 200);
    await hangUp(dialog);
  });

  it('ends the call that the peer does not refresh, and takes a refresh by re-INVITE or UPDATE', async () => {
    const { dialog, toTag } = await answered({ 'Session-Expires': '90;refresher=uac' });
    dialog.on('refresh', () => undefined);
    clock.advance(80_000);
    peer.send(
      requestText(peer, {
        method: 'UPDATE',
        port: lab.udpPort,
        callId: 'st',
        cseq: 2,
        toTag,
        headers: ['Session-Expires: 90;refresher=uac'],
      }),
    );
    await peer.status(200, 'UPDATE');
    clock.advance(80_000);
    peer.send(
      requestText(peer, {
        method: 'INVITE',
        port: lab.udpPort,
        callId: 'st',
        cseq: 3,
        toTag,
        body: sdp(6000),
        headers: ['Session-Expires: 90;refresher=uac'],
      }),
    );
    await peer.status(200, 'INVITE');
    peer.send(requestText(peer, { method: 'ACK', port: lab.udpPort, callId: 'st', cseq: 3, toTag }));
    await once(dialog, 'ack');
    const destroyed = once(dialog, 'destroy');
    clock.advance(89_999);
    assert.equal(await peer.silent((message) => message.cseq.method === 'BYE', 50), true);
    clock.advance(1);
    peer.respond(await peer.request('BYE'), 200, 'OK');
    assert.equal((await destroyed)[1], 'Session timer expired');
  });

  it('has no timer unless the application answers with one', async () => {
    const { dialog } = await answered({}, 'Session-Expires: 1800');
    clock.advance(4_000_000);
    assert.equal(await peer.silent((message) => message.kind === 'request', 100), true);
    await hangUp(dialog);
  });

  it('refuses an interval below 90 seconds inside a dialog', async () => {
    const { dialog, toTag } = await answered({});
    peer.send(
      requestText(peer, {
        method: 'UPDATE',
        port: lab.udpPort,
        callId: 'st',
        cseq: 2,
        toTag,
        headers: ['Session-Expires: 60;refresher=uac'],
      }),
    );
    assert.equal((await peer.status(422)).headers.get('min-se'), '90');
    await hangUp(dialog);
  });

  for (const [refresher, name] of [
    ['uac', 'refreshes'],
    ['uas', 'expects refreshes'],
  ] as const) {
    it(`${name} as the calling side when the answer says so`, async () => {
      const call = app.createUAC(`sip:bob@127.0.0.1:${peer.port};transport=udp`, {
        localSdp: sdp(7000),
        headers: { 'Session-Expires': '90', Supported: 'timer' },
      });
      const invite = await peer.request('INVITE');
      peer.respond(invite, 200, 'OK', {
        body: sdp(9000),
        headers: [
          `Contact: <sip:bob@127.0.0.1:${peer.port}>`,
          `Session-Expires: 20;refresher=${refresher}`,
          'Require: timer',
        ],
      });
      const dialog = await call;
      await peer.request('ACK');
      const destroyed = once(dialog, 'destroy');
      clock.advance(10_000);
      if (refresher === 'uac') {
        const refresh = await peer.request('INVITE');
        assert.equal(refresh.body.toString(), sdp(7000));
        peer.respond(refresh, 481, 'Call/Transaction Does Not Exist');
      } else clock.advance(10_000);
      peer.respond(await peer.request('BYE'), 200, 'OK');
      assert.equal((await destroyed)[1], 'Session timer expired');
    });
  }
});
