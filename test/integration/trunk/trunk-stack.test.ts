import assert from 'node:assert/strict';
import { failure, SipFailure } from '../../../sip/failure.js';
import { silentLog } from '../../../sip/log.js';
import { systemClock } from '../../../sip/clock.js';
import { connectTrunkStack, type TrunkStack } from '../../../sip/trunk/srf.js';
import { requireOwnEngine } from '../../support/engine-under-test.js';
import { EventLog } from '../../support/event-log.js';
import { FakeClock } from '../../support/fake-clock.js';
import { ScriptedEngine } from '../../support/scripted-engine.js';
import { sdp } from '../../support/sip-peer.js';
import { LegLog, listenerFor, TrunkRig, type StackEvents } from '../../support/trunk-rig.js';

const isCode = (code: string) => (thrown: unknown) => thrown instanceof SipFailure && thrown.code === code;

/** Call control that never answers anything. */
const deaf = () => {
  const events = new EventLog<StackEvents>();
  return { events, listener: listenerFor(events) };
};

describe('trunk stack', () => {
  let rig: TrunkRig;
  beforeEach(async () => {
    rig = await TrunkRig.start();
  });
  afterEach(() => rig.close());

  it('answers OPTIONS with what it can do', async () => {
    rig.send('OPTIONS', 'o1');
    const ok = await rig.peer.status(200);
    assert.match(ok.headers.get('Allow') ?? '', /INVITE, ACK, CANCEL, BYE/);
    assert.equal(ok.headers.get('Accept'), 'application/sdp');
    assert.equal(ok.headers.get('Supported'), '100rel, timer');
    assert.deepEqual(rig.leftovers()['legs'] ?? 0, 0);
  });

  it('hands any other request outside a dialog to call control', async () => {
    rig.send('MESSAGE', 'm1', { body: 'Grüße', type: 'text/plain' });
    const { request, source } = await rig.events.next('request');
    assert.deepEqual([request.method, request.contentType, request.body], ['MESSAGE', 'text/plain', 'Grüße']);
    assert.equal(request.from.uri, `sip:bob@127.0.0.1:${rig.peer.port}`);
    assert.equal(source.transport, 'udp');
    request.respond(202, 'Taken', [['X-Note', 'n']]);
    request.respond(500);
    const taken = await rig.peer.status(202);
    assert.deepEqual([taken.reason, taken.headers.get('X-Note')], ['Taken', 'n']);
  });

  it('refuses every request of strangers alike, and asks nobody what to do with it', async () => {
    await rig.close();
    const strangers = await TrunkRig.start({ isKnown: () => false });
    rig = strangers;
    for (const [at, method] of ['OPTIONS', 'MESSAGE', 'REGISTER', 'INVITE'].entries()) {
      strangers.send(method, `s${at}`);
      const { reason, headers } = await strangers.peer.status(403, method);
      assert.equal(reason, 'Forbidden');
      assert.deepEqual(
        ['Allow', 'Supported', 'Contact', 'Server', 'User-Agent'].filter((name) => headers.has(name)),
        [],
      );
    }
    assert.deepEqual(
      strangers.events.seen.filter((name) => name !== 'turnedAway'),
      ['connected'],
    );
    const { source, method } = await strangers.events.next('turnedAway');
    assert.deepEqual([method, source.address, source.port], ['OPTIONS', '127.0.0.1', strangers.peer.port]);
  });

  it('answers 481 to a request of a dialog that is not there', async () => {
    rig.send('INFO', 'x1', { toTag: 'nobody' });
    await rig.peer.status(481);
  });

  it('answers a request outside any dialog with the failure that it is refused with, and tells it', async () => {
    rig.send('PUBLISH', 'p1');
    const { request } = await rig.events.next('request');
    request.refuse(failure('message.method_not_allowed', { headers: [['Allow', 'INVITE']] }));
    const { headers } = await rig.peer.status(405, 'PUBLISH');
    assert.equal(headers.get('Allow'), 'INVITE');
    const { method, source, why } = await rig.events.next('refused');
    assert.deepEqual(
      [method, source.address, why.code],
      ['PUBLISH', '127.0.0.1', 'message.method_not_allowed'],
    );
  });

  it('answers what cannot be a call with the reason', async () => {
    rig.sendInvite('r1', ['Require: wine']);
    assert.equal((await rig.peer.status(420)).headers.get('Unsupported'), 'wine');
    rig.send('INVITE', 'r2', { body: 'x', type: 'text/plain' });
    assert.equal((await rig.peer.status(415)).headers.get('Accept'), 'application/sdp');
  });

  it('asks a target with OPTIONS and tells its answer', async () => {
    const uri = `sip:127.0.0.1:${rig.peer.port}`;
    const answer = rig.stack.options({ requestUri: uri }, 5000);
    const asked = await rig.peer.request('OPTIONS');
    assert.equal(asked.headers.get('To'), `<${uri}>`);
    assert.match(asked.headers.get('From') ?? '', /^<sip:webtrunk@127\.0\.0\.1:\d+>;tag=/);
    rig.peer.respond(asked, 404, 'Who?');
    assert.deepEqual(await answer, { status: 404, reason: 'Who?' });
    assert.equal(rig.stack.sizes().requests, 0);
  });

  it('gives up on OPTIONS in its own time', async () => {
    const answer = rig.stack.options({ requestUri: `sip:127.0.0.1:${rig.peer.port}` }, 30);
    await assert.rejects(answer, isCode('trunk.timeout'));
  });

  it('says when a target cannot be reached', async () => {
    const nobody = { requestUri: 'sip:127.0.0.1:1;transport=tcp' };
    await assert.rejects(rig.stack.options(nobody, 5000), isCode('trunk.unreachable'));
  });

  it('sends a request with a body and answers the challenge', async () => {
    const target = {
      requestUri: `sip:bob@127.0.0.1:${rig.peer.port}`,
      auth: { username: 'gw', password: 'pw' },
    };
    const answer = rig.stack.request('MESSAGE', target, {
      from: { uri: 'sip:a@x' },
      to: { uri: 'sip:b@x' },
      content: { contentType: 'text/plain', body: 'hi' },
    });
    const first = await rig.peer.request('MESSAGE');
    rig.peer.respond(first, 401, 'Unauthorized', {
      headers: ['WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5, qop="auth"'],
    });
    const second = await rig.peer.request('MESSAGE');
    assert.match(second.headers.get('Authorization') ?? '', /username="gw"/);
    assert.equal(second.body.toString(), 'hi');
    assert.equal(second.headers.getAll('Call-ID').length, 1);
    rig.peer.respond(second, 200, 'OK');
    assert.equal((await answer).status, 200);
    assert.deepEqual(rig.stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
  });

  it('ends every call when the engine goes, and refuses new ones at once', async function () {
    requireOwnEngine(this);
    const { log } = rig.invite();
    rig.sendInvite('gone');
    const { leg } = await rig.events.next('call');
    const request = rig.stack.options({ requestUri: `sip:127.0.0.1:${rig.peer.port}` }, 5000);
    const asked = assert.rejects(request, isCode('trunk.engine_away'));
    await rig.engine.close();
    assert.equal((await rig.events.next('disconnected')).code, 'trunk.engine_away');
    assert.equal((await log.next('failed')).failure.code, 'trunk.engine_away');
    assert.notEqual((await leg.next('ended')).cause, 'local');
    await asked;
    assert.throws(() => rig.invite(), isCode('trunk.engine_away'));
    await assert.rejects(rig.stack.options({ requestUri: 'sip:x' }, 100), isCode('trunk.engine_away'));
    assert.deepEqual(rig.stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
  });

  it('is closed while a re-INVITE and a request wait for their answers, which may still come', async () => {
    rig.sendInvite('late');
    const { call, leg } = await rig.events.next('call');
    const acknowledged = call.leg.answer(sdp(7000));
    const toTag = (await rig.peer.status(200)).to.params.get('tag') ?? '';
    rig.send('ACK', 'late', { toTag });
    await acknowledged;
    rig.send('INVITE', 'late', { toTag, cseq: 2, body: sdp(6002) });
    const reoffer = await leg.next('reoffer');
    rig.send('MESSAGE', 'later', { body: 'x', type: 'text/plain' });
    const { request } = await rig.events.next('request');
    const closed = rig.stack.close();
    reoffer.reject(failure('media.not_acceptable'));
    request.respond(200);
    assert.equal((await leg.next('ended')).failure?.code, 'trunk.engine_away');
    await closed;
    request.respond(200);
    assert.deepEqual(rig.stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
  });
});

describe('trunk stack and a scripted engine', () => {
  let engine: ScriptedEngine;
  let stack: TrunkStack | undefined;
  beforeEach(async () => {
    engine = await ScriptedEngine.listen();
  });
  afterEach(async () => {
    await stack?.close();
    await engine.close();
  });

  const address = (secret = 'secret') => ({ host: '127.0.0.1', port: engine.port, secret });

  /** Lets time pass in steps between which the engine's answers to pings arrive. */
  const pass = async (clock: FakeClock, ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 4000) {
      clock.advance(Math.min(left, 4000));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  const invite = [
    'INVITE sip:alice@gw SIP/2.0',
    'Via: SIP/2.0/UDP 127.0.0.1:5091;branch=z9hG4bK1',
    'From: <sip:bob@x>;tag=f',
    'To: <sip:alice@gw>',
    'Call-ID: call1',
    'CSeq: 1 INVITE',
    'Contact: <sip:bob@127.0.0.1:5091>',
    'Content-Type: application/sdp',
    `Content-Length: ${sdp(6000).length}`,
    '',
    sdp(6000),
  ].join('\r\n');

  it('comes back after the connection is lost', async () => {
    const { events, listener } = deaf();
    stack = connectTrunkStack(address(), listener, silentLog, systemClock);
    await events.next('connected');
    engine.cut();
    await events.next('disconnected');
    assert.equal(stack.connected, false);
    await events.next('connected');
    assert.equal(stack.connected, true);
    assert.equal(engine.connections, 2);
  });

  it('waits, longer each time, for an engine that is not there yet', async () => {
    const { events, listener } = deaf();
    const { port } = engine;
    await engine.close();
    const late = connectTrunkStack(
      { host: '127.0.0.1', port, secret: 'secret' },
      listener,
      silentLog,
      systemClock,
    );
    stack = late;
    const why = await events.next('disconnected');
    assert.match(why.detail ?? '', /ECONNREFUSED/);
    engine = await ScriptedEngine.listen('secret', port);
    await events.next('connected');
    assert.deepEqual(events.seen, ['disconnected', 'connected']);
  });

  it('is connected only when the engine has taken the routes', async () => {
    const { events, listener } = deaf();
    engine.answersPing = false;
    const clock = new FakeClock();
    stack = connectTrunkStack(address(), listener, silentLog, clock);
    await engine.pinged();
    assert.equal(stack.connected, false);
    assert.deepEqual(events.seen, []);
    clock.advance(5000);
    await engine.pinged();
    clock.advance(5000);
    assert.equal((await events.next('disconnected')).detail, 'the engine does not answer');
  });

  it('ends every call when the engine is silent, and connects again', async () => {
    const { events, listener } = deaf();
    const clock = new FakeClock();
    const connected = connectTrunkStack(address(), listener, silentLog, clock);
    stack = connected;
    await events.next('connected');
    const log = new LegLog();
    const parties = { from: { uri: 'sip:a@x' }, to: { uri: 'sip:b@x' } };
    connected.invite(
      { requestUri: 'sip:600@192.0.2.1' },
      { legId: 'l_1', sdp: sdp(7000), ...parties, headers: [] },
      log,
    );
    await engine.next('INVITE');
    engine.answersPing = false;
    for (const ms of [10_000, 5000]) {
      clock.advance(ms);
      await engine.pinged();
    }
    clock.advance(5000);
    const { failure } = await log.next('failed');
    assert.deepEqual([failure.code, failure.headers], ['trunk.engine_away', [['Retry-After', '5']]]);
    assert.equal((await events.next('disconnected')).detail, 'the engine does not answer');
    engine.answersPing = true;
    clock.advance(5000);
    await events.next('connected');
  });

  it('reports a wrong secret', async () => {
    const { events, listener } = deaf();
    stack = connectTrunkStack(address('wrong'), listener, silentLog, systemClock);
    const why = await events.next('disconnected');
    assert.equal(why.detail, 'the engine refuses our secret');
    assert.equal(stack.connected, false);
  });

  it('drops the connection on a frame without a length, and connects again', async () => {
    const { events, listener } = deaf();
    stack = connectTrunkStack(address(), listener, silentLog, systemClock);
    await events.next('connected');
    engine.raw('nonsense#');
    await events.next('disconnected');
    await events.next('connected');
  });

  it('passes over a message that it does not know', async () => {
    const { events, listener } = deaf();
    stack = connectTrunkStack(address(), listener, silentLog, systemClock);
    await events.next('connected');
    engine.raw('14#id|wonder|full');
    engine.sip('t1', '', invite);
    await events.next('call');
    assert.deepEqual(events.seen, ['connected', 'call']);
  });

  it('keeps the connection when call control chokes on an event of one leg', async () => {
    const { events, listener } = deaf();
    stack = connectTrunkStack(address(), listener, silentLog, systemClock);
    await events.next('connected');
    const broken = new LegLog();
    broken.progress = () => {
      throw new Error('a defect');
    };
    const parties = { from: { uri: 'sip:a@x' }, to: { uri: 'sip:b@x' }, headers: [] };
    stack.invite({ requestUri: 'sip:600@192.0.2.1' }, { legId: 'l_1', sdp: sdp(7000), ...parties }, broken);
    const sent = await engine.next('INVITE');
    const names = [
      'From: <sip:a@x>;tag=a',
      'Call-ID: c',
      'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK2',
      'CSeq: 7 INVITE',
    ];
    engine.requestSent(
      sent,
      'txn',
      ['INVITE sip:600@x SIP/2.0', ...names, 'To: <sip:b@x>', '', ''].join('\r\n'),
    );
    engine.sip(
      'txn',
      'c;from-tag=a',
      ['SIP/2.0 180 Ringing', ...names, 'To: <sip:b@x>;tag=b', '', ''].join('\r\n'),
    );
    engine.sip('t1', '', invite);
    await events.next('call');
    assert.deepEqual(events.seen, ['connected', 'call']);
  });

  it('answers 500 by itself when call control does not answer', async () => {
    const clock = new FakeClock();
    const { events, listener } = deaf();
    stack = connectTrunkStack(address(), listener, silentLog, clock);
    await events.next('connected');
    engine.sip('t1', '', invite.replaceAll('INVITE', 'MESSAGE'));
    await events.next('request');
    await pass(clock, 20_000);
    await engine.next('SIP/2.0 500');
  });

  it('answers 500 to a call that call control forgets or chokes on', async () => {
    const events = new EventLog<StackEvents>();
    let calls = 0;
    const listener = {
      ...listenerFor(events),
      incomingCall: () => {
        calls += 1;
        if (calls === 2) throw new Error('a defect');
      },
    };
    stack = connectTrunkStack(address(), listener, silentLog, systemClock);
    await events.next('connected');
    engine.sip('t1', '', invite);
    const refused = await engine.next('SIP/2.0 500 Server Internal Error');
    assert.deepEqual(refused.tokens.slice(0, 2), ['sip', 't1']);
    engine.sip('t2', '', invite.replace('call1', 'call2'));
    await engine.next('SIP/2.0 500 Server Internal Error');
    assert.equal(stack.sizes().legs, 0);
  });

  it('takes a CANCEL that overtook our answer for the caller hanging up', async () => {
    const { events, listener } = deaf();
    stack = connectTrunkStack(address(), listener, silentLog, systemClock);
    await events.next('connected');
    engine.sip('t1', '', invite);
    const { call, leg } = await events.next('call');
    const answered = call.leg.answer(sdp(8000));
    const refused = assert.rejects(answered, isCode('caller.cancelled'));
    const frame = await engine.next('SIP/2.0 200');
    engine.refuse(frame, 'Response not sent due to unknown transaction');
    assert.deepEqual(await leg.next('ended'), { cause: 'remote' });
    await refused;
    assert.deepEqual(stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
  });

  for (const [text, cause, code] of [
    ['ACK timeout', 'failure', 'call.ack_timeout'],
    ['Session timer expired', 'failure', 'call.session_expired'],
    ['CANCEL after 200 OK', 'remote', undefined],
    ['something new', 'failure', 'trunk.protocol'],
  ] as const) {
    it(`understands a BYE of the engine's own: ${text}`, async () => {
      const { events, listener } = deaf();
      stack = connectTrunkStack(address(), listener, silentLog, systemClock);
      await events.next('connected');
      engine.sip('t1', '', invite);
      const { call, leg } = await events.next('call');
      const answered = call.leg.answer(sdp(8000)).catch((thrown: unknown) => thrown);
      const frame = await engine.next('SIP/2.0 200');
      const to = 'To: <sip:alice@gw>;tag=t';
      const names = [
        'From: <sip:bob@x>;tag=f',
        to,
        'Call-ID: call1',
        'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK2',
      ];
      const ok = ['SIP/2.0 200 OK', ...names, 'CSeq: 1 INVITE', 'Contact: <sip:gw@127.0.0.1>', '', ''].join(
        '\r\n',
      );
      engine.responseSent(frame, 't1', 'call1;from-tag=f', ok);
      const reason = `Reason: SIP;cause=200;text="${text}"`;
      const bye = ['BYE sip:bob@x SIP/2.0', ...names, 'CSeq: 2 BYE', reason, '', ''].join('\r\n');
      engine.unsolicited('call1;from-tag=f', bye);
      const end = await leg.next('ended');
      assert.deepEqual([end.cause, end.failure?.code], [cause, code]);
      assert.ok((await answered) instanceof SipFailure);
      assert.deepEqual(stack.sizes(), { legs: 0, requests: 0, dialogs: 0, transactions: 0 });
    });
  }

  it('falls back to unreliable ringing when the engine cannot send reliably', async () => {
    const { events, listener } = deaf();
    stack = connectTrunkStack(address(), listener, silentLog, systemClock);
    await events.next('connected');
    engine.sip('t1', '', invite.replace('Contact:', 'Require: 100rel\r\nContact:'));
    const { call } = await events.next('call');
    call.leg.progress(180, 'Ringing');
    const reliable = await engine.next('SIP/2.0 180');
    assert.match(reliable.text, /require: 100rel/i);
    engine.refuse(reliable, 'Remote endpoint does not support 100rel');
    assert.doesNotMatch((await engine.next('SIP/2.0 180')).text, /100rel/i);
  });

  it('cancels an INVITE that is sent only after we have hung up', async () => {
    const { events, listener } = deaf();
    stack = connectTrunkStack(address(), listener, silentLog, systemClock);
    await events.next('connected');
    const log = new LegLog();
    const leg = stack.invite(
      { requestUri: 'sip:600@192.0.2.1' },
      { legId: 'l_1', sdp: sdp(7000), from: { uri: 'sip:a@x' }, to: { uri: 'sip:b@x' }, headers: [] },
      log,
    );
    const sent = await engine.next('INVITE');
    assert.deepEqual(sent.tokens, ['sip', '', '', 'sip:600@192.0.2.1;transport=udp']);
    leg.hangUp({ headers: [['Reason', 'SIP;cause=200']] });
    const from = /^from: (.*)$/im.exec(sent.text)?.[1] ?? '';
    const whole = `INVITE sip:600@192.0.2.1 SIP/2.0\r\nFrom: ${from}\r\nTo: <sip:b@x>\r\nCall-ID: ${leg.sipCallId}\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n`;
    engine.requestSent(sent, 'txn', whole);
    const cancel = await engine.next('CANCEL');
    assert.deepEqual(cancel.tokens.slice(0, 2), ['sip', 'txn']);
    assert.match(cancel.text, /Reason: SIP;cause=200/i);
  });

  it('reports what the engine would not send', async () => {
    const { events, listener } = deaf();
    stack = connectTrunkStack(address(), listener, silentLog, systemClock);
    await events.next('connected');
    const log = new LegLog();
    stack.invite(
      { requestUri: 'sip:600@192.0.2.1' },
      { legId: 'l_1', sdp: sdp(7000), from: { uri: 'sip:a@x' }, to: { uri: 'sip:b@x' }, headers: [] },
      log,
    );
    engine.refuse(await engine.next('INVITE'), 'can not send request to myself');
    const { failure } = await log.next('failed');
    assert.deepEqual([failure.code, failure.detail], ['trunk.unreachable', 'can not send request to myself']);
    assert.equal(stack.sizes().legs, 0);
  });

  it('refuses what the engine could not take in one frame', async () => {
    const { events, listener } = deaf();
    stack = connectTrunkStack({ ...address(), maxFrameBytes: 4000 }, listener, silentLog, systemClock);
    await events.next('connected');
    const long = `${sdp(7000)}a=x:${'y'.repeat(4000)}\r\n`;
    const log = new LegLog();
    const invitation = { legId: 'l_1', from: { uri: 'sip:a@x' }, to: { uri: 'sip:b@x' }, headers: [] };
    const send = (offer: string) =>
      stack?.invite({ requestUri: 'sip:600@192.0.2.1' }, { ...invitation, sdp: offer }, log);
    assert.throws(() => send(long), isCode('trunk.too_large'));
    assert.ok((await events.next('frameTooLarge')) > 4000);
    send(sdp(7000));
    assert.match((await engine.next('INVITE')).text, /m=audio 7000/);
    engine.sip('t1', '', invite);
    const { call, leg } = await events.next('call');
    await assert.rejects(call.leg.answer(long), isCode('trunk.too_large'));
    await engine.next('SIP/2.0 500');
    assert.equal((await leg.next('ended')).cause, 'failure');
    assert.equal(stack.sizes().legs, 1);
  });

  it('gives up on a cancelled INVITE that the engine never mentions again', async () => {
    const clock = new FakeClock();
    const { events, listener } = deaf();
    stack = connectTrunkStack(address(), listener, silentLog, clock);
    await events.next('connected');
    const log = new LegLog();
    const leg = stack.invite(
      { requestUri: 'sip:600@192.0.2.1' },
      { legId: 'l_1', sdp: sdp(7000), from: { uri: 'sip:a@x' }, to: { uri: 'sip:b@x' }, headers: [] },
      log,
    );
    await engine.next('INVITE');
    leg.hangUp();
    await pass(clock, 36_000);
    assert.deepEqual(await log.next('ended'), { cause: 'local' });
    assert.equal(stack.sizes().legs, 0);
  });
});
