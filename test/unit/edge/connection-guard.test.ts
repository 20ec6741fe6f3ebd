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

  beforeEach(() => {
    clock = new FakeClock();
    guard = new ConnectionGuard({
      clock,
      firstRequestWithinMs: 10_000,
      isProxy: () => false,
      cut: () => undefined,
      maxPerAddress: 2,
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
});
