import assert from 'node:assert/strict';
import { failure, SipFailure } from '../../../sip/failure.js';
import type { CallerLeg } from '../../../sip/leg.js';
import { silentLog } from '../../../sip/log.js';
import { systemClock } from '../../../sip/clock.js';
import { connectTrunkStack, type TrunkStack } from '../../../sip/trunk/srf.js';
import { EventLog } from '../../support/event-log.js';
import { makeTestCertificate } from '../../support/test-certificate.js';
import { TlsLine } from '../../support/tls-line.js';
import { FakeClock } from '../../support/fake-clock.js';
import { ScriptedEngine, type ControlFrame } from '../../support/scripted-engine.js';
import { sdp } from '../../support/sip-peer.js';
import { LegLog, listenerFor, type StackEvents } from '../../support/trunk-rig.js';

const isCode = (code: string) => (thrown: unknown) => thrown instanceof SipFailure && thrown.code === code;
const nothing = { legs: 0, requests: 0, dialogs: 0, transactions: 0 };
const dialogId = 'call1;from-tag=f';
const target = { requestUri: 'sip:600@192.0.2.1' };
const parties = { from: { uri: 'sip:a@x' }, to: { uri: 'sip:b@x' }, headers: [] };

/** A message of the call whose INVITE came from the network. */
function message(startLine: string, cseq: string, lines: readonly string[] = [], body = ''): string {
  return [
    startLine,
    'Via: SIP/2.0/UDP 127.0.0.1:5091;branch=z9hG4bK1',
    'From: <sip:bob@x>;tag=f',
    'To: <sip:alice@gw>',
    'Call-ID: call1',
    `CSeq: ${cseq}`,
    'Contact: <sip:bob@127.0.0.1:5091>',
    ...lines,
    ...(body === '' ? [] : ['Content-Type: application/sdp']),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

const invite = message('INVITE sip:alice@gw SIP/2.0', '1 INVITE', [], sdp(6000));

interface Established {
  readonly leg: CallerLeg;
  readonly log: LegLog;
}

/** What drachtio-srf does wrong, and what the stack on it makes of that. */
describe('traps of drachtio-srf', () => {
  let engine: ScriptedEngine;
  let stack: TrunkStack;
  let events: EventLog<StackEvents>;

  beforeEach(async () => {
    engine = await ScriptedEngine.listen();
    events = new EventLog();
  });
  afterEach(async () => {
    await stack.close();
    await engine.close();
  });

  const connect = async (clock = systemClock, listener = listenerFor(events)): Promise<void> => {
    const address = { host: '127.0.0.1', port: engine.port, secret: 'secret', maxFrameBytes: 4000 };
    stack = connectTrunkStack(address, listener, silentLog, clock);
    await events.next('connected');
  };

  /** A call from the network that is answered and acknowledged. */
  const establish = async (): Promise<Established> => {
    engine.sip('t1', '', invite);
    const { call, leg: log } = await events.next('call');
    const answered = call.leg.answer(sdp(8000));
    const ok = message('SIP/2.0 200 OK', '1 INVITE', [], sdp(8000)).replace(
      '<sip:alice@gw>',
      '<sip:alice@gw>;tag=t',
    );
    engine.responseSent(await engine.next('SIP/2.0 200'), 't1', dialogId, ok);
    engine.sip('t1', dialogId, message('ACK sip:alice@gw SIP/2.0', '1 ACK'));
    await answered;
    return { leg: call.leg, log };
  };

  /** Echoes a request of ours in the call, and answers it. */
  const respond = (frame: ControlFrame, transactionId: string, status: string, body = ''): void => {
    const [method = ''] = frame.text.split(' ');
    assert.equal(frame.tokens[2], dialogId);
    engine.requestSent(frame, transactionId, message(`${method} sip:bob@x SIP/2.0`, `7 ${method}`));
    engine.sip(transactionId, dialogId, message(`SIP/2.0 ${status}`, `7 ${method}`, [], body));
  };

  describe('Dialog#modify never returns after a refused re-INVITE', () => {
    it('but a re-INVITE after it goes out, and is answered', async () => {
      await connect();
      const { leg } = await establish();
      const refused = assert.rejects(leg.reoffer(sdp(8002)), isCode('upstream.refused'));
      respond(await engine.next('INVITE'), 'r1', '488 Not Acceptable Here');
      await refused;
      const accepted = leg.reoffer(sdp(8004));
      respond(await engine.next('INVITE'), 'r2', '200 OK', sdp(6004));
      assert.equal((await accepted).sdp, sdp(6004));
    });
  });

  describe('Dialog#info and its like throw', () => {
    for (const method of ['INFO', 'MESSAGE', 'OPTIONS', 'NOTIFY', 'REFER', 'UPDATE', 'PUBLISH']) {
      it(`but ${method} goes out in the dialog, and is answered`, async () => {
        await connect();
        const { leg } = await establish();
        const answered = leg.request(method, { contentType: 'text/plain', body: 'x' });
        respond(await engine.next(method), 'q1', '202 Taken');
        assert.equal((await answered).status, 202);
      });
    }
  });

  describe('requests without a connection are assertion failures', () => {
    it('but in the moment of the loss everything ends with a failure that has a name', async () => {
      const thrown: unknown[] = [];
      const attempt = (act: () => unknown): void => {
        try {
          Promise.resolve(act()).catch((error: unknown) => thrown.push(error));
        } catch (error) {
          thrown.push(error);
        }
      };
      const use = (leg: CallerLeg): void => {
        for (const act of [
          () => leg.progress(180, 'Ringing'),
          () => leg.answer(sdp(1)),
          () => leg.reject(failure('callee.busy')),
          () => leg.reoffer(sdp(1)),
          () => leg.request('INFO'),
          () => leg.hangUp(),
        ])
          attempt(act);
      };
      let legs: CallerLeg[] = [];
      await connect(systemClock, {
        ...listenerFor(events),
        disconnected(why) {
          attempt(() => stack.invite(target, { legId: 'l_2', sdp: sdp(1), ...parties }, new LegLog()));
          attempt(() => stack.options(target, 1000));
          attempt(() => stack.request('MESSAGE', target, parties));
          attempt(() => stack.endLeftDialog(dialogId));
          legs.forEach(use);
          events.push('disconnected', why);
        },
      });
      const { leg, log } = await establish();
      const open = leg.request('INFO').catch((error: unknown) => error);
      const reoffer = leg.reoffer(sdp(8002)).catch((error: unknown) => error);
      engine.sip('t2', '', invite.replace('call1', 'call2'));
      const second = await events.next('call');
      legs = [leg, second.call.leg];
      const ringing = new LegLog();
      stack.invite(target, { legId: 'l_1', sdp: sdp(7000), ...parties }, ringing);
      engine.cut();
      await events.next('disconnected');
      for (const end of [await open, await reoffer, (await log.next('ended')).failure]) {
        assert.ok(isCode('trunk.engine_away')(end), String(end));
      }
      assert.equal((await ringing.next('failed')).failure.code, 'trunk.engine_away');
      assert.equal((await second.leg.next('ended')).failure?.code, 'trunk.engine_away');
      await events.next('connected');
      const codes = thrown.map((error) => (error instanceof SipFailure ? error.code : String(error)));
      assert.deepEqual(
        new Set(codes),
        new Set(['trunk.engine_away', 'dialog.unknown', 'dialog.request_pending']),
      );
      assert.deepEqual(stack.sizes(), nothing);
    });
  });

  describe('a malformed control frame throws out of the socket, and ends the process', () => {
    const frame = (payload: string): string => `${Buffer.byteLength(payload)}#${payload}`;
    const network = 'id|sip|network|9|udp|127.0.0.1|5091|12:00:00.000000|t9';
    for (const [what, bytes] of [
      ['no length', 'x#id|sip'],
      ['the length 0', '0#'],
      ['a negative length', '-5#hello'],
      ['no verb', frame('id')],
      ['an unknown verb', frame('id|wonder|x')],
      ['a message cut off after its first token', frame('id|sip')],
      ['a message without SIP', frame(`${network}||127.0.0.1|5060|\r\n`)],
      ['a message that is no SIP', frame(`${network}||127.0.0.1|5060|\r\nnonsense\r\n\r\n`)],
      [
        'a request without header fields',
        frame(`${network}||127.0.0.1|5060|\r\nINVITE sip:a@b SIP/2.0\r\n\r\n`),
      ],
      [
        'a request of which nothing can be read',
        frame(`${network}||x|y|\r\n${message('FOO sip:a', '1 BAR', ['???'])}`),
      ],
      ['a response to nothing', frame(`${network}|${dialogId}|\r\n${message('SIP/2.0 200 OK', '1 INVITE')}`)],
      [
        'a status that is no number',
        frame(`${network}|${dialogId}|\r\n${message('SIP/2.0 xyz', '1 INVITE')}`),
      ],
      ['an answer to no command', frame('id|response|nobody-asked|OK|x|y')],
      ['an answer without a result', frame('id|response')],
      [
        'a BYE of its own for no dialog',
        frame(
          `id|sip|application|9|udp|127.0.0.1|5091|12:00:00|unsolicited|x|\r\n${message('BYE sip:a@b SIP/2.0', '2 BYE')}`,
        ),
      ],
      ['an ACK for no dialog', frame(`${network}|x|\r\n${message('ACK sip:a@b SIP/2.0', '1 ACK')}`)],
    ] as const) {
      it(`but ${what} costs the connection at most, and the next call is taken`, async () => {
        await connect();
        engine.raw(bytes);
        engine.sip('t1', '', invite);
        const taken = events.next('call');
        const lost = events.next('disconnected').then(async () => {
          await events.next('connected');
          engine.sip('t1', '', invite);
        });
        lost.catch(() => undefined);
        const { call } = await taken;
        assert.equal(call.leg.sipCallId, 'call1');
        call.leg.hangUp();
      });
    }

    it('but a frame that never ends is noticed by the silence after it', async () => {
      const clock = new FakeClock();
      await connect(clock);
      engine.raw('99999999#');
      for (const ms of [10_000, 5_000]) {
        clock.advance(ms);
        await engine.pinged();
      }
      clock.advance(5_000);
      assert.equal((await events.next('disconnected')).detail, 'the engine does not answer');
      clock.advance(5_000);
      await events.next('connected');
    });
  });

  describe('srf connects anew without TLS', () => {
    let line: TlsLine | undefined;
    afterEach(() => line?.close());

    const connectSecurely = (ca: string | undefined, serverName?: string): void => {
      const tls = { ca, serverName };
      const address = { host: '127.0.0.1', port: line?.port ?? 0, secret: 'secret', tls };
      stack = connectTrunkStack(address, listenerFor(events), silentLog, systemClock);
    };

    it('but the stack with it, as often as needed', async function () {
      const pair = makeTestCertificate();
      if (pair === undefined) return this.skip();
      line = await TlsLine.to(engine.port, pair);
      connectSecurely(pair.cert, 'localhost');
      await events.next('connected');
      for (const connections of [2, 3]) {
        line.cut();
        await events.next('disconnected');
        await events.next('connected');
        assert.equal(engine.connections, connections);
      }
      engine.sip('t1', '', invite);
      (await events.next('call')).call.leg.hangUp();
    });

    it('and to an engine that cannot prove its name nothing is said', async function () {
      const [pair, other] = [makeTestCertificate(), makeTestCertificate()];
      if (pair === undefined || other === undefined) return this.skip();
      line = await TlsLine.to(engine.port, pair);
      for (const [ca, serverName, why] of [
        [other.cert, 'localhost', /self-signed|unable to verify/],
        [pair.cert, 'sip.example.com', /does not match/],
        [undefined, 'localhost', /self-signed/],
      ] as const) {
        connectSecurely(ca, serverName);
        assert.match((await events.next('disconnected')).detail ?? '', why);
        await stack.close();
      }
      assert.equal(line.bytes, 0);
    });
  });

  describe('frames of any length are sent, and drachtio-server loses its stream', () => {
    const long = `${sdp(8002)}a=x:${'y'.repeat(4000)}\r\n`;

    it('but a re-INVITE that is too long is refused, and the call goes on', async () => {
      await connect();
      const { leg } = await establish();
      await assert.rejects(leg.reoffer(long), isCode('trunk.too_large'));
      assert.ok((await events.next('frameTooLarge')) > 4000);
      const accepted = leg.reoffer(sdp(8004));
      respond(await engine.next('INVITE'), 'r2', '200 OK', sdp(6004));
      assert.equal((await accepted).sdp, sdp(6004));
    });

    it('but the peer whose re-INVITE is answered too long hears 500', async () => {
      await connect();
      const { log } = await establish();
      engine.sip('t3', dialogId, message('INVITE sip:alice@gw SIP/2.0', '2 INVITE', [], sdp(6002)));
      const reoffer = await log.next('reoffer');
      await assert.rejects(reoffer.accept(long), isCode('trunk.too_large'));
      const frame = await engine.next('SIP/2.0 500');
      assert.equal(frame.tokens[1], 't3');
    });

    it('but a call whose ACK is too long ends with BYE', async () => {
      await connect();
      const { leg, log } = await establish();
      const offered = leg.reoffer(undefined);
      respond(await engine.next('INVITE'), 'r1', '200 OK', sdp(6002));
      (await offered).ack(long);
      respond(await engine.next('BYE'), 'b1', '200 OK');
      assert.equal((await log.next('ended')).failure?.code, 'trunk.too_large');
      assert.equal(stack.sizes().legs, 0);
    });
  });
});
