import assert from 'node:assert/strict';
import type { CalleeLeg } from '../../../sip/leg.js';
import type { SipRequest } from '../../../sip/message/index.js';
import { requireOwnEngine } from '../../support/engine-under-test.js';
import { sdp, type Seen } from '../../support/sip-peer.js';
import { TrunkRig, type LegLog, type RigOptions } from '../../support/trunk-rig.js';

const hasted: RigOptions = { timers: { t1Ms: 5, t2Ms: 40, t4Ms: 50 } };
const challenge = (nonce: string) => `Proxy-Authenticate: Digest realm="pbx", nonce="${nonce}", qop="auth"`;
const credentials = { username: 'gw', password: 'secret' };

describe('trunk callee leg', () => {
  let rig: TrunkRig;
  afterEach(() => rig.close());

  describe('towards a peer that answers', () => {
    beforeEach(async () => {
      rig = await TrunkRig.start();
    });

    async function settled(leg: CalleeLeg, log: LegLog): Promise<void> {
      leg.hangUp();
      rig.peer.respond(await rig.peer.request('BYE'), 200, 'OK');
      assert.deepEqual(await log.next('ended'), { cause: 'local' });
      assert.deepEqual(rig.stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
    }

    it('carries a call from INVITE to BYE', async () => {
      const { peer } = rig;
      const { leg, log } = rig.invite();
      const invite = await peer.request('INVITE');
      assert.equal(invite.callId, leg.sipCallId);
      peer.respond(invite, 180, 'Ringing');
      assert.equal((await log.next('progress')).status, 180);
      peer.respond(invite, 183, 'Session Progress', { body: sdp(9000) });
      const early = await log.next('progress');
      assert.deepEqual([early.status, early.reason, early.sdp], [183, 'Session Progress', sdp(9000)]);
      const contact = `Contact: <sip:x@127.0.0.1:${peer.port}>`;
      peer.respond(invite, 200, 'Fine', { body: sdp(9000), headers: [contact, 'X-A: b'] });
      const answer = await log.next('answered');
      assert.deepEqual([answer.status, answer.reason, answer.sdp], [200, 'Fine', sdp(9000)]);
      assert.equal(answer.headers.get('x-a'), 'b');
      answer.ack();
      await peer.request('ACK');
      leg.hangUp({ headers: [['Reason', 'Q.850;cause=16']] });
      leg.hangUp();
      const bye = await peer.request('BYE');
      assert.equal(bye.headers.get('Reason'), 'Q.850;cause=16');
      peer.respond(bye, 200, 'OK');
      assert.deepEqual(await log.next('ended'), { cause: 'local' });
      assert.deepEqual(log.seen, ['progress', 'progress', 'answered', 'ended']);
      assert.deepEqual(rig.stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
    });

    it('writes From, To and Contact so that no URI parameter becomes a header parameter', async () => {
      rig.invite();
      const invite = await rig.peer.request('INVITE');
      const { port } = rig.peer;
      assert.match(
        invite.headers.get('From') ?? '',
        /^"Alice \\"A\\" Ä" <sip:alice@gw\.example>;tag=[0-9a-f]{32}$/,
      );
      assert.equal(invite.headers.get('To'), `<sip:600@127.0.0.1:${port};user=phone>`);
      assert.equal(invite.headers.get('Contact'), `<sip:alice@127.0.0.1:${rig.port}>`);
      assert.equal(invite.headers.get('Max-Forwards'), '69');
      assert.equal(invite.body.toString(), sdp(7000));
    });

    it('sends by UDP when the next hop names no transport, and leaves the Request-URI alone', async () => {
      const target = { requestUri: 'sip:600@pbx.example', nextHop: `sip:127.0.0.1:${rig.peer.port}` };
      rig.invite(target);
      const invite = await rig.peer.request('INVITE');
      assert.equal(invite.requestUri, 'sip:600@pbx.example');
      assert.equal(invite.topVia.transport, 'UDP');
      assert.equal(invite.headers.has('Route'), false);
    });

    it('joins repeated header fields and leaves out one that would break the message', async () => {
      const headers = [
        ['Diversion', '<sip:a@x>;reason=user-busy'],
        ['diversion', '<sip:b@x>'],
        ['X-Evil', 'a\r\nRoute: <sip:evil@x>'],
      ] as const;
      rig.invite({}, { headers });
      const invite = await rig.peer.request('INVITE');
      assert.equal(invite.headers.get('Diversion'), '<sip:a@x>;reason=user-busy, <sip:b@x>');
      assert.equal(invite.headers.has('X-Evil'), false);
      assert.equal(invite.headers.has('Route'), false);
    });

    it('sends a late offer and acknowledges with the answer', async () => {
      const { leg, log } = rig.invite({}, { sdp: undefined });
      const invite = await rig.peer.request('INVITE');
      assert.equal(invite.body.length, 0);
      rig.peer.respond(invite, 200, 'OK', { body: sdp(9000) });
      const answer = await log.next('answered');
      assert.equal(answer.sdp, sdp(9000));
      assert.equal(await rig.peer.silent((message) => message.cseq.method === 'ACK', 50), true);
      answer.ack(sdp(7000));
      answer.ack(sdp(1));
      const ack = await rig.peer.request('ACK');
      assert.equal(ack.body.toString(), sdp(7000));
      await settled(leg, log);
    });

    it('acknowledges and ends a late offer that is hung up before it is acknowledged', async () => {
      const { leg, log } = rig.invite({}, { sdp: undefined });
      rig.peer.respond(await rig.peer.request('INVITE'), 200, 'OK', { body: sdp(9000) });
      await log.next('answered');
      leg.hangUp();
      await rig.peer.request('ACK');
      rig.peer.respond(await rig.peer.request('BYE'), 200, 'OK');
      assert.deepEqual(await log.next('ended'), { cause: 'local' });
    });

    it('takes any 2xx for an answer', async function () {
      requireOwnEngine(this);
      const { leg, log } = rig.invite();
      rig.peer.respond(await rig.peer.request('INVITE'), 202, 'Accepted', { body: sdp(9000) });
      const answer = await log.next('answered');
      assert.deepEqual([answer.status, answer.sdp], [202, sdp(9000)]);
      answer.ack();
      await rig.peer.request('ACK');
      await settled(leg, log);
    });

    it('ends a call that was answered without Contact', async function () {
      requireOwnEngine(this);
      const { log } = rig.invite();
      rig.peer.respond(await rig.peer.request('INVITE'), 200, 'OK', { body: sdp(9000), headers: [] });
      await rig.peer.request('ACK');
      rig.peer.respond(await rig.peer.request('BYE'), 200, 'OK');
      const { failure } = await log.next('failed');
      assert.equal(failure.code, 'trunk.protocol');
    });

    it('acknowledges a reliable provisional response', async () => {
      const { leg, log } = rig.invite({}, { headers: [['Supported', '100rel']] });
      const invite = await rig.peer.request('INVITE');
      const headers = [`Contact: <sip:x@127.0.0.1:${rig.peer.port}>`, 'Require: 100rel', 'RSeq: 17'];
      rig.peer.respond(invite, 183, 'Session Progress', { body: sdp(9000), headers });
      assert.equal((await log.next('progress')).sdp, sdp(9000));
      const prack = await rig.peer.request('PRACK');
      assert.equal(prack.headers.get('RAck'), `17 ${invite.cseq.number} INVITE`);
      rig.peer.respond(prack, 200, 'OK');
      rig.peer.respond(invite, 200, 'OK');
      (await log.next('answered')).ack();
      await settled(leg, log);
    });

    it('passes the refusal of the peer on, with what it says beside the status', async () => {
      const { log } = rig.invite();
      const headers = ['Retry-After: 30', 'Reason: Q.850;cause=17', 'X-Own: 1'];
      rig.peer.respond(await rig.peer.request('INVITE'), 486, 'Besetzt', { headers });
      const { failure, headers: received } = await log.next('failed');
      assert.deepEqual([failure.code, failure.status, failure.reason], ['upstream.refused', 486, 'Besetzt']);
      assert.deepEqual(failure.headers, [
        ['Retry-After', '30'],
        ['Reason', 'Q.850;cause=17'],
      ]);
      assert.equal(received?.get('X-Own'), '1');
      assert.deepEqual(log.seen, ['failed']);
      assert.deepEqual(rig.stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
    });

    it('tells a 408 of the peer from its own', async () => {
      const { log } = rig.invite();
      rig.peer.respond(await rig.peer.request('INVITE'), 408, 'Request Timeout');
      assert.equal((await log.next('failed')).failure.code, 'upstream.refused');
    });

    it('calls a refused connection and a name without address unreachable', async () => {
      const refused = rig.invite({ requestUri: 'sip:600@127.0.0.1:1;transport=tcp' });
      assert.equal((await refused.log.next('failed')).failure.code, 'trunk.unreachable');
      const unknown = rig.invite({ requestUri: 'sip:600@nowhere.invalid' });
      const { failure, headers } = await unknown.log.next('failed');
      assert.deepEqual([failure.code, failure.status, headers], ['trunk.unreachable', 503, undefined]);
    });

    it('answers an UPDATE while it rings: 200 without an offer, 491 with one', async () => {
      const { leg, log } = rig.invite();
      const invite = await rig.peer.request('INVITE');
      rig.peer.respond(invite, 180, 'Ringing');
      await log.next('progress');
      rig.peer.send(fromCallee(invite, 'UPDATE', 1));
      const ok = await rig.peer.status(200, 'UPDATE');
      assert.equal(ok.body.length, 0);
      rig.peer.send(fromCallee(invite, 'UPDATE', 2, sdp(9000)));
      await rig.peer.status(491, 'UPDATE');
      await cancelled(leg, log, invite);
    });

    it('passes on the offer of an UPDATE after a reliable answer', async () => {
      const { leg, log } = rig.invite({}, { headers: [['Supported', '100rel']] });
      const invite = await rig.peer.request('INVITE');
      const headers = [`Contact: <sip:x@127.0.0.1:${rig.peer.port}>`, 'Require: 100rel', 'RSeq: 17'];
      rig.peer.respond(invite, 183, 'Session Progress', { body: sdp(9000), headers });
      await log.next('progress');
      rig.peer.respond(await rig.peer.request('PRACK'), 200, 'OK');
      rig.peer.send(fromCallee(invite, 'UPDATE', 1, sdp(9002)));
      const reoffer = await log.next('reoffer');
      assert.deepEqual([reoffer.method, reoffer.sdp], ['UPDATE', sdp(9002)]);
      await reoffer.accept(sdp(8000));
      assert.equal((await rig.peer.status(200, 'UPDATE')).body.toString(), sdp(8000));
      await cancelled(leg, log, invite);
    });

    it('passes other requests of a ringing callee on', async function () {
      requireOwnEngine(this);
      const { leg, log } = rig.invite();
      const invite = await rig.peer.request('INVITE');
      rig.peer.respond(invite, 180, 'Ringing');
      await log.next('progress');
      rig.peer.send(fromCallee(invite, 'INFO', 1));
      const info = await log.next('request');
      assert.equal(info.method, 'INFO');
      info.respond(200);
      await rig.peer.status(200, 'INFO');
      await cancelled(leg, log, invite);
    });
  });

  describe('that is cancelled', () => {
    beforeEach(async () => {
      rig = await TrunkRig.start();
    });

    it('cancels while it rings, with the reason', async () => {
      const { leg, log } = rig.invite();
      const invite = await rig.peer.request('INVITE');
      rig.peer.respond(invite, 180, 'Ringing');
      await log.next('progress');
      leg.hangUp({ headers: [['Reason', 'SIP;cause=200;text="Call completed elsewhere"']] });
      leg.hangUp();
      const cancel = await rig.peer.request('CANCEL');
      assert.equal(cancel.headers.get('Reason'), 'SIP;cause=200;text="Call completed elsewhere"');
      rig.peer.respond(cancel, 200, 'OK');
      rig.peer.respond(invite, 487, 'Request Terminated');
      assert.deepEqual(await log.next('ended'), { cause: 'local' });
      assert.deepEqual(log.seen, ['progress', 'ended']);
      assert.deepEqual(rig.stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
    });

    it('holds the CANCEL until the callee has sent anything', async () => {
      const { leg, log } = rig.invite();
      leg.hangUp();
      const invite = await rig.peer.request('INVITE');
      assert.equal(await rig.peer.silent((message) => message.cseq.method === 'CANCEL', 50), true);
      rig.peer.respond(invite, 100, 'Trying');
      rig.peer.respond(await rig.peer.request('CANCEL'), 200, 'OK');
      rig.peer.respond(invite, 487, 'Request Terminated');
      assert.deepEqual(await log.next('ended'), { cause: 'local' });
    });

    it('says nothing of progress, nor of a refusal, that crosses the CANCEL', async () => {
      const { leg, log } = rig.invite();
      const invite = await rig.peer.request('INVITE');
      leg.hangUp();
      rig.peer.respond(invite, 183, 'Session Progress', { body: sdp(9000) });
      rig.peer.respond(invite, 486, 'Busy Here');
      assert.deepEqual(await log.next('ended'), { cause: 'local' });
      assert.deepEqual(log.seen, ['ended']);
    });

    it('acknowledges and ends an answer that crosses the CANCEL, with one BYE', async () => {
      const { leg, log } = rig.invite();
      const invite = await rig.peer.request('INVITE');
      rig.peer.respond(invite, 180, 'Ringing');
      await log.next('progress');
      leg.hangUp();
      await rig.peer.request('CANCEL');
      rig.peer.respond(invite, 200, 'OK', { body: sdp(9000) });
      await rig.peer.request('ACK');
      rig.peer.respond(await rig.peer.request('BYE'), 200, 'OK');
      assert.deepEqual(await log.next('ended'), { cause: 'local' });
      assert.deepEqual(log.seen, ['progress', 'ended']);
      assert.equal(await rig.peer.silent((message) => isRequest(message, 'BYE'), 50), true);
      assert.deepEqual(rig.stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
    });

    it('does the same for a late offer', async () => {
      const { leg, log } = rig.invite({}, { sdp: undefined });
      const invite = await rig.peer.request('INVITE');
      leg.hangUp();
      rig.peer.respond(invite, 200, 'OK', { body: sdp(9000) });
      await rig.peer.request('ACK');
      rig.peer.respond(await rig.peer.request('BYE'), 200, 'OK');
      assert.deepEqual(await log.next('ended'), { cause: 'local' });
      assert.deepEqual(log.seen, ['ended']);
    });
  });

  describe('towards a PBX that wants digest', () => {
    beforeEach(async () => {
      rig = await TrunkRig.start();
    });

    it('answers an early UPDATE after a challenge too', async () => {
      const { leg, log } = rig.invite({ auth: credentials });
      const first = await rig.peer.request('INVITE');
      rig.peer.respond(first, 407, 'Proxy Authentication Required', { headers: [challenge('n1')] });
      const second = await rig.peer.request('INVITE');
      rig.peer.respond(second, 180, 'Ringing');
      await log.next('progress');
      rig.peer.send(fromCallee(second, 'UPDATE', 1));
      await rig.peer.status(200, 'UPDATE');
      await cancelled(leg, log, second);
    });
  });

  describe('towards a peer that is silent', () => {
    beforeEach(async () => {
      rig = await TrunkRig.start(hasted);
    });

    it('calls it a timeout of the trunk', async function () {
      this.timeout(rig.engine.patienceMs);
      const { log } = rig.invite();
      const { failure, headers } = await log.next('failed', rig.engine.patienceMs);
      assert.deepEqual([failure.code, failure.status, headers], ['trunk.timeout', 408, undefined]);
      assert.deepEqual(rig.stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
    });

    it('ends when BYE is not answered either', async function () {
      this.timeout(rig.engine.patienceMs);
      const { leg, log } = rig.invite();
      rig.peer.respond(await rig.peer.request('INVITE'), 200, 'OK', { body: sdp(9000) });
      (await log.next('answered')).ack();
      leg.hangUp();
      assert.deepEqual(await log.next('ended', rig.engine.patienceMs), { cause: 'local' });
    });
  });

  /** Hangs up while it rings and lets the peer confirm it. */
  async function cancelled(leg: CalleeLeg, log: LegLog, invite: SipRequest): Promise<void> {
    leg.hangUp();
    rig.peer.respond(await rig.peer.request('CANCEL'), 200, 'OK');
    rig.peer.respond(invite, 487, 'Request Terminated');
    assert.deepEqual(await log.next('ended'), { cause: 'local' });
    assert.deepEqual(rig.stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
  }

  /** A request of the callee's in the early dialog. */
  function fromCallee(invite: SipRequest, method: string, cseq: number, body = ''): string {
    return [
      `${method} sip:alice@127.0.0.1:${rig.port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${rig.peer.port};branch=z9hG4bK${method}${cseq}`,
      'Max-Forwards: 70',
      `From: ${invite.headers.get('To') ?? ''};tag=peer`,
      `To: ${invite.headers.get('From') ?? ''}`,
      `Call-ID: ${invite.callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:peer@127.0.0.1:${rig.peer.port}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }
});

function isRequest(message: Seen, method: string): boolean {
  return message.kind === 'request' && message.method === method;
}
