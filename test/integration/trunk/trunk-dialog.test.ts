import assert from 'node:assert/strict';
import { failure, SipFailure } from '../../../sip/failure.js';
import type { CallerLeg } from '../../../sip/leg.js';
import { requireOwnEngine } from '../../support/engine-under-test.js';
import { sdp } from '../../support/sip-peer.js';
import { TrunkRig, type LegLog } from '../../support/trunk-rig.js';

const nothing = { legs: 0, requests: 0, dialogs: 0, transactions: 0 };
const isCode = (code: string) => (thrown: unknown) => thrown instanceof SipFailure && thrown.code === code;

interface Established {
  readonly leg: CallerLeg;
  readonly log: LegLog;
  readonly toTag: string;
}

describe('trunk dialog', () => {
  let rig: TrunkRig;
  beforeEach(async () => {
    rig = await TrunkRig.start();
  });
  afterEach(() => rig.close());

  /** A call from the peer that is answered and acknowledged. */
  async function establish(id: string): Promise<Established> {
    rig.sendInvite(id);
    const { call, leg: log } = await rig.events.next('call');
    const answered = call.leg.answer(sdp(8000));
    const toTag = (await rig.peer.status(200, 'INVITE')).to.params.get('tag') ?? '';
    rig.send('ACK', id, { toTag });
    await answered;
    return { leg: call.leg, log, toTag };
  }

  /** Returns when an ACK that was sent before has been taken: the INFO behind it has. */
  async function behindAck(id: string, cseq: number, { log, toTag }: Established): Promise<void> {
    rig.send('INFO', id, { cseq, toTag });
    (await log.next('request')).respond(200);
    await rig.peer.status(200, 'INFO');
  }

  async function finish({ leg, log }: Established): Promise<void> {
    leg.hangUp();
    rig.peer.respond(await rig.peer.request('BYE'), 200, 'OK');
    await log.next('ended');
    assert.deepEqual(rig.stack.sizes(), nothing);
  }

  describe('re-INVITE to the peer', () => {
    it('is acknowledged when call control says so', async () => {
      const call = await establish('r1');
      const result = call.leg.reoffer(sdp(8002), [['X-Own', '1']]);
      const invite = await rig.peer.request('INVITE');
      assert.deepEqual([invite.body.toString(), invite.headers.get('X-Own')], [sdp(8002), '1']);
      assert.match(invite.headers.get('Contact') ?? '', new RegExp(`:${rig.port}>$`));
      rig.peer.respond(invite, 200, 'OK', { body: sdp(6002) });
      const accepted = await result;
      assert.equal(accepted.sdp, sdp(6002));
      assert.equal(await rig.peer.silent((message) => message.cseq.method === 'ACK', 50), true);
      accepted.ack(sdp(1));
      accepted.ack();
      assert.equal((await rig.peer.request('ACK')).body.length, 0);
      await finish(call);
    });

    it('asks for an offer and carries the answer in the ACK', async () => {
      const call = await establish('r2');
      const result = call.leg.reoffer(undefined);
      const invite = await rig.peer.request('INVITE');
      assert.equal(invite.body.length, 0);
      rig.peer.respond(invite, 200, 'OK', { body: sdp(6002) });
      const accepted = await result;
      assert.equal(accepted.sdp, sdp(6002));
      accepted.ack(sdp(8002));
      assert.equal((await rig.peer.request('ACK')).body.toString(), sdp(8002));
      await finish(call);
    });

    it('can be repeated after a refusal, which leaves the dialog as it was', async () => {
      const call = await establish('r3');
      const refused = call.leg.reoffer(sdp(8002));
      const expected = assert.rejects(refused, (thrown: unknown) => {
        assert.ok(thrown instanceof SipFailure);
        assert.deepEqual([thrown.code, thrown.status], ['upstream.refused', 488]);
        return true;
      });
      rig.peer.respond(await rig.peer.request('INVITE'), 488, 'Not Acceptable Here');
      await expected;
      const again = call.leg.reoffer(sdp(8004));
      const invite = await rig.peer.request('INVITE');
      assert.equal(invite.body.toString(), sdp(8004));
      rig.peer.respond(invite, 200, 'OK', { body: sdp(6004) });
      (await again).ack();
      await rig.peer.request('ACK');
      await finish(call);
    });

    it('tells glare from refusal, and the dialog lives on', async () => {
      const call = await establish('r4');
      const refused = assert.rejects(call.leg.reoffer(sdp(8002)), isCode('dialog.request_pending'));
      rig.peer.respond(await rig.peer.request('INVITE'), 491, 'Request Pending');
      await refused;
      await finish(call);
    });

    it('is not begun while another one is open, in either direction', async () => {
      const call = await establish('r5');
      const first = call.leg.reoffer(sdp(8002));
      await assert.rejects(call.leg.reoffer(sdp(8004)), isCode('dialog.request_pending'));
      rig.peer.respond(await rig.peer.request('INVITE'), 200, 'OK', { body: sdp(6002) });
      (await first).ack();
      await rig.peer.request('ACK');
      rig.send('INVITE', 'r5', { cseq: 2, toTag: call.toTag, body: sdp(6004) });
      const incoming = await call.log.next('reoffer');
      await assert.rejects(call.leg.reoffer(sdp(8006)), isCode('dialog.request_pending'));
      incoming.reject(failure('media.not_acceptable'));
      await rig.peer.status(488);
      await finish(call);
    });

    it('ends the dialog when the peer does not know it any more', async () => {
      const call = await establish('r6');
      const gone = assert.rejects(call.leg.reoffer(sdp(8002)), isCode('dialog.unknown'));
      rig.peer.respond(await rig.peer.request('INVITE'), 481, 'Call/Transaction Does Not Exist');
      await gone;
      rig.peer.respond(await rig.peer.request('BYE'), 481, 'Call/Transaction Does Not Exist');
      const end = await call.log.next('ended');
      assert.deepEqual([end.cause, end.failure?.code], ['failure', 'dialog.unknown']);
      assert.deepEqual(rig.stack.sizes(), nothing);
    });

    it('fails when the peer hangs up instead of answering', async () => {
      const call = await establish('r7');
      const gone = assert.rejects(call.leg.reoffer(sdp(8002)), SipFailure);
      const invite = await rig.peer.request('INVITE');
      rig.send('BYE', 'r7', { cseq: 2, toTag: call.toTag });
      await rig.peer.status(200, 'BYE');
      await gone;
      rig.peer.respond(invite, 487, 'Request Terminated');
      assert.equal((await call.log.next('ended')).cause, 'remote');
    });
  });

  describe('re-INVITE of the peer', () => {
    it('is accepted, and the ACK is told', async () => {
      const call = await establish('i1');
      rig.send('INVITE', 'i1', { cseq: 2, toTag: call.toTag, body: sdp(6002), lines: ['X-Own: 1'] });
      const reoffer = await call.log.next('reoffer');
      assert.deepEqual(
        [reoffer.method, reoffer.sdp, reoffer.headers.get('X-Own')],
        ['INVITE', sdp(6002), '1'],
      );
      const accepted = reoffer.accept(sdp(8002), [['X-Ours', '2']]);
      const ok = await rig.peer.status(200, 'INVITE');
      assert.deepEqual([ok.body.toString(), ok.headers.get('X-Ours')], [sdp(8002), '2']);
      rig.send('ACK', 'i1', { cseq: 2, toTag: call.toTag });
      assert.equal(await accepted, undefined);
      reoffer.reject(failure('media.not_acceptable'));
      await finish(call);
    });

    it('without an offer gets ours, and its ACK has the answer', async () => {
      const call = await establish('i2');
      rig.send('INVITE', 'i2', { cseq: 2, toTag: call.toTag });
      const reoffer = await call.log.next('reoffer');
      assert.equal(reoffer.sdp, undefined);
      const accepted = reoffer.accept(sdp(8002));
      assert.equal((await rig.peer.status(200, 'INVITE')).body.toString(), sdp(8002));
      rig.send('ACK', 'i2', { cseq: 2, toTag: call.toTag, body: sdp(6002) });
      assert.equal(await accepted, sdp(6002));
      await finish(call);
    });

    it('follows a call that began with a late offer', async () => {
      rig.send('INVITE', 'i3');
      const { call, leg: log } = await rig.events.next('call');
      const answered = call.leg.answer(sdp(8000));
      const toTag = (await rig.peer.status(200, 'INVITE')).to.params.get('tag') ?? '';
      rig.send('ACK', 'i3', { toTag, body: sdp(6000) });
      assert.equal(await answered, sdp(6000));
      rig.send('INVITE', 'i3', { cseq: 2, toTag, body: sdp(6002) });
      const reoffer = await log.next('reoffer');
      reoffer.reject(failure('media.not_acceptable', { headers: [['Warning', '305 gw "codec"']] }));
      assert.equal((await rig.peer.status(488)).headers.get('Warning'), '305 gw "codec"');
      await finish({ leg: call.leg, log, toTag });
    });

    it('gets 491 while ours is open', async () => {
      const call = await establish('i4');
      const ours = call.leg.reoffer(sdp(8002));
      const invite = await rig.peer.request('INVITE');
      rig.send('INVITE', 'i4', { cseq: 2, toTag: call.toTag, body: sdp(6002) });
      await rig.peer.status(491, 'INVITE');
      rig.peer.respond(invite, 200, 'OK', { body: sdp(6002) });
      (await ours).ack();
      await rig.peer.request('ACK');
      assert.deepEqual(call.log.seen, []);
      await finish(call);
    });

    it('gets an answer without a question to call control when it repeats what was agreed', async () => {
      const call = await establish('i5');
      rig.send('INVITE', 'i5', { cseq: 2, toTag: call.toTag, body: sdp(6000) });
      assert.equal((await rig.peer.status(200, 'INVITE')).body.toString(), sdp(8000));
      rig.send('ACK', 'i5', { cseq: 2, toTag: call.toTag });
      await behindAck('i5', 3, call);
      const ours = call.leg.reoffer(sdp(8002));
      rig.peer.respond(await rig.peer.request('INVITE'), 200, 'OK', { body: sdp(6002) });
      (await ours).ack();
      await rig.peer.request('ACK');
      rig.send('INVITE', 'i5', { cseq: 4, toTag: call.toTag, body: sdp(6002) });
      assert.equal((await rig.peer.status(200, 'INVITE')).body.toString(), sdp(8002));
      rig.send('ACK', 'i5', { cseq: 4, toTag: call.toTag });
      await behindAck('i5', 5, call);
      assert.deepEqual(call.log.seen, ['request', 'request']);
      await finish(call);
    });

    it('is asked about again when it repeats a description on hold', async () => {
      const call = await establish('i6');
      const held = sdp(6000).replace('sendrecv', 'sendonly');
      for (const cseq of [2, 3]) {
        rig.send('INVITE', 'i6', { cseq, toTag: call.toTag, body: held });
        const accepted = (await call.log.next('reoffer')).accept(sdp(8000).replace('sendrecv', 'recvonly'));
        await rig.peer.status(200, 'INVITE');
        rig.send('ACK', 'i6', { cseq, toTag: call.toTag });
        await accepted;
      }
      await finish(call);
    });

    it('is withdrawn by CANCEL', async function () {
      requireOwnEngine(this);
      const call = await establish('i7');
      rig.send('INVITE', 'i7', { cseq: 2, toTag: call.toTag, body: sdp(6002) });
      const reoffer = await call.log.next('reoffer');
      rig.send('CANCEL', 'i7', { cseq: 2, toTag: call.toTag });
      await rig.peer.status(487, 'INVITE');
      rig.send('INFO', 'i7', { cseq: 3, toTag: call.toTag });
      (await call.log.next('request')).respond(200);
      await assert.rejects(reoffer.accept(sdp(8002)), isCode('caller.cancelled'));
      await finish(call);
    });

    it('is refused when it brings anything but SDP', async () => {
      const call = await establish('i8');
      rig.send('INVITE', 'i8', { cseq: 2, toTag: call.toTag, body: 'hello', type: 'text/plain' });
      assert.equal((await rig.peer.status(415)).headers.get('Accept'), 'application/sdp');
      await finish(call);
    });

    it('is refused when the call ends meanwhile', async function () {
      requireOwnEngine(this);
      const call = await establish('i9');
      rig.send('INVITE', 'i9', { cseq: 2, toTag: call.toTag, body: sdp(6002) });
      await call.log.next('reoffer');
      rig.send('BYE', 'i9', { cseq: 3, toTag: call.toTag });
      await rig.peer.status(487, 'INVITE');
      assert.equal((await call.log.next('ended')).cause, 'remote');
      assert.deepEqual(rig.stack.sizes(), nothing);
    });
  });

  describe('UPDATE of the peer', () => {
    it('with an offer is a re-offer, answered with our Contact', async () => {
      const call = await establish('u1');
      rig.send('UPDATE', 'u1', { cseq: 2, toTag: call.toTag, body: sdp(6002) });
      const reoffer = await call.log.next('reoffer');
      assert.deepEqual([reoffer.method, reoffer.sdp], ['UPDATE', sdp(6002)]);
      assert.equal(await reoffer.accept(sdp(8002)), undefined);
      const ok = await rig.peer.status(200, 'UPDATE');
      assert.equal(ok.body.toString(), sdp(8002));
      assert.match(ok.headers.get('Contact') ?? '', new RegExp(`:${rig.port}>$`));
      await finish(call);
    });

    it('is answered while a request of ours is open: 491 with an offer, 200 without', async () => {
      const call = await establish('u2');
      const ours = call.leg.reoffer(sdp(8002));
      const invite = await rig.peer.request('INVITE');
      rig.send('UPDATE', 'u2', { cseq: 2, toTag: call.toTag, body: sdp(6002) });
      await rig.peer.status(491, 'UPDATE');
      const lines = ['Supported: timer', 'Session-Expires: 1800;refresher=uac'];
      rig.send('UPDATE', 'u2', { cseq: 3, toTag: call.toTag, lines });
      const { headers } = await rig.peer.status(200, 'UPDATE');
      assert.equal(headers.get('Session-Expires'), '1800;refresher=uac');
      assert.equal(headers.get('Require'), 'timer');
      assert.match(headers.get('Contact') ?? '', new RegExp(`:${rig.port}>$`));
      assert.deepEqual(call.log.seen, []);
      rig.peer.respond(invite, 200, 'OK', { body: sdp(6002) });
      (await ours).ack();
      await rig.peer.request('ACK');
      await finish(call);
    });
  });

  describe('other requests', () => {
    it('go to the peer, and its answer comes back', async () => {
      const call = await establish('o1');
      const content = { contentType: 'application/dtmf-relay', body: 'Signal=5\r\nDuration=160\r\n' };
      const answer = call.leg.request('INFO', content, [['X-Own', '1']]);
      const info = await rig.peer.request('INFO');
      assert.deepEqual([info.body.toString(), info.headers.get('X-Own')], [content.body, '1']);
      assert.equal(info.headers.get('Content-Type'), 'application/dtmf-relay');
      rig.peer.respond(info, 415, 'What?', { headers: ['Accept: text/plain'] });
      const { status, reason, headers } = await answer;
      assert.deepEqual([status, reason, headers.get('Accept')], [415, 'What?', 'text/plain']);
      await finish(call);
    });

    it('come from the peer and are answered once', async () => {
      const call = await establish('o2');
      for (const [index, method] of ['INFO', 'MESSAGE', 'OPTIONS', 'NOTIFY', 'REFER'].entries()) {
        rig.send(method, 'o2', {
          cseq: 2 + index,
          toTag: call.toTag,
          body: 'x',
          type: 'text/plain',
          lines: ['Event: x', 'Subscription-State: active', 'Refer-To: <sip:x@x>'],
        });
        const request = await call.log.next('request');
        assert.equal(request.method, method);
        request.respond(202, 'Taken', [['X-Own', '1']]);
        request.respond(500);
        assert.equal((await rig.peer.status(202, method)).headers.get('X-Own'), '1');
      }
      await finish(call);
    });

    it('are answered 500 when call control chokes on them', async () => {
      const call = await establish('o4');
      const take = call.log.request.bind(call.log);
      call.log.request = () => {
        throw new Error('a defect');
      };
      rig.send('INFO', 'o4', { cseq: 2, toTag: call.toTag });
      await rig.peer.status(500, 'INFO');
      call.log.request = take;
      await finish(call);
    });

    it('fail when the dialog has ended', async () => {
      const call = await establish('o3');
      await finish(call);
      await assert.rejects(call.leg.request('INFO'), isCode('dialog.unknown'));
      await assert.rejects(call.leg.reoffer(sdp(8002)), isCode('dialog.unknown'));
      call.leg.hangUp();
      assert.deepEqual(call.log.seen, ['ended']);
    });
  });

  it('takes a BYE of the peer for its hang-up, whatever the reason says', async () => {
    const call = await establish('s1');
    rig.send('BYE', 's1', {
      cseq: 2,
      toTag: call.toTag,
      lines: ['Reason: SIP;cause=408;text="Session timer expired"'],
    });
    const end = await call.log.next('ended');
    assert.deepEqual([end.cause, end.failure], ['remote', undefined]);
  });
});
