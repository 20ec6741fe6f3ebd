import assert from 'node:assert/strict';
import { requirePeer } from '../support/peers.js';
import { drainText, drainUnderLoad } from './drain.js';

describe('two webtrunks behind HAProxy that are stopped and started again, one after the other', function () {
  this.timeout(60_000);

  it('lose no call of 20 a second', async function () {
    const outcome = await drainUnderLoad({
      haproxy: requirePeer(this, 'haproxy'),
      rate: 20,
      phones: 80,
      pauseMs: 1_500,
      talkMs: { least: 300, most: 1_500 },
    });
    process.stdout.write(`      ${drainText(outcome)}\n`);
    assert.deepEqual(outcome.failed, []);
    assert.equal(outcome.ghosts, 0);
    assert.ok(outcome.movedPhones >= 40, 'the browsers were sent to the other one');
    assert.ok(outcome.setupP95Ms < 1_000, `p95 of the setup is ${outcome.setupP95Ms} ms`);
  });
});
