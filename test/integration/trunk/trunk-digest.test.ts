import assert from 'node:assert/strict';
import { connectTrunkStack, type TrunkStack } from '../../../sip/trunk/srf.js';
import type { CalleeLeg } from '../../../sip/leg.js';
import { systemClock } from '../../../sip/clock.js';
import { silentLog } from '../../../sip/log.js';
import { parseAuthorization, type SipRequest } from '../../../sip/message/index.js';
import { isMadeWith } from '../../support/digest-check.js';
import { requireOwnEngine } from '../../support/engine-under-test.js';
import { EventLog } from '../../support/event-log.js';
import { ScriptedEngine, type ControlFrame } from '../../support/scripted-engine.js';
import { sdp, type Seen } from '../../support/sip-peer.js';
import { LegLog, listenerFor, TrunkRig, type StackEvents } from '../../support/trunk-rig.js';

const credentials = { username: 'gw', password: 'secret' };
const nothing = { legs: 0, requests: 0, dialogs: 0, transactions: 0 };

interface Offered {
  readonly nonce: string;
  readonly algorithm?: string;
  readonly realm?: string;
  readonly stale?: boolean;
}

const challenge = ({ nonce, algorithm = 'MD5', realm = 'pbx', stale = false }: Offered): string =>
  `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale ? ', stale=true' : ''}`;

