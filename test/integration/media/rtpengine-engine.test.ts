import assert from 'node:assert/strict';
import { SipFailure, type FailureCode } from '../../../sip/failure.js';
import type { MediaSession } from '../../../sip/media/media-engine.js';
import type { RtpengineEngine } from '../../../sip/media/rtpengine/rtpengine-engine.js';
import { freePort } from '../../support/free-port.js';
import { attribute, TimeoutRecord, until } from '../../support/media-session.js';
import { MediaServerRecord, rtpengineEngine } from '../../support/rtpengine-rig.js';
import { ScriptedRtpengine, textOf } from '../../support/scripted-rtpengine.js';
import { fixture, pbxSdp } from '../../support/sdp-fixtures.js';

const pbx = pbxSdp('0 101', ['a=rtpmap:101 telephone-event/8000']);
const browserOffer = fixture('audio-offer');

const refused =
  (code: FailureCode) =>
  (thrown: unknown): boolean =>
    thrown instanceof SipFailure && thrown.code === code;

describe('rtpengine engine', () => {
  let one: ScriptedRtpengine;
  let other: ScriptedRtpengine;
  let engine: RtpengineEngine;
  let servers: MediaServerRecord;
  let timeouts: TimeoutRecord;

  beforeEach(async () => {
    one = await ScriptedRtpengine.start();
    other = await ScriptedRtpengine.start();
    servers = new MediaServerRecord();
    timeouts = new TimeoutRecord();
  });

  afterEach(async () => {
    await engine.close();
    assert.deepEqual(engine.sizes(), { sessions: 0, ends: 0, ending: 0, commands: 0 });
    await one.close();
    await other.close();
  });

  const both = (): { address: { host: string; port: number }; weight: number }[] =>
    [one, other].map(({ address }) => ({ address, weight: 1 }));

  const open = (callId = 'c_1'): MediaSession => {
    const session = engine.createSession(callId, timeouts);
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain' });
    return session;
  };

  const offer = (session: MediaSession): Promise<string> =>
    session.offer('l_browser', 'l_phone', browserOffer);

  const connect = async (session: MediaSession): Promise<{ toPhone: string; toBrowser: string }> => {
    const toPhone = await offer(session);
    return { toPhone, toBrowser: await session.answer('l_phone', 'l_browser', pbx) };
  };

  describe('with one instance', () => {
    beforeEach(async () => {
      engine = rtpengineEngine([{ address: one.address, weight: 1 }], servers);
      await servers.told(`up ${one.name}`);
    });

    it('is ready once the instance answers', () => {
      assert.equal(engine.isReady, true);
      const nowhere = rtpengineEngine([{ address: other.address, weight: 1 }], servers);
      assert.equal(nowhere.isReady, false);
      return nowhere.close();
    });

    it('asks for plain RTP towards a PBX and for WebRTC towards a browser', async () => {
      const { toPhone, toBrowser } = await connect(open());
      assert.match(toPhone, /^m=audio 40002 RTP\/AVP /m);
      assert.match(toBrowser, /^m=audio 40004 UDP\/TLS\/RTP\/SAVPF 0 /m);
      assert.equal(attribute(toBrowser, 'ice-ufrag'), 'rtpe');
      const [told] = one.commands('offer');
      const [answered] = one.commands('answer');
      assert.ok(told !== undefined && answered !== undefined);
      assert.deepEqual(
        ['transport-protocol', 'ICE', 'rtcp-mux', 'from-tag', 'to-tag'].map((key) => [
          told.get(key),
          answered.get(key),
        ]),
        [
          ['RTP/AVP', 'UDP/TLS/RTP/SAVPF'],
          ['remove', 'force'],
          [['demux'], ['require']],
          ['l_browser', 'l_browser'],
          ['l_phone', 'l_phone'],
        ],
      );
      assert.equal(told.get('call-id'), answered.get('call-id'));
    });

    it('shows rtpengine one audio line of its own words, never what an end wrote', async () => {
      await connect(open());
      const sdp = textOf(one.commands('offer')[0] ?? new Map(), 'sdp');
      assert.equal(sdp.match(/^m=/gm)?.length, 1);
      assert.match(sdp, /^m=audio 9 UDP\/TLS\/RTP\/SAVPF /m);
      assert.match(sdp, /^c=IN IP4 127\.0\.0\.1\r$/m);
      for (const line of ['msid', 'ssrc', 'extmap', 'rtcp-fb']) assert.equal(attribute(sdp, line), undefined);
    });

    it('deletes the call when the session closes, until rtpengine has answered', async () => {
      const session = open();
      await connect(session);
      let times = 0;
      one.script.set('delete', (received) => ((times += 1) < 3 ? undefined : one.usual(received)));
      session.close();
      session.close();
      assert.equal(engine.size, 0);
      await engine.close();
      assert.equal(times, 3);
      assert.deepEqual(
        one.commands('delete').map((command) => command.get('call-id')),
        [one.commands('offer')[0]?.get('call-id')],
      );
    });

    it('deletes a call that is closed while its offer is under way', async () => {
      one.script.set('offer', () => undefined);
      const session = open();
      const pending = assert.rejects(offer(session));
      await one.got('offer');
      session.close();
      one.script.delete('offer');
      await pending;
      await engine.close();
      assert.equal(one.commands('delete').length, 1);
    });

    it('tells rtpengine nothing of a re-offer that is refused', async () => {
      const session = open();
      await connect(session);
      const moved = pbx.replace('m=audio 4000', 'm=audio 5000');
      await session.offer('l_phone', 'l_browser', moved);
      session.refuse('l_browser');
      assert.equal(one.commands('offer').length, 1);
    });

    it('goes back to what was agreed on when rtpengine takes a re-offer by half', async () => {
      const session = open();
      await connect(session);
      await session.offer('l_phone', 'l_browser', pbx.replace('m=audio 4000', 'm=audio 5000'));
      one.script.set('answer', (received) =>
        one.commands('answer').length === 2 ? { result: 'error', 'error-reason': 'no' } : one.usual(received),
      );
      await assert.rejects(
        session.answer('l_browser', 'l_phone', browserOffer.replace('actpass', 'active')),
        refused('media.failed'),
      );
      session.refuse('l_browser');
      const [first, second, third] = one.commands('offer').map((command) => command.get('sdp'));
      assert.notEqual(first, second);
      assert.equal(first, third);
      const answers = one.commands('answer').map((command) => command.get('sdp'));
      assert.equal(answers[0], answers[2]);
    });

    it('refuses an answer of a browser that restarts ICE without being asked', async () => {
      const session = open();
      await connect(session);
      await session.offer('l_phone', 'l_browser', pbx);
      const restarted = browserOffer.replace(/^a=ice-ufrag:.*$/m, 'a=ice-ufrag:other');
      await assert.rejects(session.answer('l_browser', 'l_phone', restarted), refused('media.failed'));
      assert.equal(one.commands('offer').length, 1, 'rtpengine hears nothing of it');
    });

    it('tells the offer again when that to another callee came between it and its answer', async () => {
      const session = engine.createSession('c_forked', timeouts);
      session.addEnd('l_caller', { profile: 'plain' });
      session.addEnd('l_one', { profile: 'plain', codecs: ['PCMU'] });
      session.addEnd('l_other', { profile: 'plain', codecs: ['PCMA'] });
      for (const callee of ['l_one', 'l_other']) await session.offer('l_caller', callee, pbxSdp('0 8'));
      for (const [callee, format] of [
        ['l_one', '0'],
        ['l_other', '8'],
        ['l_one', '0'],
      ] as const)
        await session.answer(callee, 'l_caller', pbxSdp(format));
      assert.deepEqual(
        one.received
          .filter(({ name }) => name === 'offer' || name === 'answer')
          .map(({ name, command }) => [
            name,
            textOf(command, 'to-tag'),
            /^m=audio \d+ \S+ (.*)\r$/m.exec(textOf(command, 'sdp'))?.[1],
          ]),
        [
          ['offer', 'l_one', '0'],
          ['offer', 'l_other', '8'],
          ['offer', 'l_one', '0'],
          ['answer', 'l_one', '0'],
          ['offer', 'l_other', '8'],
          ['answer', 'l_other', '8'],
          ['offer', 'l_one', '0'],
          ['answer', 'l_one', '0'],
        ],
      );
    });

    it('answers the same answer with the same SDP, and tells it once', async () => {
      const session = open();
      const { toBrowser } = await connect(session);
      assert.equal(await session.answer('l_phone', 'l_browser', pbx), toBrowser);
      assert.equal(one.commands('answer').length, 1);
    });

    it('refuses with 503 when rtpengine has no ports left', async () => {
      one.script.set('offer', () => ({ result: 'error', 'error-reason': 'Ran out of ports' }));
      await assert.rejects(offer(open()), refused('media.no_ports'));
    });

    for (const [what, sdp] of [
      ['no SDP', undefined],
      ['SDP that cannot be read', 'v=1'],
      ['SDP without ports', 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n'],
    ] as const) {
      it(`fails the call when rtpengine gives ${what}`, async () => {
        one.script.set('offer', () => ({ result: 'ok', ...(sdp === undefined ? {} : { sdp }) }));
        const session = open();
        await assert.rejects(offer(session), refused('media.failed'));
        session.close();
        await engine.close();
        assert.equal(one.commands('delete').length, 1);
      });
    }

    it('does not take sessions, offers or ends after close', async () => {
      const session = open();
      session.close();
      await assert.rejects(offer(session), refused('media.failed'));
      assert.throws(() => session.addEnd('l_late', { profile: 'plain' }), refused('media.failed'));
      await engine.close();
      assert.throws(() => engine.createSession('c_late', timeouts), refused('media.failed'));
    });
  });

  describe('with two instances', () => {
    it('gives new calls by weight', async () => {
      const instances = [
        { address: one.address, weight: 3 },
        { address: other.address, weight: 1 },
      ];
      engine = rtpengineEngine(instances, servers);
      for (let call = 0; call < 12; call += 1) await offer(open(`c_${call}`));
      assert.deepEqual([one.commands('offer').length, other.commands('offer').length], [9, 3]);
    });

    it('keeps a call with its instance', async () => {
      engine = rtpengineEngine(both(), servers);
      const session = open();
      await connect(session);
      const [mine, theirs] = one.commands('offer').length === 1 ? [one, other] : [other, one];
      await session.offer('l_phone', 'l_browser', pbx.replace('m=audio 4000', 'm=audio 5000'));
      await session.answer('l_browser', 'l_phone', browserOffer.replace('actpass', 'active'));
      session.close();
      await engine.close();
      assert.deepEqual(
        ['offer', 'answer', 'delete'].map((name) => mine.commands(name).length),
        [2, 2, 1],
      );
      assert.deepEqual(theirs.commands('offer'), []);
    });

    const failures: Readonly<Record<string, () => { result: string; [key: string]: string } | undefined>> = {
      'is silent': () => undefined,
      'has reached its load limit': () => ({ result: 'load limit', message: 'too many' }),
      refuses: () => ({ result: 'error', 'error-reason': 'Ran out of ports' }),
      'answers nonsense': () => ({ result: 'well' }),
    };
    for (const [what, reply] of Object.entries(failures)) {
      it(`passes a new call on when the instance ${what}, and deletes it there`, async () => {
        engine = rtpengineEngine(both(), servers, { offerMs: 500 });
        one.script.set('offer', reply);
        const sessions = [open('c_1'), open('c_2')];
        for (const session of sessions) await connect(session);
        assert.equal(other.commands('answer').length, 2);
        assert.deepEqual(
          servers.seen.filter((event) => event.startsWith('passed over')),
          [`passed over ${one.name}`],
        );
        await one.got('delete');
        assert.equal(one.commands('delete')[0]?.get('call-id'), one.commands('offer')[0]?.get('call-id'));
      });
    }

    it('refuses a new call with 503 and Retry-After when no instance answers', async () => {
      engine = rtpengineEngine(
        [
          { address: { host: '127.0.0.1', port: await freePort() }, weight: 1 },
          { address: { host: '127.0.0.1', port: await freePort() }, weight: 1 },
        ],
        servers,
      );
      const isDown = (thrown: unknown): boolean =>
        thrown instanceof SipFailure &&
        thrown.code === 'media.engine_down' &&
        thrown.status === 503 &&
        thrown.headers.some(([name]) => name === 'Retry-After');
      await assert.rejects(offer(open()), isDown);
      await until(() => servers.seen.filter((event) => event.startsWith('down')).length === 2);
      await assert.rejects(offer(open('c_2')), isDown);
      assert.equal(servers.seen.filter((event) => event === 'unavailable').length, 2);
    });

    it('gives no new calls to an instance that is silent, and again when it answers', async () => {
      engine = rtpengineEngine(both(), servers, { pingEveryMs: 100, pingDeadlineMs: 100 });
      await Promise.all([servers.told(`up ${one.name}`), servers.told(`up ${other.name}`)]);
      one.script.set('ping', () => undefined);
      await servers.told(`down ${one.name}`);
      for (let call = 0; call < 4; call += 1) await offer(open(`c_${call}`));
      assert.equal(other.commands('offer').length, 4);
      const since = servers.seen.length;
      one.script.delete('ping');
      await servers.told(`up ${one.name}`, since);
      for (let call = 4; call < 8; call += 1) await offer(open(`c_${call}`));
      assert.ok(one.commands('offer').length > 0);
    });

    it('lets one lost ping pass', async () => {
      let lost = 0;
      one.script.set('ping', (received) => ((lost += 1) <= 1 ? undefined : one.usual(received)));
      engine = rtpengineEngine([{ address: one.address, weight: 1 }], servers, { pingDeadlineMs: 100 });
      await servers.told(`up ${one.name}`);
      assert.deepEqual(servers.seen, [`up ${one.name}`]);
    });
  });
});
