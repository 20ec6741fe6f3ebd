import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { ConnectionGuard } from '../../../gateway/edge/connection-guard.js';
import { FakeClock } from '../../support/fake-clock.js';

class Connection extends Socket {
  constructor(
    override readonly remoteAddress: string,
    override readonly remotePort: number,
  ) {
    super();
  }
}

describe('ConnectionGuard', () => {
  let clock: FakeClock;
  let guard: ConnectionGuard;
  let cuts: (readonly [remote: string, cause: string])[];

  beforeEach(() => {
    clock = new FakeClock();
    cuts = [];
    guard = new ConnectionGuard({
      clock,
      firstRequestWithinMs: 10_000,
      isProxy: (address) => address === '198.51.100.1',
      cut: (remote, cause) => cuts.push([remote, cause]),
      maxPerAddress: 2,
      maxInAll: 4,
    });
  });

  it('cuts a connection that sends no request in time, and none that does', () => {
    const [silent, polite] = [new Connection('192.0.2.1', 1), new Connection('192.0.2.1', 2)];
    guard.admit(silent);
    guard.admit(polite);
    guard.release(new Connection('192.0.2.1', 2));
    clock.advance(9_999);
    guard.sweep();
    assert.equal(silent.destroyed, false);
    clock.advance(1);
    guard.sweep();
    assert.deepEqual([silent.destroyed, polite.destroyed, guard.size], [true, false, 0]);
  });

  it('cuts one connection too many of an address at once, until others have gone', () => {
    const all = [1, 2, 3].map((port) => new Connection('192.0.2.1', port));
    for (const connection of all) guard.admit(connection);
    const elsewhere = new Connection('192.0.2.2', 1);
    guard.admit(elsewhere);
    assert.deepEqual(
      [...all, elsewhere].map(({ destroyed }) => destroyed),
      [false, false, true, false],
    );
    all[0]?.destroy();
    guard.sweep();
    const next = new Connection('192.0.2.1', 4);
    guard.admit(next);
    assert.equal(next.destroyed, false);
    guard.close();
    assert.equal(next.destroyed, true);
    assert.equal(guard.size, 0);
  });

  it('counts the /64 of an IPv6 address, and a mapped IPv4 address as that one', () => {
    const all = [
      new Connection('2001:db8:0:1::1', 1),
      new Connection('2001:db8::1:0:0:0:2', 1),
      new Connection('2001:db8:0:1:ffff::3', 1),
      new Connection('2001:db8:0:2::1', 1),
    ];
    for (const connection of all) guard.admit(connection);
    assert.deepEqual(
      all.map(({ destroyed }) => destroyed),
      [false, false, true, false],
    );
    assert.deepEqual(cuts, [['[2001:db8:0:1:ffff::3]:1', 'too_many_silent']]);
    for (const connection of all) guard.release(connection);
    const mapped = ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1'].map(
      (address, at) => new Connection(address, at),
    );
    for (const connection of mapped) guard.admit(connection);
    assert.deepEqual(
      mapped.map(({ destroyed }) => destroyed),
      [false, false, true],
    );
    guard.close();
  });

  it('cuts the one that has waited longest when there are too many in all, never the one that comes', () => {
    const all = [1, 2, 3, 4, 5, 6].map((host) => new Connection(`192.0.2.${host}`, 1));
    for (const connection of all.slice(0, 4)) guard.admit(connection);
    all[0]?.destroy();
    for (const connection of all.slice(4)) guard.admit(connection);
    assert.deepEqual(
      all.map(({ destroyed }) => destroyed),
      [true, true, false, false, false, false],
    );
    assert.deepEqual(cuts, [['192.0.2.2:1', 'crowded_out']]);
    assert.equal(guard.size, 4);
    guard.release(new Connection('192.0.2.3', 1));
    guard.admit(new Connection('192.0.2.2', 2));
    guard.admit(new Connection('192.0.2.2', 3));
    assert.equal(cuts.length, 2);
    guard.close();
  });

  it('lets a proxy have more than others, but not more than there may be in all', () => {
    const all = [1, 2, 3, 4, 5].map((port) => new Connection('::ffff:198.51.100.1', port));
    for (const connection of all) guard.admit(connection);
    assert.deepEqual(cuts, [['198.51.100.1:1', 'crowded_out']]);
    assert.equal(guard.size, 4);
    guard.close();
  });
});
