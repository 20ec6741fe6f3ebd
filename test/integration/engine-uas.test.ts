import assert from 'node:assert/strict';
import { once } from 'node:events';
import { tagOf } from '../../sip/message/index.js';
import { EngineLab, requestText } from '../support/engine-lab.js';
import { sdp, type SipPeer } from '../support/sip-peer.js';
import type { SrfApp, SrfDialog, SrfMessage, SrfRequest, SrfResponse } from '../support/srf-app.js';

describe('engine: calls from the network', () => {
  let lab: EngineLab;
  let app: SrfApp;

  beforeEach(async () => {
    lab = await EngineLab.start();
    app = await lab.app();
  });

  afterEach(() => lab.close());

  const answering = (options: object = {}): Promise<SrfDialog> =>
    new Promise((resolve, reject) => {
      app.invite((request, response) => {
        app.createUAS(request, response, { localSdp: sdp(8000), ...options }).then(resolve, reject);
      });
    });

  /** Waits until the engine has taken the application's route. */
  const routed = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

  const call = async (
    peer: SipPeer,
    port: number,
    callId: string,
  ): Promise<{ toTag: string; branch: string }> => {
    const branch = `z9hG4bK${callId}`;
    peer.send(requestText(peer, { method: 'INVITE', port, callId, cseq: 1, branch, body: sdp(6000) }));
    const ok = await peer.status(200, 'INVITE');
    const toTag = tagOf(ok.to) ?? '';
    peer.send(requestText(peer, { method: 'ACK', port, callId, cseq: 1, toTag }));
    return { toTag, branch };
  };

  for (const transport of ['udp', 'tcp'] as const) {
    const open = async (): Promise<{ peer: SipPeer; port: number }> =>
      transport === 'udp'
        ? { peer: await lab.udpPeer(), port: lab.udpPort }
        : { peer: await lab.tcpPeer(true), port: lab.tcpPort };

    it(`establishes, modifies and ends a call over ${transport}`, async () => {
      const dialog = answering({
        headers: { 'User-Agent': 'ua', 'X-A': '1', Contact: '<sip:svc@localhost>' },
      });
      await routed();
      const { peer, port } = await open();
      const parts = { port, callId: `uas-${transport}` };
      peer.send(
        requestText(peer, {
          ...parts,
          method: 'INVITE',
          cseq: 1,
          body: sdp(6000),
          headers: [
            `Record-Route: <sip:127.0.0.1:${peer.port};lr${transport === 'tcp' ? ';transport=tcp' : ''}>`,
          ],
        }),
      );
      const trying = await peer.status(100);
      assert.equal(tagOf(trying.to), undefined);
      assert.match(
        trying.headers.get('via') ?? '',
        new RegExp(`;rport=${transport === 'udp' ? peer.port : '\\d+'}`),
      );
      const ok = await peer.status(200);
      assert.equal(ok.headers.get('user-agent'), 'ua');
      assert.equal(ok.headers.get('x-a'), '1');
      assert.equal(ok.headers.get('record-route')?.includes(`127.0.0.1:${peer.port}`), true);
      assert.equal(
        ok.headers.get('contact'),
        `<sip:svc@127.0.0.1:${port}${transport === 'tcp' ? ';transport=tcp' : ''}>`,
      );
      assert.equal(ok.body.toString(), sdp(8000));
      const toTag = tagOf(ok.to) ?? '';
      const established = await dialog;
      assert.equal(established.id, `uas-${transport};from-tag=f1`);
      assert.equal(established.sip.localTag, toTag);
      const acked = once(established, 'ack');
      peer.send(requestText(peer, { ...parts, method: 'ACK', cseq: 1, toTag }));
      await acked;

      established.on('modify', (_request: SrfRequest, response: SrfResponse) =>
        response.send(200, { body: sdp(8002) }),
      );
      peer.send(requestText(peer, { ...parts, method: 'INVITE', cseq: 2, toTag, body: sdp(6002) }));
      const modified = await peer.status(200);
      assert.equal(modified.body.toString(), sdp(8002));
      assert.notEqual(modified.headers.get('contact'), undefined);
      const ackedAgain = once(established, 'ack');
      peer.send(requestText(peer, { ...parts, method: 'ACK', cseq: 2, toTag }));
      await ackedAgain;

      const ours = established.request({ method: 'INVITE', body: sdp(8004) });
      const reinvite = await peer.request('INVITE');
      assert.equal(reinvite.requestUri.startsWith(`sip:alice@127.0.0.1:${peer.port}`), true);
      assert.match(reinvite.headers.get('route') ?? '', /;lr/);
      assert.match(reinvite.headers.get('from') ?? '', new RegExp(`^<sip:svc@.*>;tag=${toTag}$`));
      assert.match(reinvite.headers.get('to') ?? '', /;tag=f1$/);
      peer.respond(reinvite, 200, 'OK', { body: sdp(6004) });
      assert.equal((await ours).status, 200);
      const ack = await peer.request('ACK');
      assert.equal(ack.cseq.number, reinvite.cseq.number);

      const destroyed = once(established, 'destroy');
      peer.send(requestText(peer, { ...parts, method: 'BYE', cseq: 3, toTag }));
      const bye = await peer.status(200);
      assert.equal(bye.cseq.method, 'BYE');
      assert.equal((await destroyed)[1], 'normal release');
      peer.send(requestText(peer, { ...parts, method: 'BYE', cseq: 4, toTag }));
      await peer.status(481);
      await lab.idle();
    });
  }

  it('hands in-dialog requests of any method to the dialog and sends its own', async () => {
    const dialog = answering();
    await routed();
    const peer = await lab.udpPeer();
    const port = lab.udpPort;
    const { toTag } = await call(peer, port, 'any');
    const established = await dialog;
    const info = once(established, 'info') as Promise<[SrfRequest, SrfResponse]>;
    peer.send(requestText(peer, { method: 'INFO', port, callId: 'any', cseq: 2, toTag }));
    const [request, response] = await info;
    assert.equal(request.stackDialogId, 'any;from-tag=f1');
    response.send(200, { headers: { 'X-R': '1' } });
    assert.equal((await peer.status(200, 'INFO')).headers.get('x-r'), '1');
    peer.send(requestText(peer, { method: 'OPTIONS', port, callId: 'any', cseq: 3, toTag }));
    await peer.status(200, 'OPTIONS');
    peer.send(requestText(peer, { method: 'FOO', port, callId: 'any', cseq: 4, toTag }));
    await peer.status(501, 'FOO');

    const sent = established.request({
      method: 'INFO',
      headers: { 'Content-Type': 'application/dtmf-relay' },
      body: 'Signal=1\r\n',
    });
    const received = await peer.request('INFO');
    assert.equal(received.body.toString(), 'Signal=1\r\n');
    assert.equal(received.headers.has('contact'), false);
    peer.respond(received, 200, 'OK');
    assert.equal((await sent).status, 200);

    peer.send(requestText(peer, { method: 'INFO', port, callId: 'any', cseq: 3, toTag }));
    await peer.status(500, 'INFO');
    const bye = established.destroy();
    peer.respond(await peer.request('BYE'), 200, 'OK');
    await bye;
    await lab.idle();
  });

  it('repeats the 200 until the ACK comes and gives it to the application once', async () => {
    const dialog = answering();
    await routed();
    const peer = await lab.udpPeer();
    const parts = { port: lab.udpPort, callId: 'lost' };
    peer.send(
      requestText(peer, { ...parts, method: 'INVITE', cseq: 1, branch: 'z9hG4bKlost', body: sdp(6000) }),
    );
    const first = await peer.status(200);
    const again = await peer.status(200);
    assert.equal(again.text, first.text);
    const established = await dialog;
    let acks = 0;
    established.on('ack', () => (acks += 1));
    const toTag = tagOf(first.to) ?? '';
    peer.send(requestText(peer, { ...parts, method: 'ACK', cseq: 1, toTag }));
    peer.send(requestText(peer, { ...parts, method: 'ACK', cseq: 1, toTag }));
    assert.equal(await peer.silent(({ kind }) => kind === 'response', 500), true);
    assert.equal(acks, 1);
    peer.send(requestText(peer, { ...parts, method: 'BYE', cseq: 2, toTag }));
    await peer.status(200, 'BYE');
    await lab.idle();
  });

  it('ends a call whose 200 is never acknowledged', async () => {
    const dialog = answering();
    await routed();
    const peer = await lab.udpPeer();
    const parts = { port: lab.udpPort, callId: 'noack', method: 'INVITE', cseq: 1, body: sdp(6000) };
    const sentAt = Date.now();
    peer.send(requestText(peer, parts));
    const established = await dialog;
    const destroyed = once(established, 'destroy');
    const bye = await peer.request('BYE');
    assert.ok(Date.now() - sentAt >= 1500);
    assert.equal(bye.headers.get('reason'), 'SIP;cause=200;text="ACK timeout"');
    assert.equal((await destroyed)[1], 'ACK timeout');
    const repeats = peer.seen.filter(
      (message) => message.kind === 'response' && message.status === 200,
    ).length;
    assert.ok(repeats >= 8, `${repeats} copies of the 200`);
    peer.respond(bye, 200, 'OK');
    await lab.idle();
  });

  it('rejects with what the application says and repeats it until the ACK', async () => {
    app.invite((_request, response) =>
      response.send(486, 'Busy', { headers: { 'X-Foo': 'bar', 'Retry-After': '5' } }),
    );
    await routed();
    const peer = await lab.udpPeer();
    const parts = { port: lab.udpPort, callId: 'busy', cseq: 1, branch: 'z9hG4bKbusy' };
    peer.send(requestText(peer, { ...parts, method: 'INVITE', body: sdp(6000) }));
    const busy = await peer.status(486);
    assert.equal(busy.reason, 'Busy');
    assert.equal(busy.headers.get('x-foo'), 'bar');
    assert.equal(busy.headers.get('retry-after'), '5');
    assert.notEqual(tagOf(busy.to), undefined);
    await peer.status(486);
    peer.send(requestText(peer, { ...parts, method: 'ACK', toTag: tagOf(busy.to) ?? '' }));
    assert.equal(await peer.silent(({ kind }) => kind === 'response', 300), true);
    await lab.idle();
  });

  it('absorbs a retransmitted INVITE and repeats the last provisional response', async () => {
    let invites = 0;
    let ringing: SrfResponse | undefined;
    app.invite((_request, response) => {
      invites += 1;
      ringing = response;
      response.send(180);
    });
    await routed();
    const peer = await lab.udpPeer();
    const text = requestText(peer, {
      method: 'INVITE',
      port: lab.udpPort,
      callId: 'again',
      cseq: 1,
      body: sdp(6000),
    });
    peer.send(text);
    const first = await peer.status(180);
    peer.send(text);
    assert.equal((await peer.status(180)).text, first.text);
    assert.equal(invites, 1);
    ringing?.send(486);
    await peer.status(486);
  });

  it('answers a quick CANCEL itself and tells the application', async () => {
    const cancelled = new Promise<unknown>((resolve) => {
      app.invite((request, response) => {
        request.on('cancel', () => response.send(487, {}, (error) => resolve(error)));
      });
    });
    await routed();
    const peer = await lab.udpPeer();
    const parts = { port: lab.udpPort, callId: 'quick', cseq: 1, branch: 'z9hG4bKquick' };
    peer.send(requestText(peer, { ...parts, method: 'INVITE', body: sdp(6000) }));
    await peer.status(100);
    peer.send(requestText(peer, { ...parts, method: 'CANCEL' }));
    await peer.status(200, 'CANCEL');
    const terminated = await peer.status(487, 'INVITE');
    assert.equal(await cancelled, 'Response not sent due to unknown transaction');
    peer.send(requestText(peer, { ...parts, method: 'ACK', toTag: tagOf(terminated.to) ?? '' }));
    await lab.idle();
  });

  it('answers a CANCEL after 180 itself and keeps the To tag', async () => {
    const cancelled = new Promise<SrfMessage>((resolve) => {
      app.invite((request, response) => {
        request.on('cancel', resolve);
        response.send(180);
      });
    });
    await routed();
    const peer = await lab.udpPeer();
    const parts = { port: lab.udpPort, callId: 'after180', cseq: 1, branch: 'z9hG4bKafter180' };
    peer.send(requestText(peer, { ...parts, method: 'INVITE', body: sdp(6000) }));
    const ringing = await peer.status(180);
    peer.send(
      requestText(peer, {
        ...parts,
        method: 'CANCEL',
        headers: ['Reason: SIP;cause=200;text="Call completed elsewhere"'],
      }),
    );
    assert.equal(tagOf((await peer.status(200, 'CANCEL')).to), tagOf(ringing.to));
    assert.equal(tagOf((await peer.status(487, 'INVITE')).to), tagOf(ringing.to));
    assert.equal((await cancelled).get('reason'), 'SIP;cause=200;text="Call completed elsewhere"');
    peer.send(requestText(peer, { ...parts, method: 'ACK', toTag: tagOf(ringing.to) ?? '' }));
    await lab.idle();
  });

  it('leaves an answered call alone when its CANCEL comes too late', async () => {
    const dialog = answering();
    await routed();
    const peer = await lab.udpPeer();
    const { toTag, branch } = await call(peer, lab.udpPort, 'late');
    await dialog;
    peer.send(requestText(peer, { method: 'CANCEL', port: lab.udpPort, callId: 'late', cseq: 1, branch }));
    await peer.status(200, 'CANCEL');
    peer.send(requestText(peer, { method: 'BYE', port: lab.udpPort, callId: 'late', cseq: 2, toTag }));
    await peer.status(200, 'BYE');
    await lab.idle();
  });

  it('takes a BYE before the answer for a CANCEL', async () => {
    const cancelled = new Promise<SrfMessage>((resolve) => {
      app.invite((request, response) => {
        request.on('cancel', resolve);
        response.send(180);
      });
    });
    await routed();
    const peer = await lab.udpPeer();
    const parts = { port: lab.udpPort, callId: 'earlybye' };
    peer.send(
      requestText(peer, { ...parts, method: 'INVITE', cseq: 1, branch: 'z9hG4bKeb', body: sdp(6000) }),
    );
    const toTag = tagOf((await peer.status(180)).to) ?? '';
    peer.send(requestText(peer, { ...parts, method: 'BYE', cseq: 2, toTag }));
    await peer.status(200, 'BYE');
    await peer.status(487, 'INVITE');
    await cancelled;
    peer.send(requestText(peer, { ...parts, method: 'ACK', cseq: 1, branch: 'z9hG4bKeb', toTag }));
    await lab.idle();
  });

  it('refuses a second INVITE while one is pending, from either side', async () => {
    const dialog = answering();
    await routed();
    const peer = await lab.udpPeer();
    const port = lab.udpPort;
    const { toTag } = await call(peer, port, 'glare');
    const established = await dialog;
    const ours = established.request({ method: 'INVITE', body: sdp(8002) });
    const reinvite = await peer.request('INVITE');
    peer.send(
      requestText(peer, { method: 'INVITE', port, callId: 'glare', cseq: 2, toTag, body: sdp(6002) }),
    );
    await peer.status(491);
    peer.respond(reinvite, 491, 'Request Pending');
    assert.equal((await ours).status, 491);
    const pending = once(established, 'modify') as Promise<[SrfRequest, SrfResponse]>;
    peer.send(
      requestText(peer, { method: 'INVITE', port, callId: 'glare', cseq: 3, toTag, body: sdp(6002) }),
    );
    const [, response] = await pending;
    peer.send(
      requestText(peer, { method: 'INVITE', port, callId: 'glare', cseq: 4, toTag, body: sdp(6004) }),
    );
    assert.notEqual((await peer.status(500)).headers.get('retry-after'), undefined);
    response.send(488);
    await peer.status(488);
    peer.send(requestText(peer, { method: 'BYE', port, callId: 'glare', cseq: 5, toTag }));
    await peer.status(200, 'BYE');
  });

  it('sends BYE only after the ACK', async () => {
    const dialog = answering();
    await routed();
    const peer = await lab.udpPeer();
    const parts = { port: lab.udpPort, callId: 'heldbye' };
    peer.send(requestText(peer, { ...parts, method: 'INVITE', cseq: 1, body: sdp(6000) }));
    const ok = await peer.status(200);
    const ended = (await dialog).destroy();
    assert.equal(await peer.silent(({ kind }) => kind === 'request', 300), true);
    peer.send(requestText(peer, { ...parts, method: 'ACK', cseq: 1, toTag: tagOf(ok.to) ?? '' }));
    peer.respond(await peer.request('BYE'), 200, 'OK');
    await ended;
    await lab.idle();
  });

  it('lets the application hang up although the peer does first', async () => {
    const dialog = answering();
    await routed();
    const peer = await lab.udpPeer();
    const parts = { port: lab.udpPort, callId: 'bothbye' };
    peer.send(requestText(peer, { ...parts, method: 'INVITE', cseq: 1, body: sdp(6000) }));
    const toTag = tagOf((await peer.status(200)).to) ?? '';
    const ended = (await dialog).destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    peer.send(requestText(peer, { ...parts, method: 'BYE', cseq: 2, toTag }));
    await peer.status(200, 'BYE');
    peer.respond(await peer.request('BYE'), 481, 'Call/Transaction Does Not Exist');
    await ended;
    await lab.idle();
  });

  it('answers 500 for an application that never says anything', async () => {
    app.invite(() => undefined);
    app.use('message', () => undefined);
    await routed();
    const peer = await lab.udpPeer();
    const parts = { port: lab.udpPort, cseq: 1, branch: 'z9hG4bKsilent' };
    peer.send(requestText(peer, { ...parts, callId: 'silent1', method: 'INVITE', body: sdp(6000) }));
    peer.send(requestText(peer, { ...parts, callId: 'silent2', method: 'MESSAGE' }));
    const refused = await peer.status(500);
    assert.equal(refused.callId, 'silent1');
    peer.send(
      requestText(peer, { ...parts, callId: 'silent1', method: 'ACK', toTag: tagOf(refused.to) ?? '' }),
    );
    await lab.idle();
  });

  it('takes the SDP of a late offer from the ACK', async () => {
    const dialog = answering();
    await routed();
    const peer = await lab.udpPeer();
    const parts = { port: lab.udpPort, callId: 'lateoffer' };
    peer.send(requestText(peer, { ...parts, method: 'INVITE', cseq: 1 }));
    const ok = await peer.status(200);
    const established = await dialog;
    const acked = once(established, 'ack') as Promise<[SrfRequest]>;
    peer.send(
      requestText(peer, { ...parts, method: 'ACK', cseq: 1, toTag: tagOf(ok.to) ?? '', body: sdp(6006) }),
    );
    const [ack] = await acked;
    assert.equal(ack.body, sdp(6006));
    peer.send(requestText(peer, { ...parts, method: 'BYE', cseq: 2, toTag: tagOf(ok.to) ?? '' }));
    await peer.status(200, 'BYE');
  });

  it('sends what follows a target refresh to the new target', async () => {
    const dialog = answering();
    await routed();
    const peer = await lab.udpPeer();
    const moved = await lab.udpPeer();
    const port = lab.udpPort;
    const { toTag } = await call(peer, port, 'refresh');
    const established = await dialog;
    peer.send(
      requestText(
        { ...peer, port: moved.port, transport: 'UDP' },
        { method: 'UPDATE', port, callId: 'refresh', cseq: 2, toTag },
      ),
    );
    const ended = await peer.status(200, 'UPDATE').then(() => established.destroy.bind(established));
    const done = ended();
    const bye = await moved.request('BYE');
    assert.equal(bye.requestUri, `sip:alice@127.0.0.1:${moved.port}`);
    moved.respond(bye, 200, 'OK');
    await done;
    await lab.idle();
  });
});