describe('digest on the trunk', () => {
  let rig: TrunkRig;
  beforeEach(async () => {
    rig = await TrunkRig.start();
  });
  afterEach(() => rig.close());

  /** The next request of that method is challenged; resolves with it. */
  async function challenged(
    method: string,
    offered: readonly Offered[],
    status: 401 | 407 = 407,
  ): Promise<SipRequest> {
    const request = await rig.peer.request(method);
    const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
    const headers = offered.map((one) => `${name}: ${challenge(one)}`);
    rig.peer.respond(request, status, 'Who Are You', { headers });
    return request;
  }

  /** Says what the request answers, `nonce algorithm`, when the response is right. */
  function answerIn(request: SipRequest, name = 'Proxy-Authorization'): string {
    const [value, ...others] = request.headers.getAll(name);
    assert.deepEqual(others, []);
    const given = value === undefined ? undefined : parseAuthorization(value);
    if (given === undefined) return 'none';
    assert.equal(given.uri, request.requestUri);
    assert.ok(isMadeWith(credentials.password, request.method, given), 'a wrong response');
    return `${given.nonce} ${given.algorithm ?? ''}`;
  }

  function isAfter(request: SipRequest, first: SipRequest): void {
    assert.equal(request.callId, first.callId);
    assert.deepEqual(request.headers.getAll('Call-ID').length, 1);
    assert.equal(request.headers.get('From'), first.headers.get('From'));
    assert.equal(request.headers.get('To'), first.headers.get('To'));
    assert.equal(request.cseq.number, first.cseq.number + 1);
    assert.equal(request.body.toString(), first.body.toString());
  }

  const sent = (method: string): number =>
    rig.peer.seen.filter((message) => isRequest(message, method)).length;

  /** Answers the INVITE. */
  async function connect(invite: SipRequest, log: LegLog): Promise<void> {
    rig.peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    (await log.next('answered')).ack();
    await rig.peer.request('ACK');
  }

  async function hangUp(leg: CalleeLeg, log: LegLog): Promise<void> {
    leg.hangUp();
    rig.peer.respond(await rig.peer.request('BYE'), 200, 'OK');
    assert.deepEqual(await log.next('ended'), { cause: 'local' });
    assert.deepEqual(rig.stack.sizes(), nothing);
  }

  it('answers the challenge to an INVITE in the same call', async () => {
    const { leg, log } = rig.invite({ auth: credentials });
    const first = await challenged('INVITE', [{ nonce: 'n1' }]);
    await rig.peer.request('ACK');
    const second = await rig.peer.request('INVITE');
    assert.equal(second.callId, leg.sipCallId);
    isAfter(second, first);
    assert.equal(answerIn(second), 'n1 MD5');
    await connect(second, log);
    leg.hangUp();
    const bye = await challenged('BYE', [{ nonce: 'n2' }]);
    const again = await rig.peer.request('BYE');
    assert.equal(answerIn(again), 'n2 MD5');
    assert.equal(again.cseq.number, bye.cseq.number + 1);
    rig.peer.respond(again, 200, 'OK');
    assert.deepEqual(await log.next('ended'), { cause: 'local' });
    assert.deepEqual(rig.stack.sizes(), nothing);
  });

  const md5 = { nonce: 'm', algorithm: 'MD5' };
  const sha = { nonce: 's', algorithm: 'SHA-256' };
  for (const [what, offered] of [
    ['MD5 before SHA-256', [md5, sha]],
    ['SHA-256 before MD5', [sha, md5]],
    ['SHA-256 alone', [sha]],
    ['SHA-256 and what nobody knows', [{ nonce: 'x', algorithm: 'SHA-512-256' }, sha]],
  ] as const) {
    it(`answers with SHA-256 and its own nonce where ${what} is offered`, async () => {
      const { leg, log } = rig.invite({ auth: credentials });
      const first = await challenged('INVITE', offered, 401);
      const second = await rig.peer.request('INVITE');
      isAfter(second, first);
      assert.equal(answerIn(second, 'Authorization'), 's SHA-256');
      await connect(second, log);
      const reoffered = leg.reoffer(sdp(7002));
      const modify = await challenged('INVITE', offered);
      const again = await rig.peer.request('INVITE');
      assert.equal(answerIn(again), 's SHA-256');
      assert.equal(again.cseq.number, modify.cseq.number + 1);
      rig.peer.respond(again, 200, 'OK', { body: sdp(9002) });
      (await reoffered).ack();
      await rig.peer.request('ACK');
      await hangUp(leg, log);
    });
  }

  it('answers in the configured realm only', async () => {
    const { leg, log } = rig.invite({ auth: { ...credentials, realm: 'ours' } });
    await challenged('INVITE', [
      { nonce: 'ours', realm: 'ours' },
      { nonce: 'theirs', realm: 'theirs', algorithm: 'SHA-256' },
    ]);
    const second = await rig.peer.request('INVITE');
    assert.equal(answerIn(second), 'ours MD5');
    await connect(second, log);
    await hangUp(leg, log);
  });

  for (const [what, offered, why] of [
    ['another realm', { nonce: 'n', realm: 'theirs' }, /: it asks for the realm theirs, not ours$/],
    [
      'an unknown algorithm',
      { nonce: 'n', realm: 'ours', algorithm: 'X' },
      /: it offers no digest algorithm/,
    ],
  ] as const) {
    it(`says that ${what} gets no answer`, async () => {
      const { log } = rig.invite({ auth: { ...credentials, realm: 'ours' } });
      await challenged('INVITE', [offered]);
      const { failure } = await log.next('failed');
      assert.equal(failure.code, 'trunk.auth');
      assert.match(failure.detail ?? '', why);
      await rig.settled();
      assert.equal(sent('INVITE'), 1);
    });
  }

  it('says that the password is refused when it is challenged again', async () => {
    const { log } = rig.invite({ auth: credentials });
    await challenged('INVITE', [{ nonce: 'n1' }]);
    await challenged('INVITE', [{ nonce: 'n2' }]);
    const { failure } = await log.next('failed');
    assert.deepEqual([failure.code, failure.status], ['trunk.auth', 503]);
    assert.equal(failure.detail, '407 Who Are You: it refuses our user name or password');
    await rig.settled();
    assert.equal(sent('INVITE'), 2);
    assert.deepEqual(rig.stack.sizes(), nothing);
  });

  it('answers once more when the nonce was too old, but not for ever', async () => {
    const { log } = rig.invite({ auth: credentials });
    await challenged('INVITE', [{ nonce: 'n1' }]);
    const second = await challenged('INVITE', [{ nonce: 'n2', stale: true }]);
    const third = await challenged('INVITE', [{ nonce: 'n3', stale: true }]);
    isAfter(third, second);
    assert.deepEqual([answerIn(second), answerIn(third)], ['n1 MD5', 'n2 MD5']);
    assert.equal((await log.next('failed')).failure.code, 'trunk.auth');
    await rig.settled();
    assert.equal(sent('INVITE'), 3);
  });

  it('answers a proxy and the PBX behind it', async () => {
    const { leg, log } = rig.invite({ auth: credentials });
    await challenged('INVITE', [{ nonce: 'proxy', realm: 'proxy' }], 407);
    await challenged('INVITE', [{ nonce: 'pbx', realm: 'pbx', algorithm: 'SHA-256' }], 401);
    const third = await rig.peer.request('INVITE');
    assert.equal(answerIn(third), 'proxy MD5');
    assert.equal(answerIn(third, 'Authorization'), 'pbx SHA-256');
    await connect(third, log);
    await hangUp(leg, log);
  });

  it('repeats a late offer as one', async () => {
    const { leg, log } = rig.invite({ auth: credentials }, { sdp: undefined });
    await challenged('INVITE', [sha, md5]);
    const second = await rig.peer.request('INVITE');
    assert.deepEqual([second.body.length, answerIn(second)], [0, 's SHA-256']);
    rig.peer.respond(second, 200, 'OK', { body: sdp(9000) });
    const answer = await log.next('answered');
    assert.equal(answer.sdp, sdp(9000));
    answer.ack(sdp(7000));
    assert.equal((await rig.peer.request('ACK')).body.toString(), sdp(7000));
    await hangUp(leg, log);
  });

  it('answers for MESSAGE too', async () => {
    const target = { requestUri: `sip:bob@127.0.0.1:${rig.peer.port}`, auth: credentials };
    const content = { contentType: 'text/plain', body: 'hi' };
    const parties = { from: { uri: 'sip:a@x' }, to: { uri: 'sip:b@x' } };
    const answer = rig.stack.request('MESSAGE', target, { ...parties, content });
    const first = await challenged('MESSAGE', [md5, sha], 401);
    const second = await rig.peer.request('MESSAGE');
    isAfter(second, first);
    assert.equal(answerIn(second, 'Authorization'), 's SHA-256');
    rig.peer.respond(second, 200, 'OK');
    assert.equal((await answer).status, 200);
    assert.deepEqual(rig.stack.sizes(), nothing);
  });

  it('says that credentials are missing when there are none', async () => {
    const { log } = rig.invite();
    await challenged('INVITE', [{ nonce: 'n' }], 401);
    const { failure } = await log.next('failed');
    assert.equal(failure.code, 'trunk.auth');
    assert.match(failure.detail ?? '', /none are configured/);
  });

  it('leaves the challenge to a caller who has the password', async () => {
    const { log } = rig.invite({ passesChallenge: true });
    await challenged('INVITE', [md5, sha]);
    const { failure } = await log.next('failed');
    assert.deepEqual([failure.code, failure.status], ['auth.challenged', 407]);
    const passed = [md5, sha].map((one) => ['Proxy-Authenticate', challenge(one)]);
    assert.deepEqual(failure.headers, passed);
  });

  it('cancels the INVITE that carries the credentials', async () => {
    const { leg, log } = rig.invite({ auth: credentials });
    await challenged('INVITE', [{ nonce: 'n1' }]);
    const second = await rig.peer.request('INVITE');
    rig.peer.respond(second, 180, 'Ringing');
    await log.next('progress');
    leg.hangUp();
    const cancel = await rig.peer.request('CANCEL');
    assert.equal(cancel.cseq.number, second.cseq.number);
    rig.peer.respond(cancel, 200, 'OK');
    rig.peer.respond(second, 487, 'Request Terminated');
    assert.deepEqual(await log.next('ended'), { cause: 'local' });
    assert.deepEqual(rig.stack.sizes(), nothing);
  });

  it('answers no challenge that comes after it was given up', async () => {
    const { leg, log } = rig.invite({ auth: credentials });
    const first = await rig.peer.request('INVITE');
    leg.hangUp();
    rig.peer.respond(first, 407, 'Who Are You', { headers: [`Proxy-Authenticate: ${challenge(md5)}`] });
    await rig.peer.request('ACK');
    assert.deepEqual(await log.next('ended'), { cause: 'local' });
    assert.deepEqual(log.seen, ['ended']);
    await rig.settled();
    assert.equal(sent('INVITE'), 1);
  });

  it('repeats no re-INVITE after the call was hung up', async function () {
    requireOwnEngine(this);
    const { leg, log } = rig.invite({ auth: credentials });
    await connect(await rig.peer.request('INVITE'), log);
    const refused = assert.rejects(leg.reoffer(sdp(7002)));
    const modify = await rig.peer.request('INVITE');
    leg.hangUp();
    const bye = await rig.peer.request('BYE');
    rig.peer.respond(modify, 407, 'Who Are You', { headers: [`Proxy-Authenticate: ${challenge(md5)}`] });
    rig.peer.respond(bye, 200, 'OK');
    await refused;
    assert.deepEqual(await log.next('ended'), { cause: 'local' });
    await rig.settled();
    assert.equal(sent('INVITE'), 2);
  });
});

