import assert from 'node:assert/strict';
import { failure, SipFailure } from '../../../sip/failure.js';
import { requireOwnEngine } from '../../support/engine-under-test.js';
import { sdp } from '../../support/sip-peer.js';
import { TrunkRig, type LegLog, type RigOptions, type StackEvents } from '../../support/trunk-rig.js';

const hasted: RigOptions = { timers: { t1Ms: 5, t2Ms: 40, t4Ms: 50 } };
const nothing = { legs: 0, requests: 0, dialogs: 0, transactions: 0 };
const isCode = (code: string) => (thrown: unknown) => thrown instanceof SipFailure && thrown.code === code;

describe('trunk caller leg', () => {
  let rig: TrunkRig;
  beforeEach(async () => {
    rig = await TrunkRig.start();
  });
  afterEach(() => rig.close());

  async function arrive(
    id: string,
    lines: readonly string[] = [],
    body = sdp(6000),
  ): Promise<StackEvents['call']> {
    rig.sendInvite(id, lines, body);
    return rig.events.next('call');
  }

  /** Answers, acknowledges, and returns our tag. */
  async function establish(
    id: string,
  ): Promise<{ call: StackEvents['call']['call']; leg: LegLog; toTag: string }> {
    const { call, leg } = await arrive(id);
    const answered = call.leg.answer(sdp(8000));
    const toTag = (await rig.peer.status(200, 'INVITE')).to.params.get('tag') ?? '';
    rig.send('ACK', id, { toTag });
    await answered;
    return { call, leg, toTag };
  }

  it('carries a call from INVITE to BYE', async () => {
    const { peer } = rig;
    const { call, source, leg } = await arrive('c1', ['X-Info: 1']);
    assert.deepEqual(source, { address: '127.0.0.1', port: peer.port, transport: 'udp' });
    assert.deepEqual(call.from, { uri: `sip:bob@127.0.0.1:${peer.port}`, displayName: 'Bob' });
    assert.deepEqual(call.to, { uri: `sip:alice@127.0.0.1:${rig.port}` });
    assert.equal(call.requestUri, `sip:alice@127.0.0.1:${rig.port}`);
    assert.equal(call.sdp, sdp(6000));
    assert.equal(call.headers.get('x-info'), '1');
    assert.equal(call.leg.sipCallId, rig.callId('c1'));
    call.leg.progress(183, 'Session Progress', sdp(8000), [['Alert-Info', '<urn:x>']]);
    const ringing = await peer.status(183);
    assert.equal(ringing.headers.get('Alert-Info'), '<urn:x>');
    assert.equal(ringing.headers.get('Contact'), `<sip:127.0.0.1:${rig.port}>`);
    const toTag = ringing.to.params.get('tag') ?? '';
    const answered = call.leg.answer(sdp(8000), [['X-Own', 'o']]);
    const ok = await peer.status(200);
    assert.deepEqual([ok.body.toString(), ok.headers.get('X-Own')], [sdp(8000), 'o']);
    rig.send('ACK', 'c1', { toTag });
    assert.equal(await answered, undefined);
    rig.send('BYE', 'c1', { cseq: 2, toTag, lines: ['Reason: SIP;cause=200;text="bye"'] });
    await peer.status(200, 'BYE');
    assert.deepEqual(await leg.next('ended'), { cause: 'remote', reason: 'SIP;cause=200;text="bye"' });
    assert.deepEqual(leg.seen, ['ended']);
    assert.deepEqual(rig.stack.sizes(), nothing);
  });

  it('takes an INVITE without offer and returns the answer in the ACK', async () => {
    const { call } = await arrive('late', [], '');
    assert.equal(call.sdp, undefined);
    const answered = call.leg.answer(sdp(8000));
    const toTag = (await rig.peer.status(200)).to.params.get('tag') ?? '';
    rig.send('ACK', 'late', { toTag, body: sdp(6001) });
    assert.equal(await answered, sdp(6001));
  });

  it('refuses with status, reason and header fields', async () => {
    const { call, leg } = await arrive('no');
    call.leg.reject(failure('gateway.draining', { headers: [['Retry-After', '7']] }));
    const refused = await rig.peer.status(503);
    assert.deepEqual([refused.reason, refused.headers.get('Retry-After')], ['Service Unavailable', '7']);
    assert.deepEqual(await leg.next('ended'), { cause: 'local' });
    await assert.rejects(call.leg.answer(sdp(8000)), isCode('dialog.unknown'));
    assert.deepEqual(rig.stack.sizes(), nothing);
  });

  it('sends the nearest status in place of one that srf does not know', async () => {
    const { call, leg } = await arrive('odd');
    call.leg.reject(failure('upstream.refused', { status: 607, reason: 'Unwanted' }));
    assert.equal((await rig.peer.status(603)).reason, 'Unwanted');
    await leg.next('ended');
  });

  it('refuses with 487 when it is hung up before the answer, and says why', async () => {
    const { call, leg } = await arrive('up');
    call.leg.hangUp({ headers: [['Reason', 'Q.850;cause=31']] });
    assert.equal((await rig.peer.status(487)).headers.get('Reason'), 'Q.850;cause=31');
    assert.deepEqual(await leg.next('ended'), { cause: 'local' });
  });

  it('ends when the caller cancels, and tells the reason', async () => {
    const { call, leg } = await arrive('c2');
    call.leg.progress(180, 'Ringing');
    await rig.peer.status(180);
    rig.send('CANCEL', 'c2', { lines: ['Reason: SIP;cause=200;text="Call completed elsewhere"'] });
    await rig.peer.status(200, 'CANCEL');
    await rig.peer.status(487, 'INVITE');
    const end = await leg.next('ended');
    assert.deepEqual(end, { cause: 'remote', reason: 'SIP;cause=200;text="Call completed elsewhere"' });
    await assert.rejects(call.leg.answer(sdp(8000)), isCode('dialog.unknown'));
    assert.deepEqual(rig.stack.sizes(), nothing);
  });

  it('ends an early dialog that the caller leaves with BYE', async function () {
    requireOwnEngine(this);
    const { call, leg } = await arrive('c3');
    call.leg.progress(180, 'Ringing');
    const toTag = (await rig.peer.status(180)).to.params.get('tag') ?? '';
    rig.send('BYE', 'c3', { cseq: 2, toTag });
    await rig.peer.status(200, 'BYE');
    await rig.peer.status(487, 'INVITE');
    assert.equal((await leg.next('ended')).cause, 'remote');
    assert.deepEqual(rig.stack.sizes(), nothing);
  });

  it('waits with BYE until its answer is acknowledged', async () => {
    const { call, leg } = await arrive('c4');
    const answered = call.leg.answer(sdp(8000));
    call.leg.hangUp();
    const toTag = (await rig.peer.status(200)).to.params.get('tag') ?? '';
    assert.equal(await rig.peer.silent((message) => message.cseq.method === 'BYE', 50), true);
    rig.send('ACK', 'c4', { toTag });
    await answered;
    rig.peer.respond(await rig.peer.request('BYE'), 200, 'OK');
    assert.deepEqual(await leg.next('ended'), { cause: 'local' });
    assert.deepEqual(rig.stack.sizes(), nothing);
  });

  it('refuses a second INVITE of the same dialog as a loop', async () => {
    await arrive('same');
    rig.peer.send(
      [
        `INVITE sip:alice@127.0.0.1:${rig.port} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${rig.peer.port};branch=z9hG4bKother`,
        'Max-Forwards: 70',
        `From: <sip:bob@x>;tag=b-same`,
        `To: <sip:alice@127.0.0.1:${rig.port}>`,
        `Call-ID: ${rig.callId('same')}`,
        'CSeq: 1 INVITE',
        `Contact: <sip:bob@127.0.0.1:${rig.peer.port}>`,
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
    await rig.peer.status(482);
  });

  describe('of a caller that wants reliable ringing', () => {
    it('sends one provisional response after the other, and the answer when all are acknowledged', async () => {
      const { call } = await arrive('rel', ['Require: 100rel']);
      call.leg.progress(183, 'Session Progress', sdp(8000));
      call.leg.progress(180, 'Ringing');
      const answered = call.leg.answer(sdp(8000));
      const first = await rig.peer.status(183);
      const toTag = first.to.params.get('tag') ?? '';
      assert.match(first.headers.get('Require') ?? '', /100rel/);
      assert.equal(await rig.peer.silent(({ kind }) => kind === 'response', 20), true);
      rig.send('PRACK', 'rel', {
        cseq: 2,
        toTag,
        lines: [`RAck: ${first.headers.get('RSeq') ?? ''} 1 INVITE`],
      });
      await rig.peer.status(200, 'PRACK');
      const second = await rig.peer.status(180);
      rig.send('PRACK', 'rel', {
        cseq: 3,
        toTag,
        lines: [`RAck: ${second.headers.get('RSeq') ?? ''} 1 INVITE`],
      });
      await rig.peer.status(200, 'PRACK');
      await rig.peer.status(200, 'INVITE');
      rig.send('ACK', 'rel', { toTag });
      await answered;
    });

    it('passes on the offer that a PRACK brings, and answers the PRACK with the answer', async () => {
      const { call, leg } = await arrive('rel2', ['Require: 100rel']);
      call.leg.progress(183, 'Session Progress', sdp(8000));
      const first = await rig.peer.status(183);
      const lines = [`RAck: ${first.headers.get('RSeq') ?? ''} 1 INVITE`];
      const toTag = first.to.params.get('tag') ?? '';
      rig.send('PRACK', 'rel2', { cseq: 2, toTag, lines, body: sdp(6002) });
      const reoffer = await leg.next('reoffer');
      assert.deepEqual([reoffer.method, reoffer.sdp], ['PRACK', sdp(6002)]);
      await reoffer.accept(sdp(8000));
      assert.equal((await rig.peer.status(200, 'PRACK')).body.toString(), sdp(8000));
    });

    it('passes on the offer of an UPDATE once early media is acknowledged', async () => {
      const { call, leg } = await arrive('rel3', ['Require: 100rel']);
      call.leg.progress(183, 'Session Progress', sdp(8000));
      const first = await rig.peer.status(183);
      const lines = [`RAck: ${first.headers.get('RSeq') ?? ''} 1 INVITE`];
      const toTag = first.to.params.get('tag') ?? '';
      rig.send('UPDATE', 'rel3', { cseq: 2, toTag, body: sdp(6002) });
      assert.match((await rig.peer.status(500, 'UPDATE')).headers.get('Retry-After') ?? '', /^\d+$/);
      rig.send('PRACK', 'rel3', { cseq: 3, toTag, lines });
      await rig.peer.status(200, 'PRACK');
      rig.send('UPDATE', 'rel3', { cseq: 4, toTag, body: sdp(6004) });
      const reoffer = await leg.next('reoffer');
      await reoffer.accept(sdp(8000));
      const ok = await rig.peer.status(200, 'UPDATE');
      assert.deepEqual([ok.body.toString(), ok.cseq.number], [sdp(8000), 4]);
    });
  });

  describe('that rings', () => {
    it('answers UPDATE: 200 without an offer, with one 500 and when to try again', async () => {
      const { call } = await arrive('u1');
      call.leg.progress(180, 'Ringing');
      const toTag = (await rig.peer.status(180)).to.params.get('tag') ?? '';
      rig.send('UPDATE', 'u1', { cseq: 2, toTag });
      const ok = await rig.peer.status(200, 'UPDATE');
      assert.equal(ok.headers.get('Contact'), `<sip:127.0.0.1:${rig.port}>`);
      rig.send('UPDATE', 'u1', { cseq: 3, toTag, body: sdp(6002) });
      await rig.peer.status(500, 'UPDATE');
    });

    it('passes INFO on', async function () {
      requireOwnEngine(this);
      const { call, leg } = await arrive('u2');
      call.leg.progress(180, 'Ringing');
      const toTag = (await rig.peer.status(180)).to.params.get('tag') ?? '';
      rig.send('INFO', 'u2', { cseq: 2, toTag, body: 'Signal=1', type: 'application/dtmf-relay' });
      const info = await leg.next('request');
      assert.deepEqual([info.contentType, info.body], ['application/dtmf-relay', 'Signal=1']);
      info.respond(480, 'Later');
      assert.equal((await rig.peer.status(480, 'INFO')).reason, 'Later');
    });
  });

  describe('whose answer is never acknowledged', () => {
    it('ends by the engine with call.ack_timeout', async function () {
      this.timeout(60_000);
      await rig.close();
      rig = await TrunkRig.start(hasted);
      const { call, leg } = await arrive('lost');
      const answered = assert.rejects(call.leg.answer(sdp(8000)), isCode('call.ack_timeout'));
      const end = await leg.next('ended', rig.engine.patienceMs);
      assert.deepEqual([end.cause, end.failure?.code], ['failure', 'call.ack_timeout']);
      await answered;
      await rig.peer.request('BYE');
      assert.deepEqual(rig.stack.sizes(), nothing);
    });
  });

  describe('that is answered', () => {
    it('hangs up with BYE and the reason', async () => {
      const { call, leg } = await establish('e1');
      call.leg.hangUp({ headers: [['Reason', 'SIP;cause=480']] });
      const bye = await rig.peer.request('BYE');
      assert.equal(bye.headers.get('Reason'), 'SIP;cause=480');
      rig.peer.respond(bye, 200, 'OK');
      assert.deepEqual(await leg.next('ended'), { cause: 'local' });
      assert.deepEqual(rig.stack.sizes(), nothing);
    });

    it('ends once when both hang up at the same time', async () => {
      const { call, leg, toTag } = await establish('e2');
      call.leg.hangUp();
      const bye = await rig.peer.request('BYE');
      rig.send('BYE', 'e2', { cseq: 2, toTag });
      await rig.peer.next((message) => message.kind === 'response' && message.cseq.method === 'BYE');
      rig.peer.respond(bye, 200, 'OK');
      assert.equal((await leg.next('ended')).cause, 'local');
      assert.deepEqual(leg.seen, ['ended']);
      await rig.settled();
    });
  });
});
