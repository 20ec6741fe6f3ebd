import assert from 'node:assert/strict';
import { SipFailure } from '../../../sip/failure.js';
import { Channels, type ChannelLimits, type Release } from '../../../gateway/trunk/channels.js';
import { FakeClock } from '../../support/fake-clock.js';
import { numbersFrom } from '../../support/seeded-random.js';

const refusals = { full: 'limit.trunk_channels', tooFast: 'limit.trunk_rate' } as const;

describe('channels', () => {
  const clock = new FakeClock();
  const channelsOf = (limits: ChannelLimits): Channels => new Channels(limits, refusals, clock);
  const codeOf = (taken: Release | SipFailure): string =>
    taken instanceof SipFailure ? taken.code : 'taken';
  const taken = (result: Release | SipFailure): Release =>
    result instanceof SipFailure ? assert.fail(result.code) : result;

  it('are counted in both directions together', () => {
    const channels = channelsOf({ channels: 2 });
    const release = taken(channels.take('in', false));
    taken(channels.take('out', false));
    assert.deepEqual(channels.inUse, { in: 1, out: 1 });
    assert.equal(codeOf(channels.take('in', false)), 'limit.trunk_channels');
    assert.equal(codeOf(channels.take('out', false)), 'limit.trunk_channels');
    release();
    assert.equal(codeOf(channels.take('out', false)), 'taken');
  });

  it('are given back once, however often it is said', () => {
    const channels = channelsOf({ channels: 2 });
    const release = taken(channels.take('in', false));
    taken(channels.take('in', false));
    release();
    release();
    assert.equal(channels.size, 1);
  });

  it('are refused to calls that come too fast, until some time has passed', () => {
    const channels = channelsOf({ cps: 4 });
    for (let call = 0; call < 4; call += 1) taken(channels.take('out', false));
    assert.equal(codeOf(channels.take('out', false)), 'limit.trunk_rate');
    clock.advance(250);
    taken(channels.take('out', false));
    assert.equal(codeOf(channels.take('out', false)), 'limit.trunk_rate');
    clock.advance(60_000);
    for (let call = 0; call < 4; call += 1) taken(channels.take('out', false));
    assert.equal(codeOf(channels.take('out', false)), 'limit.trunk_rate');
  });

  it('do not count as fast when no call has come of them', () => {
    const channels = channelsOf({ channels: 1, cps: 1 });
    taken(channels.take('out', false))('unused');
    assert.equal(channels.size, 0);
    taken(channels.take('out', false))();
    assert.equal(codeOf(channels.take('out', false)), 'limit.trunk_rate');
  });

  it('are there for an emergency whatever the limits say', () => {
    const channels = channelsOf({ channels: 1, cps: 1 });
    taken(channels.take('out', false));
    assert.equal(codeOf(channels.take('out', true)), 'taken');
    assert.equal(channels.size, 2);
  });

  it('follow new limits, and keep the calls that are up', () => {
    const channels = channelsOf({ channels: 5 });
    taken(channels.take('out', false));
    channels.renew({ channels: 1 });
    assert.equal(codeOf(channels.take('out', false)), 'limit.trunk_channels');
    assert.equal(channels.size, 1);
  });

  it('are all given back whatever becomes of the calls', () => {
    const random = numbersFrom(7);
    const channels = channelsOf({ channels: 10, cps: 50 });
    const held: Release[] = [];
    for (let step = 0; step < 5_000; step += 1) {
      clock.advance(Math.floor(random() * 40));
      const result = channels.take(random() < 0.5 ? 'in' : 'out', random() < 0.01);
      if (!(result instanceof SipFailure)) held.push(result);
      while (held.length > 0 && random() < 0.5) {
        const [release] = held.splice(Math.floor(random() * held.length), 1);
        release?.();
        if (random() < 0.2) release?.();
      }
      assert.equal(channels.size, held.length);
    }
    for (const release of held) release();
    assert.deepEqual(channels.inUse, { in: 0, out: 0 });
  });
});
