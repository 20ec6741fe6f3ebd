import assert from 'node:assert/strict';
import { requirePeer } from '../support/peers.js';
import { Rtpengine } from '../support/rtpengine.js';
import { killCases } from './kill-run.js';
import { killTable, killWithCallsUp, type KillOutcome } from './kill.js';

const calls = 20;
/** Of 20 calls: every tenth browser stays away, and one call may last for some seconds only. */
const goingOn = 17;
describe('calls that are up when webtrunk is killed and started again, in the short form', function () {
  this.timeout(120_000);
  let server: Rtpengine | undefined;
  let outcomes: readonly KillOutcome[];

  before(async function () {
    const redis = requirePeer(this, 'redis-server');
    server = await Rtpengine.start(requirePeer(this, 'rtpengine'), {
      mediaPorts: { min: 32_100, max: 32_400 },
    });
    outcomes = await killWithCallsUp({
      calls,
      graceSeconds: 3,
      programs: { redis, ng: server.port },
      cases: killCases,
    });
    process.stdout.write(`${killTable(outcomes)}\n`);
  });

  after(() => server?.stop());

  const outcome = (engine: string, store: string, media = 'rtpengine'): KillOutcome => {
    const found = outcomes.find(
      (each) => each.engine === engine && each.store === store && each.media === media,
    );
    assert.ok(found !== undefined);
    return found;
  };

  it('leave no ghost at the PBX or in the browser, and nothing in the gateway', () => {
    for (const { engine, store, ghosts, left } of outcomes)
      assert.deepEqual([ghosts, left], [0, ''], `${engine} ${store}`);
  });

  it('go on with a store; those whose browser stays away, or whose time is over, are ended with BYE', () => {
    for (const engine of ['embedded', 'drachtio']) {
      const { wentOn, heldWentOn, endedByUs, endedWhenAsked, codes } = outcome(engine, 'redis');
      assert.deepEqual([wentOn, heldWentOn, endedByUs, endedWhenAsked], [goingOn, 4, 3, 0]);
      assert.match(codes, /endpoint\.lost 2/);
      assert.match(codes, /call\.max_duration 1/);
    }
    assert.equal(outcome('embedded', 'redis').unheard, 0);
  });

  it('leave one CDR each with a store', () => {
    for (const { store, cdrs } of outcomes) assert.equal(cdrs, store === 'redis' ? calls : 0);
  });

  it('are ended on both sides with a store when their media ends with the process', () => {
    const { wentOn, endedByUs, codes } = outcome('embedded', 'redis', 'relay');
    assert.deepEqual([wentOn, endedByUs, codes], [0, calls, `gateway.crashed ${calls}`]);
  });

  it('are ended by the journal of drachtio-server without a store', () => {
    const { wentOn, endedByUs } = outcome('drachtio', 'memory');
    assert.deepEqual([wentOn, endedByUs], [0, calls]);
  });

  it('are told to be over when the PBX asks, without anything that outlives the process', () => {
    for (const media of ['rtpengine', 'relay']) {
      const { wentOn, endedWhenAsked } = outcome('embedded', 'memory', media);
      assert.deepEqual([wentOn, endedWhenAsked], [0, calls]);
    }
  });
});
