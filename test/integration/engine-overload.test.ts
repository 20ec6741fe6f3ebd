import assert from 'node:assert/strict';
import { once } from 'node:events';
import { tagOf } from '../../sip/message/index.js';
import { EngineLab, requestText } from '../support/engine-lab.js';
import { sdp, type Seen, type UdpPeer } from '../support/sip-peer.js';
import type { SrfApp, SrfDialog, SrfResponse } from '../support/srf-app.js';

const waiting = 40;
const flood = 200;

describe('engine: overload', () => {
  let lab: EngineLab;
  let app: SrfApp;
  let peer: UdpPeer;
  let unanswered: SrfResponse[];

  beforeEach(async () => {
    lab = await EngineLab.start({ overload: { waiting, lateMs: 10_000, onTimeMs: 1_000 } });
    app = await lab.app();
    peer = await lab.udpPeer();
    unanswered = [];
  });

  afterEach(() => lab.close());

  const text = (method: string, callId: string, cseq = 1, toTag?: string): string =>
    requestText(peer, {
      method,
      port: lab.udpPort,
      callId,
      cseq,
      branch: `z9hG4bK${callId}${cseq}`,
      body: method === 'INVITE' ? sdp(6000) : '',
      ...(toTag === undefined ? {} : { toTag }),
    });

  /** The application answers the first INVITE and no other. */
  const establish = async (): Promise<{ toTag: string; dialog: SrfDialog }> => {
    const established = new Promise<SrfDialog>((resolve, reject) => {
      let calls = 0;
      app.invite((request, response) => {
        calls += 1;
        request.on('cancel', () => undefined);
        if (calls > 1) return void unanswered.push(response);
        app.createUAS(request, response, { localSdp: sdp(8000) }).then(resolve, reject);
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 30));
    peer.send(text('INVITE', 'up'));
    const toTag = tagOf((await peer.status(200)).to) ?? '';
    peer.send(text('ACK', 'up', 1, toTag));
    const dialog = await established;
    await once(dialog, 'ack');
    return { toTag, dialog };
  };

  const isResponseTo =
    (callId: string, status: number) =>
    (message: Seen): boolean =>
      message.kind === 'response' && message.callId === callId && message.status === status;

  it('answers every request of a flood that the application is silent about, and serves the call that is up', async () => {
    const { toTag, dialog } = await establish();
    const finals = new Map<string, number[]>();
    const done = new Promise<void>((resolve) => {
      peer.onMessage = (message) => {
        if (message.kind !== 'response' || message.status < 200 || !message.callId.startsWith('flood'))
          return;
        const { callId, status } = message;
        peer.send(text('ACK', callId, 1, tagOf(message.to)));
        if (status === 503) assert.match(message.headers.get('retry-after') ?? '', /^\d+$/);
        finals.set(callId, [...(finals.get(callId) ?? []), status]);
        if (finals.size === flood) resolve();
      };
    });
    for (let i = 0; i < flood; i++) peer.send(text('INVITE', `flood${i}`));
    await peer.next(isResponseTo(`flood${flood - 1}`, 503));
    assert.equal(lab.engine.sizes()['waitingRequests'], waiting);
    assert.equal(lab.engine.counters.overloaded, flood - waiting);

    peer.send(text('INFO', 'up', 2, toTag));
    await peer.next(isResponseTo('up', 200));
    peer.send(text('INVITE', 'flood0'));
    await peer.next(isResponseTo('flood0', 100));
    const bye = dialog.destroy();
    peer.respond(await peer.request('BYE'), 200, 'OK');
    await bye;

    await done;
    const statuses = [...finals.values()].map(([status]) => status);
    assert.equal(statuses.filter((status) => status === 503).length, flood - waiting);
    assert.equal(statuses.filter((status) => status === 500).length, waiting);
    await lab.idle();
  }).timeout(15_000);

  it('takes new requests again when the application has caught up, or callers have gone', async () => {
    await establish();
    for (let i = 0; i <= waiting; i++) peer.send(text('INVITE', `flood${i}`));
    await peer.next(isResponseTo(`flood${waiting}`, 503));
    for (let i = 0; i < 5; i++) {
      peer.send(
        requestText(peer, {
          method: 'CANCEL',
          port: lab.udpPort,
          callId: `flood${i}`,
          cseq: 1,
          branch: `z9hG4bKflood${i}1`,
        }),
      );
      await peer.next(isResponseTo(`flood${i}`, 487));
      peer.send(text('ACK', `flood${i}`, 1, 'x'));
    }
    peer.send(text('INVITE', 'refused'));
    await peer.next(isResponseTo('refused', 503));
    for (const response of unanswered.slice(5, 10)) response.send(180);
    await peer.next(isResponseTo('flood9', 180));
    peer.send(text('INVITE', 'taken'));
    await peer.next(isResponseTo('taken', 100));
    assert.equal(lab.engine.counters.overloaded, 2);
    for (const response of unanswered) response.send(486);
  });

  it('refuses new requests while the event loop is late, and takes them when it is on time again', async () => {
    const late = await EngineLab.start({ overload: { waiting: 1_000, lateMs: 100, onTimeMs: 80 } });
    try {
      const answering = await late.app();
      answering.use('options', (_request, response) => response.send(200));
      const caller = await late.udpPeer();
      const ask = async (): Promise<Seen & { kind: 'response' }> => {
        const callId = `late${caller.seen.length}`;
        caller.send(requestText(caller, { method: 'OPTIONS', port: late.udpPort, callId, cseq: 1 }));
        const answer = await caller.next((message) => message.callId === callId);
        assert.ok(answer.kind === 'response');
        return answer;
      };
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.equal((await ask()).status, 200);
      for (let turn = 0; turn < 6; turn++) {
        for (const until = performance.now() + 250; performance.now() < until;);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const refused = await ask();
      assert.equal(refused.status, 503);
      assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
      assert.equal(late.engine.counters.overloaded, 1);
      for (let status = 503; status !== 200; { status } = await ask())
        await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      await late.close();
    }
  }).timeout(15_000);
});
