import assert from 'node:assert/strict';
import { once } from 'node:events';
import { tagOf } from '../../sip/message/index.js';
import { EngineLab, requestText } from '../support/engine-lab.js';
import { sdp, type UdpPeer } from '../support/sip-peer.js';
import {
  statusOf,
  type SrfApp,
  type SrfDialog,
  type SrfMessage,
  type SrfRequest,
  type SrfResponse,
} from '../support/srf-app.js';

describe('engine: early dialogs', () => {
  let lab: EngineLab;
  let app: SrfApp;
  let peer: UdpPeer;

  beforeEach(async () => {
    lab = await EngineLab.start();
    app = await lab.app();
    peer = await lab.udpPeer();
  });

  afterEach(() => lab.close());

  const parts = (callId: string) => ({ port: lab.udpPort, callId });

  /** What the application is given; resolves with the first INVITE. */
  const incoming = async (): Promise<() => Promise<[SrfRequest, SrfResponse]>> => {
    const first = new Promise<[SrfRequest, SrfResponse]>((resolve) => app.invite((...both) => resolve(both)));
    await new Promise((resolve) => setTimeout(resolve, 30));
    return () => first;
  };

  it('sends a reliable provisional response until its PRACK comes, then takes the 200', async () => {
    const invite = await incoming();
    const text = requestText(peer, {
      ...parts('pr1'),
      method: 'INVITE',
      cseq: 1,
      body: sdp(6000),
      headers: ['Supported: 100rel'],
    });
    peer.send(text);
    const [request, response] = await invite();
    const acknowledged = new Promise<SrfMessage>((resolve) => {
      response.send(183, { headers: { Require: '100rel' }, body: sdp(8000) }, () => undefined, resolve);
    });
    const progress = await peer.status(183);
    assert.equal((await peer.status(183)).text, progress.text);
    assert.equal(progress.headers.get('require'), '100rel');
    assert.notEqual(progress.headers.get('contact'), undefined);
    const rseq = progress.headers.get('rseq') ?? '';
    const toTag = tagOf(progress.to) ?? '';
    peer.send(
      requestText(peer, {
        ...parts('pr1'),
        method: 'PRACK',
        cseq: 2,
        toTag,
        headers: [`RAck: ${Number(rseq) + 1} 1 INVITE`],
      }),
    );
    await peer.status(481, 'PRACK');
    peer.send(
      requestText(peer, {
        ...parts('pr1'),
        method: 'PRACK',
        cseq: 3,
        toTag,
        headers: [`RAck: ${rseq} 1 INVITE`],
      }),
    );
    await acknowledged;
    await peer.status(200, 'PRACK');
    assert.equal(
      await peer.silent((message) => message.kind === 'response' && message.status === 183, 200),
      true,
    );
    const dialog = await app.createUAS(request, response, { localSdp: sdp(8000) });
    const ok = await peer.status(200, 'INVITE');
    assert.equal(tagOf(ok.to), toTag);
    peer.send(requestText(peer, { ...parts('pr1'), method: 'ACK', cseq: 1, toTag }));
    await once(dialog, 'ack');
    peer.send(requestText(peer, { ...parts('pr1'), method: 'BYE', cseq: 4, toTag }));
    await peer.status(200, 'BYE');
    await lab.idle();
  });

  it('sends the next reliable response only after the PRACK of the one before', async () => {
    const invite = await incoming();
    peer.send(
      requestText(peer, {
        ...parts('pr3'),
        method: 'INVITE',
        cseq: 1,
        branch: 'z9hG4bKpr3',
        headers: ['Require: 100rel'],
      }),
    );
    const [, response] = await invite();
    response.send(180, { headers: { Require: '100rel' } });
    response.send(183, { headers: { Require: '100rel' }, body: sdp(8000) });
    const first = await peer.status(180);
    assert.equal(
      await peer.silent((message) => message.kind === 'response' && message.status === 183, 100),
      true,
    );
    const toTag = tagOf(first.to) ?? '';
    peer.send(
      requestText(peer, {
        ...parts('pr3'),
        method: 'PRACK',
        cseq: 2,
        toTag,
        headers: [`RAck: ${first.headers.get('rseq') ?? ''} 1 INVITE`],
      }),
    );
    const second = await peer.status(183);
    assert.equal(Number(second.headers.get('rseq')), Number(first.headers.get('rseq')) + 1);
    response.send(486);
    await peer.status(486);
    peer.send(requestText(peer, { ...parts('pr3'), method: 'ACK', cseq: 1, toTag, branch: 'z9hG4bKpr3' }));
    await lab.idle();
  });

  it('refuses a reliable response to a peer that does not know 100rel', async () => {
    const invite = await incoming();
    peer.send(requestText(peer, { ...parts('pr2'), method: 'INVITE', cseq: 1, body: sdp(6000) }));
    const [, response] = await invite();
    const refused = await new Promise<unknown>((resolve) =>
      response.send(183, { headers: { Require: '100rel' } }, resolve),
    );
    assert.equal(refused, 'Remote endpoint does not support 100rel');
    response.send(480);
    await peer.status(480);
  });

  it('gives an INVITE up whose reliable response gets no PRACK', async () => {
    const invite = await incoming();
    peer.send(
      requestText(peer, {
        ...parts('pr4'),
        method: 'INVITE',
        cseq: 1,
        branch: 'z9hG4bKpr4',
        headers: ['Supported: 100rel'],
      }),
    );
    const [request, response] = await invite();
    const cancelled = once(request, 'cancel');
    response.send(183, { headers: { Require: '100rel' } });
    const refused = await peer.status(504);
    await cancelled;
    peer.send(
      requestText(peer, {
        ...parts('pr4'),
        method: 'ACK',
        cseq: 1,
        branch: 'z9hG4bKpr4',
        toTag: tagOf(refused.to) ?? '',
      }),
    );
    await lab.idle();
  });

  it('acknowledges reliable responses of a callee by PRACK', async () => {
    const call = app.createUAC(`sip:bob@127.0.0.1:${peer.port};transport=udp`, {
      localSdp: sdp(7000),
      headers: { Supported: '100rel' },
    });
    const invite = await peer.request('INVITE');
    peer.respond(invite, 183, 'Progress', {
      body: sdp(9000),
      headers: [
        `Contact: <sip:bob@127.0.0.1:${peer.port}>`,
        'Require: 100rel',
        'RSeq: 77',
        `Record-Route: <sip:127.0.0.1:${peer.port};lr>`,
      ],
    });
    const prack = await peer.request('PRACK');
    assert.equal(prack.headers.get('rack'), `77 ${invite.cseq.number} INVITE`);
    assert.equal(prack.cseq.number, invite.cseq.number + 1);
    assert.equal(prack.headers.get('route'), `<sip:127.0.0.1:${peer.port};lr>`);
    assert.equal(prack.requestUri, `sip:bob@127.0.0.1:${peer.port}`);
    assert.equal(tagOf(prack.to), 'peer');
    peer.respond(prack, 200, 'OK');
    peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    const dialog = await call;
    const ack = await peer.request('ACK');
    assert.equal(ack.cseq.number, invite.cseq.number);
    const done = dialog.destroy();
    peer.respond(await peer.request('BYE'), 200, 'OK');
    await done;
    await lab.idle();
  });

  it('gives an UPDATE before the answer to the INVITE of the application', async () => {
    const invite = await incoming();
    peer.send(requestText(peer, { ...parts('eu1'), method: 'INVITE', cseq: 1, body: sdp(6000) }));
    const [request, response] = await invite();
    const update = once(request, 'update') as Promise<[SrfRequest, SrfResponse]>;
    response.send(183, { body: sdp(8000) });
    const toTag = tagOf((await peer.status(183)).to) ?? '';
    peer.send(requestText(peer, { ...parts('eu1'), method: 'UPDATE', cseq: 2, toTag, body: sdp(6002) }));
    const [updateRequest, updateResponse] = await update;
    assert.equal(updateRequest.stackTxnId, request.stackTxnId);
    peer.send(requestText(peer, { ...parts('eu1'), method: 'UPDATE', cseq: 3, toTag, body: sdp(6004) }));
    await peer.status(491, 'UPDATE');
    updateResponse.send(200, { body: sdp(8002), headers: { 'Content-Type': 'application/sdp' } });
    assert.equal((await peer.status(200, 'UPDATE')).body.toString(), sdp(8002));
    const dialog = await app.createUAS(request, response, { localSdp: sdp(8000) });
    await peer.status(200, 'INVITE');
    peer.send(requestText(peer, { ...parts('eu1'), method: 'ACK', cseq: 1, toTag }));
    await once(dialog, 'ack');
    peer.send(requestText(peer, { ...parts('eu1'), method: 'BYE', cseq: 4, toTag }));
    await peer.status(200, 'BYE');
    await lab.idle();
  });

  it('takes an UPDATE of the callee before its answer', async () => {
    const call = app.createUAC(`sip:bob@127.0.0.1:${peer.port};transport=udp`, { localSdp: sdp(7000) });
    const invite = await peer.request('INVITE');
    peer.respond(invite, 180, 'Ringing');
    await new Promise((resolve) => setTimeout(resolve, 50));
    peer.send(
      requestText(peer, {
        ...parts(invite.callId),
        method: 'UPDATE',
        cseq: 9,
        fromTag: 'peer',
        toTag: tagOf(invite.from) ?? '',
        body: sdp(9002),
      }),
    );
    assert.equal((await peer.status(200, 'UPDATE')).body.toString(), sdp(7000));
    peer.respond(invite, 486, 'Busy Here');
    await assert.rejects(call, (error) => statusOf(error) === 486);
    await lab.idle();
  });
});

