import assert from 'node:assert/strict';
import { FailureWindow, TokenBucket } from '../../../gateway/edge/limits.js';

describe('TokenBucket', () => {
  it('lets the burst through and then what the rate allows', () => {
    const bucket = new TokenBucket(10, 3, 0);
    assert.deepEqual(
      [0, 0, 0, 0, 99, 100, 100, 300].map((nowMs) => bucket.take(nowMs)),
      [true, true, true, false, false, true, false, true],
    );
  });

  it('saves no more than the burst', () => {
    const bucket = new TokenBucket(10, 2, 0);
    assert.deepEqual(
      [1e6, 1e6, 1e6].map((nowMs) => bucket.take(nowMs)),
      [true, true, false],
    );
  });

  it('gives nothing for a clock that runs backwards', () => {
    const bucket = new TokenBucket(1_000, 1, 1_000);
    assert.equal(bucket.take(1_000), true);
    assert.equal(bucket.take(0), false);
    assert.equal(bucket.take(1_001), true);
  });
});

describe('FailureWindow', () => {
  it('locks an address out after its failures until the minute is over', () => {
    const failures = new FailureWindow(2);
    failures.note('192.0.2.1', 0);
    assert.equal(failures.retryAfterSeconds('192.0.2.1', 0), 0);
    failures.note('192.0.2.1', 10_000);
    assert.equal(failures.retryAfterSeconds('192.0.2.1', 10_000), 50);
    assert.equal(failures.retryAfterSeconds('192.0.2.1', 59_999), 1);
    assert.equal(failures.retryAfterSeconds('192.0.2.1', 60_000), 0);
  });

  it('does not lock another address out', () => {
    const failures = new FailureWindow(1);
    failures.note('192.0.2.1', 0);
    assert.equal(failures.retryAfterSeconds('192.0.2.2', 0), 0);
  });

  it('forgets windows that are over and keeps no more than its limit', () => {
    const failures = new FailureWindow(1, 3);
    for (let host = 0; host < 10; host += 1) failures.note(`192.0.2.${host}`, host);
    assert.equal(failures.size, 3);
    assert.equal(failures.retryAfterSeconds('192.0.2.9', 9), 60);
    failures.sweep(60_008);
    assert.equal(failures.size, 1);
    failures.sweep(60_009);
    assert.equal(failures.size, 0);
  });
});
