import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DeadHops } from '../../../sip/engine/resolve/dead-hops.js';
import { DnsCache, type DnsAnswer } from '../../../sip/engine/resolve/dns-cache.js';
import type { Hop } from '../../../sip/engine/resolve/hop.js';
import { orderServers } from '../../../sip/engine/resolve/srv-order.js';
import { silentLog } from '../../../sip/log.js';
import { FakeClock } from '../../support/fake-clock.js';

const record = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  port: fc.integer({ min: 1, max: 65_535 }),
  priority: fc.integer({ min: 0, max: 3 }),
  weight: fc.integer({ min: 0, max: 3 }),
});

describe('SRV records', () => {
  it('are all tried, by priority, whatever the dice say', () => {
    fc.assert(
      fc.property(fc.array(record), fc.nat(), (records, seed) => {
        const ordered = orderServers(records, (below) => seed % below);
        const priorities = ordered.map(({ priority }) => priority);
        assert.deepEqual(
          priorities,
          [...priorities].sort((one, other) => one - other),
        );
        assert.deepEqual(new Set(ordered), new Set(records));
        assert.equal(ordered.length, records.length);
      }),
    );
  });

  it('of weight 0 are last unless the dice show 0', () => {
    const weighted = { name: 'a', port: 1, priority: 0, weight: 1 };
    const idle = { name: 'b', port: 1, priority: 0, weight: 0 };
    assert.deepEqual(
      orderServers([weighted, idle], () => 1),
      [weighted, idle],
    );
    assert.deepEqual(
      orderServers([weighted, idle], () => 0),
      [idle, weighted],
    );
  });
});

describe('a dead hop', () => {
  const hop = (port: number): Hop => ({ transport: 'udp', address: '192.0.2.1', port, name: 'pbx' });

  it('is tried last for 30 s, or until it answers', () => {
    const clock = new FakeClock();
    const dead = new DeadHops(clock);
    const hops = [hop(1), hop(2)];
    dead.bury(hop(1));
    assert.deepEqual(dead.last(hops), [hop(2), hop(1)]);
    dead.revive(hop(1));
    assert.deepEqual(dead.last(hops), hops);
    dead.bury(hop(1));
    clock.advance(30_001);
    assert.deepEqual(dead.last(hops), hops);
    assert.equal(dead.size, 0);
  });

  it('is forgotten when there are too many', () => {
    const dead = new DeadHops(new FakeClock());
    for (let port = 1; port <= 1_500; port += 1) dead.bury(hop(port));
    assert.equal(dead.size, 1_000);
    assert.equal(dead.has(hop(1)), false);
    assert.equal(dead.has(hop(1_500)), true);
  });
});

describe('the DNS cache', () => {
  type Ask = (name: string) => Promise<DnsAnswer<string>>;

  const cacheOf = (ask: Ask) => {
    const clock = new FakeClock();
    let asked = 0;
    const counted: Ask = (name) => {
      asked += 1;
      return ask(name);
    };
    const cache = new DnsCache(counted, clock, silentLog);
    const find = (name: string) => new Promise<readonly string[]>((resolve) => cache.find(name, resolve));
    return { clock, cache, find, asked: () => asked };
  };

  const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }));

  it('asks the same question once at a time, and keeps the answer as long as it holds', async () => {
    const { clock, find, asked } = cacheOf(() => Promise.resolve({ items: ['192.0.2.1'], ttlMs: 60_000 }));
    assert.deepEqual(await Promise.all([find('pbx'), find('PBX')]), [['192.0.2.1'], ['192.0.2.1']]);
    assert.equal(asked(), 1);
    clock.advance(59_999);
    await find('pbx');
    assert.equal(asked(), 1);
    clock.advance(2);
    await find('pbx');
    assert.equal(asked(), 2);
  });

  it('remembers for 30 s that a name does not exist', async () => {
    const { clock, find, asked } = cacheOf(failing('ENOTFOUND'));
    assert.deepEqual(await find('nowhere'), []);
    clock.advance(29_000);
    await find('nowhere');
    assert.equal(asked(), 1);
    clock.advance(1_001);
    await find('nowhere');
    assert.equal(asked(), 2);
  });

  it('asks again after 5 s when no server answered', async () => {
    const { clock, find, asked } = cacheOf(failing('ETIMEOUT'));
    await find('pbx');
    clock.advance(5_001);
    await find('pbx');
    assert.equal(asked(), 2);
  });

  it('calls back at once when the answer is known', async () => {
    const { cache, find } = cacheOf(() => Promise.resolve({ items: ['192.0.2.1'] }));
    await find('pbx');
    let isCalled = false;
    cache.find('pbx', () => (isCalled = true));
    assert.equal(isCalled, true);
  });
});
