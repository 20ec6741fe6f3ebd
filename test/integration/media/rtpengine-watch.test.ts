import assert from 'node:assert/strict';
import type { MediaSession } from '../../../sip/media/media-engine.js';
import type { RtpengineEngine } from '../../../sip/media/rtpengine/rtpengine-engine.js';
import { FakeClock } from '../../support/fake-clock.js';
import { TimeoutRecord, until } from '../../support/media-session.js';
import { MediaServerRecord, rtpengineEngine } from '../../support/rtpengine-rig.js';
import { ScriptedRtpengine, textOf } from '../../support/scripted-rtpengine.js';
import { fixture, pbxSdp } from '../../support/sdp-fixtures.js';

const pbx = pbxSdp('0 101', ['a=rtpmap:101 telephone-event/8000']);
const browserOffer = fixture('audio-offer');

describe('rtpengine engine over time', () => {
  let one: ScriptedRtpengine;
  let engine: RtpengineEngine;
  let servers: MediaServerRecord;
  let timeouts: TimeoutRecord;

  beforeEach(async () => {
    one = await ScriptedRtpengine.start();
    servers = new MediaServerRecord();
    timeouts = new TimeoutRecord();
  });

  afterEach(async () => {
    await engine.close();
    assert.deepEqual(engine.sizes(), { sessions: 0, ends: 0, ending: 0, commands: 0 });
    await one.close();
  });

  const open = (callId = 'c_1'): MediaSession => {
    const session = engine.createSession(callId, timeouts);
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain' });
    return session;
  };

  const offer = (session: MediaSession): Promise<string> =>
    session.offer('l_browser', 'l_phone', browserOffer);

  const connect = async (session: MediaSession): Promise<void> => {
    await offer(session);
    await session.answer('l_phone', 'l_browser', pbx);
  };

  describe('cleans up', () => {
    const left = ['wt-other-1-m_1', 'someone else', 'wt-'];
    const ownPrefix = async (): Promise<string> => {
      await offer(open());
      const id = textOf(one.commands('offer')[0] ?? new Map(), 'call-id');
      return id.slice(0, id.indexOf('-', 'wt-'.length) + 1);
    };

    it('after a restart: calls of an earlier process are deleted, others and open ones are not', async () => {
      engine = rtpengineEngine([{ address: one.address, weight: 1 }], servers);
      const prefix = await ownPrefix();
      await engine.close();
      let orphans = Array.from({ length: 3 }, (_, index) => `${prefix}old-m_${index}`);
      const again = await ScriptedRtpengine.start();
      again.script.set('list', () => ({ result: 'ok', calls: [...left, ...orphans] }));
      again.script.set('delete', ({ command }) => {
        orphans = orphans.filter((id) => id !== command.get('call-id'));
        return { result: 'ok' };
      });
      engine = rtpengineEngine([{ address: again.address, weight: 1 }], servers);
      await servers.told(`up ${again.name}`);
      assert.equal(again.commands('list').length, 0, 'the earlier process may be up still');
      engine.cleanUp();
      await servers.told(`deleted 3 in ${again.name}`);
      assert.deepEqual(orphans, []);
      assert.equal(again.commands('delete').length, 3);
      await engine.close();
      await again.close();
    });

    it('when an instance comes back: what it still has of ours and nobody knows', async () => {
      engine = rtpengineEngine([{ address: one.address, weight: 1 }], servers, {
        pingEveryMs: 100,
        pingDeadlineMs: 100,
        deleteMs: 200,
        lostAfterMs: 60_000,
      });
      engine.cleanUp();
      const session = open();
      await connect(session);
      const kept = open('c_2');
      await connect(kept);
      const ids = one.commands('offer').map((command) => textOf(command, 'call-id'));
      for (const name of ['ping', 'delete', 'query']) one.script.set(name, () => undefined);
      one.script.set('list', () => ({ result: 'ok', calls: ids }));
      session.close();
      await servers.told(`down ${one.name}`);
      for (const name of ['ping', 'delete', 'query']) one.script.delete(name);
      await servers.told(`deleted 1 in ${one.name}`);
      assert.equal(one.commands('delete').at(-1)?.get('call-id'), ids[0]);
    });
  });

  describe('watches for lost media', () => {
    let clock: FakeClock;
    let counts: { browser: number; phone: number };

    const tick = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        clock.advance(1_000);
        // Commands travel by real sockets: let them begin, and then come back.
        for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        await until(() => engine.sizes()['commands'] === 0);
      }
    };

    const end = (packets: number, ssrc: number): object => ({
      medias: [{ streams: [{ SSRC: ssrc, stats: { packets, bytes: packets * 172, errors: 1 } }] }],
    });

    const watching = async (pingEveryMs: number): Promise<void> => {
      const options = {
        timeoutMs: 10_000,
        restartGraceMs: 6_000,
        startMs: 30_000,
        lostAfterMs: 4_000,
        pingEveryMs,
      };
      engine = rtpengineEngine([{ address: one.address, weight: 1 }], servers, options, clock);
      await servers.told(`up ${one.name}`);
    };

    beforeEach(async () => {
      clock = new FakeClock();
      counts = { browser: 0, phone: 0 };
      one.script.set('query', () => ({
        result: 'ok',
        tags: { l_browser: end(counts.browser, 11) as never, l_phone: end(counts.phone, 22) as never },
        SSRC: {
          '22': { 'average MOS': { MOS: 43, 'packet loss': 2, jitter: 7, 'round-trip time': 31_000 } },
        },
      }));
      await watching(1_000_000);
    });

    it('tells once when no packet came in either direction', async () => {
      const session = engine.createSession('c_1', timeouts);
      session.addEnd('l_browser', { profile: 'plain' });
      session.addEnd('l_phone', { profile: 'plain' });
      await session.offer('l_browser', 'l_phone', pbx);
      await tick(20);
      assert.equal(timeouts.timeouts.length, 0, 'nothing is expected before an answer');
      await session.answer('l_phone', 'l_browser', pbx);
      counts.phone = 5;
      await tick(8);
      assert.equal(timeouts.timeouts.length, 0);
      await tick(30);
      assert.deepEqual(
        timeouts.timeouts.map(({ failure }) => failure.code),
        ['media.timeout'],
      );
    });

    it('waits longer for the first packet: a phone may ring for minutes after its early media was agreed on', async () => {
      await connect(open());
      await tick(29);
      assert.equal(timeouts.timeouts.length, 0);
      await tick(10);
      assert.deepEqual(
        timeouts.timeouts.map(({ failure }) => failure.code),
        ['media.timeout'],
      );
    });

    it('tells when a browser sends nothing more, though the phone does', async () => {
      await connect(open());
      counts.browser = 20;
      await tick(6);
      for (let second = 0; second < 12; second += 1) {
        counts.phone += 50;
        await tick(1);
      }
      assert.deepEqual(
        timeouts.timeouts.map(({ endId, failure }) => [endId, failure.code, failure.party]),
        [['l_browser', 'media.timeout', 'caller']],
      );
    });

    it('expects nothing while a side is on hold', async () => {
      const session = open();
      await offer(session);
      await session.answer('l_phone', 'l_browser', `${pbx}a=inactive\r\n`);
      await tick(40);
      assert.deepEqual(timeouts.timeouts, []);
    });

    it('ends a call that rtpengine does not know any more', async () => {
      await connect(open());
      one.script.set('query', () => ({ result: 'error', 'error-reason': 'Unknown call-id' }));
      await tick(3);
      assert.deepEqual(
        timeouts.timeouts.map(({ failure }) => [failure.code, failure.status]),
        [['media.engine_lost', 503]],
      );
    });

    it('ends the calls of an instance that stays away', async () => {
      await engine.close();
      await watching(1_000);
      await connect(open());
      await one.close();
      for (let second = 0; second < 10; second += 1) {
        clock.advance(1_000);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      assert.deepEqual(
        timeouts.timeouts.map(({ failure }) => failure.code),
        ['media.engine_lost'],
      );
      await engine.close();
      one = await ScriptedRtpengine.start();
    });

    it('reports what rtpengine has counted of each end', async () => {
      const session = open();
      await connect(session);
      counts = { browser: 100, phone: 50 };
      assert.deepEqual(await session.finalStats?.(), [
        {
          endId: 'l_browser',
          packetsReceived: 100,
          bytesReceived: 17_200,
          packetsDropped: 1,
          codec: 'PCMU',
          quality: { packetLoss: 2, jitterMs: 7, roundTripMs: 31, mos: 4.3 },
        },
        { endId: 'l_phone', packetsReceived: 50, bytesReceived: 8_600, packetsDropped: 1, codec: 'PCMU' },
      ]);
    });
  });
});
