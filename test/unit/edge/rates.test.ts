import assert from 'node:assert/strict';
import { BucketTable } from '../../../gateway/edge/bucket-table.js';
import { networkOf } from '../../../gateway/edge/network-of.js';
import { SignInFailures } from '../../../gateway/edge/sign-in-failures.js';

describe('BucketTable', () => {
  it('limits each key by itself', () => {
    const table = new BucketTable({ perSecond: 1, burst: 1 });
    assert.deepEqual([table.take('a', 0), table.take('a', 0), table.take('b', 0)], [true, false, true]);
  });

  it('forgets buckets that are full again, and no others', () => {
    const table = new BucketTable({ perSecond: 1, burst: 2 });
    for (const key of ['a', 'a', 'b']) table.take(key, 0);
    table.sweep(1_000);
    assert.equal(table.size, 1);
    table.sweep(2_000);
    assert.equal(table.size, 0);
  });

  it('keeps the key that goes on sending when too many others come', () => {
    const table = new BucketTable({ perSecond: 0.001, burst: 1 }, 3);
    table.take('attacker', 0);
    for (let other = 0; other < 100; other += 1) {
      table.take(`other ${other}`, 0);
      assert.equal(table.take('attacker', 0), false);
    }
    assert.equal(table.size, 3);
  });

  it('limits nothing and remembers nothing without a rate', () => {
    const table = new BucketTable(undefined);
    for (let count = 0; count < 1_000; count += 1) assert.equal(table.take('a', 0), true);
    assert.equal(table.size, 0);
  });
});

describe('SignInFailures', () => {
  const [here, elsewhere] = ['192.0.2.1', '192.0.2.2'];

  it('locks a user out where the failures came from, and nowhere else', () => {
    const failures = new SignInFailures({ registerFailuresPerMinute: 3, failingUsersPerAddress: 100 });
    for (let count = 0; count < 3; count += 1) failures.note(here, 'sip:alice@x', 0);
    assert.equal(failures.retryAfterSeconds(here, 'sip:alice@x', 0), 60);
    assert.equal(failures.retryAfterSeconds(elsewhere, 'sip:alice@x', 0), 0);
    assert.equal(failures.retryAfterSeconds(here, 'sip:bob@x', 0), 0);
  });

  it('locks out an address from which many users are tried, for longer', () => {
    const failures = new SignInFailures({ registerFailuresPerMinute: 10, failingUsersPerAddress: 5 });
    for (let user = 0; user < 5; user += 1) failures.note(here, `sip:u${user}@x`, 0);
    assert.equal(failures.retryAfterSeconds(here, 'sip:new@x', 60_000), 540);
    assert.equal(failures.retryAfterSeconds(elsewhere, 'sip:new@x', 60_000), 0);
  });

  it('does not lock out the house of a phone with an old password', () => {
    const failures = new SignInFailures({ registerFailuresPerMinute: 10, failingUsersPerAddress: 50 });
    for (let atMs = 0; atMs < 600_000; atMs += 1_000) {
      if (failures.retryAfterSeconds(here, 'sip:old@x', atMs) === 0) failures.note(here, 'sip:old@x', atMs);
      assert.equal(failures.retryAfterSeconds(here, 'sip:bob@x', atMs), 0);
    }
  });
});

describe('networkOf', () => {
  for (const [address, network] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:1:a:b:c:d', '2001:db8:0:1::/64'],
    ['2001:0DB8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::ffff:192.0.2.33', '192.0.2.33'],
    ['64:ff9b::192.0.2.33', '64:ff9b:0:0::/64'],
  ] as const) {
    it(`takes ${address} for ${network}`, () => assert.equal(networkOf(address), network));
  }
});