describe('engine: subscriptions', () => {
  let lab: EngineLab;
  let app: SrfApp;
  let peer: UdpPeer;

  beforeEach(async () => {
    lab = await EngineLab.start();
    app = await lab.app();
    peer = await lab.udpPeer();
  });

  afterEach(() => lab.close());

  it('makes a dialog of an accepted SUBSCRIBE and ends it with the last NOTIFY', async () => {
    const subscribed = new Promise<SrfDialog>((resolve, reject) => {
      app.use('subscribe', (request, response) => {
        app.createUAS(request, response, { headers: { Expires: '60' } }).then(resolve, reject);
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    peer.send(
      requestText(peer, {
        method: 'SUBSCRIBE',
        port: lab.udpPort,
        callId: 'sub1',
        cseq: 1,
        headers: ['Event: presence', 'Expires: 60'],
      }),
    );
    const accepted = await peer.status(202);
    assert.equal(accepted.headers.get('contact'), `<sip:127.0.0.1:${lab.udpPort}>`);
    const dialog = await subscribed;
    assert.equal(dialog.id, 'sub1;from-tag=f1');
    const notified = dialog.request({
      method: 'NOTIFY',
      headers: { Event: 'presence', 'Subscription-State': 'active', 'Content-Type': 'text/plain' },
      body: 'x',
    });
    const notify = await peer.request('NOTIFY');
    assert.equal(tagOf(notify.from), tagOf(accepted.to));
    assert.equal(notify.requestUri, `sip:alice@127.0.0.1:${peer.port}`);
    peer.respond(notify, 200, 'OK');
    assert.equal((await notified).status, 200);
    const ended = dialog.destroy();
    const last = await peer.request('NOTIFY');
    assert.match(last.headers.get('subscription-state') ?? '', /^terminated/);
    peer.respond(last, 200, 'OK');
    await ended;
    await lab.idle();
  });

  it('takes NOTIFY in a subscription of the application until it is terminated', async () => {
    const call = app.createUAC(`sip:bob@127.0.0.1:${peer.port};transport=udp`, {
      method: 'SUBSCRIBE',
      headers: { Event: 'presence', Expires: '60' },
    });
    const subscribe = await peer.request('SUBSCRIBE');
    assert.equal(subscribe.headers.get('contact'), `<sip:127.0.0.1:${lab.udpPort}>`);
    peer.respond(subscribe, 200, 'OK', {
      headers: ['Expires: 60', `Contact: <sip:bob@127.0.0.1:${peer.port}>`],
    });
    const dialog = await call;
    const notified = once(dialog, 'notify') as Promise<[SrfRequest, SrfResponse]>;
    const common = {
      method: 'NOTIFY',
      port: lab.udpPort,
      callId: subscribe.callId,
      fromTag: 'peer',
      toTag: tagOf(subscribe.from) ?? '',
    };
    peer.send(
      requestText(peer, { ...common, cseq: 5, headers: ['Event: presence', 'Subscription-State: active'] }),
    );
    (await notified)[1].send(200);
    await peer.status(200, 'NOTIFY');
    assert.equal(lab.engine.sizes()['dialogs'], 1);
    dialog.on('notify', (_request: SrfRequest, response: SrfResponse) => response.send(200));
    peer.send(
      requestText(peer, {
        ...common,
        cseq: 6,
        headers: ['Event: presence', 'Subscription-State: terminated;reason=timeout'],
      }),
    );
    await peer.status(200, 'NOTIFY');
    assert.equal(lab.engine.sizes()['dialogs'], 0);
    await lab.idle();
  });

  it('takes the NOTIFY that overtakes the answer to its SUBSCRIBE', async () => {
    const notified = new Promise<SrfRequest>((resolve) => {
      app.use('notify', (request, response) => {
        resolve(request);
        response.send(200);
      });
    });
    const call = app.createUAC(`sip:bob@127.0.0.1:${peer.port};transport=udp`, {
      method: 'SUBSCRIBE',
      headers: { Event: 'presence', Expires: '60' },
    });
    const subscribe = await peer.request('SUBSCRIBE');
    const common = {
      method: 'NOTIFY',
      port: lab.udpPort,
      callId: subscribe.callId,
      fromTag: 'peer',
      toTag: tagOf(subscribe.from) ?? '',
    };
    peer.send(
      requestText(peer, { ...common, cseq: 5, headers: ['Event: presence', 'Subscription-State: active'] }),
    );
    await peer.status(200, 'NOTIFY');
    assert.equal((await notified).stackDialogId, `${subscribe.callId};from-tag=${common.toTag}`);
    peer.respond(subscribe, 200, 'OK', {
      headers: ['Expires: 60', `Contact: <sip:bob@127.0.0.1:${peer.port}>`],
    });
    await call;
    peer.send(
      requestText(peer, {
        ...common,
        cseq: 6,
        headers: ['Event: presence', 'Subscription-State: terminated'],
      }),
    );
    await peer.status(200, 'NOTIFY');
    await lab.idle();
  });
});