describe('digest on the trunk, given up while the engine is busy', () => {
  let engine: ScriptedEngine;
  let stack: TrunkStack;

  beforeEach(async () => {
    engine = await ScriptedEngine.listen();
    const events = new EventLog<StackEvents>();
    const address = { host: '127.0.0.1', port: engine.port, secret: 'secret' };
    stack = connectTrunkStack(address, listenerFor(events), silentLog, systemClock);
    await events.next('connected');
  });
  afterEach(async () => {
    await stack.close();
    await engine.close();
  });

  /** Has the first INVITE sent, and a way to answer it. */
  async function invite() {
    const log = new LegLog();
    const parties = { from: { uri: 'sip:a@x' }, to: { uri: 'sip:b@x' }, headers: [] };
    const target = { requestUri: 'sip:b@192.0.2.1', auth: credentials };
    const leg = stack.invite(target, { legId: 'l_1', sdp: sdp(7000), ...parties }, log);
    const first = await engine.next('INVITE');
    echo(first, 't1', 1);
    const refuse = (transactionId: string, sequence: number, status: string, ...lines: string[]) =>
      engine.sip(
        transactionId,
        '',
        [`SIP/2.0 ${status}`, ...common(leg, sequence), ...lines, '', ''].join('\r\n'),
      );
    const challengeIt = () =>
      refuse('t1', 1, '407 Who Are You', `Proxy-Authenticate: ${challenge({ nonce: 'n' })}`);
    return { leg, log, refuse, challengeIt };
  }

  /** Says that an INVITE is out, as the engine numbers it. */
  function echo(frame: ControlFrame, transactionId: string, sequence: number): void {
    const via = 'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1';
    const given = frame.text.replace(/^CSeq:.*\r\n/m, '');
    const numbered = given.replace('\r\n', `\r\n${via}\r\nCSeq: ${sequence} INVITE\r\n`);
    engine.requestSent(frame, transactionId, numbered);
  }

  const common = ({ sipCallId }: CalleeLeg, sequence: number): string[] => [
    'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1',
    'From: <sip:a@x>;tag=f',
    'To: <sip:b@x>;tag=t',
    `Call-ID: ${sipCallId}`,
    `CSeq: ${sequence} INVITE`,
  ];

  it('cancels the repeated INVITE once it is out', async () => {
    const { leg, log, refuse, challengeIt } = await invite();
    challengeIt();
    const second = await engine.next('INVITE');
    assert.match(second.text, /^CSeq: 2 INVITE\r$/m);
    leg.hangUp();
    echo(second, 't2', 2);
    assert.equal((await engine.next('CANCEL')).tokens[1], 't2');
    refuse('t2', 2, '487 Request Terminated');
    assert.deepEqual(await log.next('ended'), { cause: 'local' });
    assert.deepEqual(stack.sizes(), nothing);
  });

  it('does not repeat the INVITE when CANCEL and challenge cross', async () => {
    const { leg, log, challengeIt } = await invite();
    leg.hangUp();
    assert.equal((await engine.next('CANCEL')).tokens[1], 't1');
    challengeIt();
    assert.deepEqual(await log.next('ended'), { cause: 'local' });
    assert.equal(
      engine.frames.some(({ text }) => text.startsWith('INVITE')),
      false,
    );
    assert.deepEqual(stack.sizes(), nothing);
  });

  it('says that the engine went away, when it did so before the INVITE could be repeated', async () => {
    const { log, challengeIt } = await invite();
    challengeIt();
    await engine.next('INVITE');
    engine.cut();
    assert.equal((await log.next('failed')).failure.code, 'trunk.engine_away');
    assert.deepEqual(stack.sizes(), nothing);
  });
});

function isRequest(message: Seen, method: string): boolean {
  return message.kind === 'request' && message.method === method;
}
