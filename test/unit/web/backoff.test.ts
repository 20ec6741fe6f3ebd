import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { maxInCallMs, reconnectDelayMs } from '#web/phone/line/backoff.js';

describe('the wait before a new connection', () => {
  it('lies between half and all of a ceiling that doubles with each failure', () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((failures) => reconnectDelayMs(failures, 0)),
      [1_000, 2_000, 4_000, 8_000],
    );
    assert.deepEqual(
      [1, 2, 3, 4].map((failures) => reconnectDelayMs(failures, 1)),
      [2_000, 4_000, 8_000, 16_000],
    );
  });

  it('never exceeds 30 s, however often it failed', () => {
    for (const failures of [5, 6, 20, 5_000]) {
      assert.equal(reconnectDelayMs(failures, 1), 30_000);
      assert.equal(reconnectDelayMs(failures, 0), 15_000);
    }
  });

  it('spreads the clients of one server', () => {
    assert.notEqual(reconnectDelayMs(3, 0.2), reconnectDelayMs(3, 0.7));
  });

  it('waits no longer than asked for, when a call is up', () => {
    for (const failures of [1, 2, 5, 50]) {
      assert.equal(reconnectDelayMs(failures, 0, maxInCallMs), 1_000);
      assert.equal(reconnectDelayMs(failures, 1, maxInCallMs), 2_000);
    }
  });
});
