import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { OutageQueue } from '#web/phone/line/outage-queue.js';

describe('what calls want to say while there is no connection', () => {
  it('waits in order, retransmissions once', () => {
    const queue = new OutageQueue(() => 0);
    for (const message of ['BYE 1', 'BYE 2', 'BYE 1']) queue.keep(message);
    assert.deepEqual(queue.drain(), ['BYE 1', 'BYE 2']);
    assert.equal(queue.size, 0);
  });

  it('is dropped when its transaction must be over', () => {
    let nowMs = 0;
    const queue = new OutageQueue(() => nowMs);
    queue.keep('early');
    nowMs = 32_001;
    assert.equal(queue.isWorthSending, false);
    queue.keep('late');
    nowMs = 40_000;
    assert.equal(queue.isWorthSending, true);
    assert.deepEqual(queue.drain(), ['late']);
    assert.equal(queue.isWorthSending, false);
  });

  it('does not grow without bound', () => {
    const queue = new OutageQueue(() => 0);
    for (let count = 0; count < 1_000; count += 1) queue.keep(`message ${count}`);
    assert.equal(queue.size, 64);
  });
});
