import assert from 'node:assert/strict';
import type { RelayEngine } from '../../sip/media/relay/relay-engine.js';
import { CallPage } from '../support/call-page.js';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { relayOnLoopback, TimeoutRecord } from '../support/media-session.js';
import { requirePeer } from '../support/peers.js';
import { VideoLine } from '../support/video-line.js';

const [callerHz, calleeHz] = [440, 1_000];
const lookEveryMs = 50;

/** The m-lines of a description, in order, with those that are off named as such. */
const linesOf = (sdp: string): readonly string[] =>
  [...sdp.matchAll(/^m=(\w+) (\d+)/gm)].map(([, kind = '', port]) => (port === '0' ? `no ${kind}` : kind));

const audioAlone = (sdp: string): string => sdp.replace(/^m=video \d+/m, 'm=video 0');

describe('video through the embedded relay', function () {
  this.timeout(20_000);
  let browser: TestBrowser;
  let engine: RelayEngine;
  let caller: CallPage;
  let callee: CallPage;
  const timeouts = new TimeoutRecord();

  before(async function () {
    browser = await launchChromium(requirePeer(this, 'chromium'), callerHz);
    caller = await CallPage.open(browser, callerHz, 'PCMU');
    callee = await CallPage.open(browser, calleeHz, 'PCMU');
  });

  after(async () => browser?.close());

  beforeEach(async () => {
    engine = relayOnLoopback();
    await Promise.all([caller.begin(), callee.begin()]);
  });

  afterEach(async () => {
    await engine.close();
    assert.deepEqual(engine.sizes(), { sessions: 0, ends: 0, portPairs: 0 });
    assert.deepEqual(timeouts.timeouts, []);
  });

  const ports = (): number | undefined => engine.sizes()['portPairs'];

  const hearEachOther = (): Promise<unknown> => Promise.all([caller.hears(calleeHz), callee.hears(callerHz)]);

  /** Resolves once more pictures than now are decoded. */
  const sees = async (page: CallPage): Promise<void> => {
    const before = await page.pictures();
    while ((await page.pictures()) < before + 5)
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  };

  const meet = (): Promise<unknown> => Promise.all([hearEachOther(), sees(caller), sees(callee)]);

  const lines = [
    ['between two browsers', () => VideoLine.direct(engine, timeouts, [caller, callee]), 2, 2],
    ['between a browser and a PBX', () => VideoLine.overPlain(engine, timeouts, [caller, callee]), 4, 6],
  ] as const;

  for (const [where, begin, pairsOfAudio, pairsOfVideo] of lines) {
    describe(where, () => {
      it('is there from the first offer', async () => {
        assert.deepEqual(linesOf(await begin().exchange({ video: true })), ['audio', 'video']);
        await meet();
        assert.equal(ports(), pairsOfVideo);
      });

      for (const [who, isBack] of [
        ['who called', false],
        ['who was called', true],
      ] as const) {
        it(`comes, goes and comes again in a call when ${who} wants it, and its ports with it`, async () => {
          const line = begin();
          assert.deepEqual(linesOf(await line.exchange()), ['audio']);
          await hearEachOther();
          assert.equal(ports(), pairsOfAudio);
          await line.exchange({ video: true }, isBack);
          await meet();
          assert.equal(ports(), pairsOfVideo);
          assert.deepEqual(linesOf(await line.exchange({ video: false }, isBack)), ['audio', 'no video']);
          await hearEachOther();
          assert.equal(ports(), pairsOfAudio);
          await line.exchange({ video: true }, isBack);
          await meet();
        });
      }

      it('survives an ICE restart', async () => {
        const line = begin();
        await line.exchange({ video: true });
        await meet();
        await line.exchange({ restartIce: true });
        await meet();
      });

      it('is answered with port 0 when the other side refuses it, and the audio goes on', async () => {
        const line = begin();
        await line.exchange();
        assert.deepEqual(linesOf(await line.exchange({ video: true }, false, audioAlone)), [
          'audio',
          'no video',
        ]);
        await hearEachOther();
        assert.equal(ports(), pairsOfAudio);
      });
    });
  }

  it('is not offered to a PBX whose trunk takes none', async () => {
    const line = VideoLine.overPlain(engine, timeouts, [caller, callee], []);
    assert.deepEqual(linesOf(await line.exchange({ video: true })), ['audio', 'no video']);
    await hearEachOther();
    assert.equal(ports(), 4);
  });

  it('is H.264 when the trunk takes that alone', async () => {
    const line = VideoLine.overPlain(engine, timeouts, [caller, callee], ['H264']);
    assert.match(await line.exchange({ video: true }), /^a=rtpmap:\d+ H264\/90000\r$/m);
    await meet();
  });
});
