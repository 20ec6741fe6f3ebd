import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../sip/clock.js';

describe('system clock', () => {
  it('does not fire at once what is further away than timers reach', async () => {
    let fired = 0;
    const timers = [
      systemClock.after(2 ** 40, () => (fired += 1)),
      systemClock.every(2 ** 40, () => (fired += 1)),
    ];
    await delay(20);
    assert.equal(fired, 0);
    for (const timer of timers) timer.cancel();
  });
});
