import assert from 'node:assert/strict';
import { AttemptPatience } from '../../../gateway/call/attempt-patience.js';
import type { TargetLimits } from '../../../gateway/call/call-limits.js';
import { FakeClock } from '../../support/fake-clock.js';

const limits = { attemptTimeoutMs: 1_000, progressTimeoutMs: 2_000, maxRingMs: 3_000 };

describe('how long an attempt is waited for', () => {
  const begin = (own: TargetLimits = limits) => {
    const clock = new FakeClock();
    const ends: string[] = [];
    const patience = new AttemptPatience(own, clock, ({ code }) => ends.push(code));
    return { clock, ends, patience };
  };

  it('is short when there is no answer at all', () => {
    const { clock, ends, patience } = begin();
    clock.advance(999);
    assert.equal(patience.isOver, false);
    clock.advance(1);
    assert.deepEqual(ends, ['trunk.timeout']);
    assert.equal(patience.isOver, true);
    assert.equal(patience.wasSilent, true);
  });

  it('is longer from 100 Trying on, until a phone rings', () => {
    const { clock, ends, patience } = begin();
    clock.advance(500);
    patience.trying();
    clock.advance(1_999);
    patience.trying();
    clock.advance(1);
    assert.deepEqual(ends, ['trunk.no_progress']);
    assert.equal(patience.wasSilent, false);
    assert.equal(patience.isRinging, false);
  });

  it('is that for an answer when it rings, whatever comes in between', () => {
    const { clock, ends, patience } = begin();
    patience.trying();
    patience.progress(183);
    clock.advance(2_000);
    patience.progress(180);
    patience.trying();
    clock.advance(999);
    assert.deepEqual(ends, []);
    clock.advance(1);
    assert.deepEqual(ends, ['callee.no_answer']);
    assert.equal(patience.isRinging, true);
  });

  it('ends once, with the first reason', () => {
    const { clock, ends, patience } = begin();
    clock.advance(1_000);
    patience.trying();
    patience.progress(183);
    clock.advance(10_000);
    assert.deepEqual(ends, ['trunk.timeout']);
    assert.equal(clock.pending, 0);
  });

  it('keeps no timer when it has been stopped, or when nothing is limited', () => {
    const { clock, ends, patience } = begin();
    patience.stop();
    patience.trying();
    patience.progress(180);
    assert.equal(clock.pending, 0);
    const free = begin({});
    free.patience.trying();
    free.patience.progress(180);
    assert.equal(free.clock.pending, 0);
    assert.deepEqual([...ends, ...free.ends], []);
  });
});
