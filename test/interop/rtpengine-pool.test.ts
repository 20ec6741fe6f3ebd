import assert from 'node:assert/strict';
import type { RtpengineEngine } from '../../sip/media/rtpengine/rtpengine-engine.js';
import { TimeoutRecord, until } from '../support/media-session.js';
import { requirePeer } from '../support/peers.js';
import { Rtpengine } from '../support/rtpengine.js';
import { MediaServerRecord, rtpengineEngine, ToneBrowser } from '../support/rtpengine-rig.js';
import { TonePhone } from '../support/tone-phone.js';

const browserHz = 450;
const phoneHz = 1_000;

describe('two rtpengines', function () {
  this.timeout(30_000);
  let program: string;
  let servers: Rtpengine[] = [];
  let engine: RtpengineEngine;
  const open: { close(): void }[] = [];

  before(function () {
    program = requirePeer(this, 'rtpengine');
  });

  beforeEach(async () => {
    servers = [await Rtpengine.start(program), await Rtpengine.start(program)];
  });

  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    await engine.close();
    for (const server of servers) await server.kill();
  });

  const start = (
    record: MediaServerRecord,
    options?: Parameters<typeof rtpengineEngine>[2],
  ): RtpengineEngine =>
    rtpengineEngine(
      servers.map(({ address }) => ({ address, weight: 1 })),
      record,
      options,
    );

  /** A call with audio both ways. */
  const connect = async (timeouts: TimeoutRecord): Promise<() => Promise<unknown>> => {
    const session = engine.createSession('c_pair', timeouts);
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain' });
    const browser = new ToneBrowser(browserHz);
    const phone = await TonePhone.start(phoneHz);
    open.push(browser, phone);
    const toPhone = await session.offer('l_browser', 'l_phone', await browser.offer());
    browser.peer.takeAnswer(await session.answer('l_phone', 'l_browser', phone.sdp()));
    phone.speakTo(toPhone);
    await browser.speak();
    return () => Promise.all([browser.waitForTone(phoneHz), phone.waitForTone(browserHz)]);
  };

  const calls = (): Promise<number[]> => Promise.all(servers.map((server) => server.calls()));

  it('share the calls; when one is killed its calls end, new ones go to the other, and it is used again', async () => {
    const record = new MediaServerRecord();
    engine = start(record);
    const ended = [new TimeoutRecord(), new TimeoutRecord()];
    for (const timeouts of ended) await (await connect(timeouts))();
    assert.deepEqual(await calls(), [1, 1]);

    const [first, second] = servers;
    assert.ok(first !== undefined && second !== undefined);
    await first.kill();
    await record.told(`down 127.0.0.1:${first.port}`);
    await until(() => ended.some(({ timeouts }) => timeouts.length > 0));
    assert.deepEqual(
      ended.flatMap(({ timeouts }) => timeouts.map(({ failure }) => failure.code)),
      ['media.engine_lost'],
      'one call ends, the other goes on',
    );

    for (let call = 0; call < 2; call += 1) await (await connect(new TimeoutRecord()))();
    assert.equal(await second.calls(), 3);

    const since = record.seen.length;
    servers[0] = await Rtpengine.start(program, { port: first.port });
    await record.told(`up 127.0.0.1:${first.port}`, since);
    for (let call = 0; call < 2; call += 1) await (await connect(new TimeoutRecord()))();
    assert.ok((await servers[0].calls()) > 0);
    assert.equal(ended.flatMap(({ timeouts }) => timeouts).length, 1);
  });

  it('ends a call whose rtpengine was killed and started again before anybody noticed', async () => {
    engine = rtpengineEngine(
      servers.map(({ address }) => ({ address, weight: 1 })),
      new MediaServerRecord(),
      { pingEveryMs: 60_000 },
    );
    const timeouts = new TimeoutRecord();
    await (
      await connect(timeouts)
    )();
    const at = (await calls()).indexOf(1);
    const port = servers[at]?.port ?? 0;
    await servers[at]?.kill();
    servers[at] = await Rtpengine.start(program, { port });
    await until(() => timeouts.timeouts.length > 0);
    assert.equal(timeouts.timeouts[0]?.failure.code, 'media.engine_lost');
  });

  it('are cleaned of the calls of a process that ended without a word', async () => {
    const before = new MediaServerRecord();
    engine = start(before);
    for (let call = 0; call < 4; call += 1) await (await connect(new TimeoutRecord()))();
    assert.deepEqual(await calls(), [2, 2]);
    const crashed = engine;
    const after = new MediaServerRecord();
    engine = start(after);
    engine.cleanUp();
    for (const { port } of servers) await after.told(`deleted 2 in 127.0.0.1:${port}`);
    assert.deepEqual(await calls(), [0, 0]);
    await crashed.close();
  });

  it('carry a thousand calls, set up and torn down, and keep nothing', async () => {
    engine = start(new MediaServerRecord(), { pingDeadlineMs: 5_000, pingEveryMs: 1_000 });
    const phone = await TonePhone.start(phoneHz);
    open.push(phone);
    for (let round = 0; round < 100; round += 1) {
      const sessions = Array.from({ length: 10 }, (_, index) =>
        engine.createSession(`c_${round}_${index}`, new TimeoutRecord()),
      );
      await Promise.all(
        sessions.map(async (session) => {
          session.addEnd('l_caller', { profile: 'plain' });
          session.addEnd('l_callee', { profile: 'plain' });
          await session.offer('l_caller', 'l_callee', phone.sdp());
          await session.answer('l_callee', 'l_caller', phone.sdp());
        }),
      );
      for (const session of sessions) session.close();
    }
    await engine.close();
    assert.deepEqual(engine.sizes(), { sessions: 0, ends: 0, ending: 0, commands: 0 });
    assert.deepEqual(await calls(), [0, 0]);
  });
});
