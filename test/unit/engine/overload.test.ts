import assert from 'node:assert/strict';
import { Overload } from '../../../sip/engine/overload.js';
import type { Log } from '../../../sip/log.js';
import { LateClock } from '../../support/late-clock.js';

const limits = { waiting: 4, lateMs: 500, onTimeMs: 100 };
const ignore = (): void => undefined;

describe('overload', () => {
  let clock: LateClock;
  let overload: Overload;
  let lines: [object, string][];

  beforeEach(() => {
    clock = new LateClock();
    lines = [];
    const warn: Log['warn'] = (fields, message) => void lines.push([fields, message]);
    overload = new Overload(
      clock,
      { debug: ignore, info: ignore, warn, error: ignore },
      limits,
      () => clock.idleMs,
    );
  });

  const waiters = (count: number): object[] =>
    Array.from({ length: count }, () => {
      const request = {};
      overload.waits(request);
      return request;
    });

  it('begins when the event loop is late three ticks in a row, and ends after a second without', () => {
    clock.tick(2, 600);
    assert.equal(overload.refusal(), undefined);
    clock.tick(1, 600);
    const refused = overload.refusal();
    assert.equal(refused?.status, 503);
    assert.equal(refused?.code, 'gateway.overload');
    clock.tick(9, 0);
    assert.equal(overload.isOn, true);
    clock.tick(1, 0);
    assert.equal(overload.isOn, false);
    assert.deepEqual(lines, [
      [{ lateMs: 600, waiting: 0 }, 'overload: new SIP requests are refused'],
      [{ lastedMs: 1000, refused: 1 }, 'overload is over'],
    ]);
  });

  it('asks to come back in 5 to 15 seconds', () => {
    clock.tick(3, 600);
    const seconds = Array.from({ length: 500 }, () => Number(overload.refusal()?.headers[0]?.[1]));
    assert.deepEqual([Math.min(...seconds), Math.max(...seconds)], [5, 15]);
  });

  it('does not mind a single pause, or a clock that is set, either way', () => {
    clock.tick(2, 3_000);
    clock.tick(1, 0);
    clock.tick(2, 600);
    clock.tick(1, 3_600_000);
    assert.equal(overload.isOn, true, 'the third in a row counts');
    clock.tick(10, -100);
    assert.equal(overload.isOn, false);
  });

  it('does not begin in a process that the machine does not let run: its event loop has time to wait', () => {
    clock.tick(100, 600, 100);
    assert.equal(overload.isOn, false);
    clock.tick(3, 600, 50);
    assert.equal(overload.isOn, true, 'it is late by its own work');
    clock.tick(10, 600, 100);
    assert.equal(overload.isOn, false, 'it has caught up');
  });

  it('goes on while the event loop is neither late nor on time', () => {
    clock.tick(3, 600);
    clock.tick(50, 200);
    assert.equal(overload.isOn, true);
    clock.tick(9, 0);
    clock.tick(1, 200);
    clock.tick(9, 0);
    assert.equal(overload.isOn, true);
  });

  it('begins when too many requests wait, and ends when a quarter less do', () => {
    const [first = {}, second = {}] = waiters(3);
    assert.equal(overload.isOn, false);
    const [last = {}] = waiters(1);
    assert.equal(overload.isOn, true);
    assert.deepEqual(lines, [[{ lateMs: 0, waiting: 4 }, 'overload: new SIP requests are refused']]);
    overload.answered({});
    assert.equal(overload.isOn, true);
    overload.answered(last);
    overload.answered(last);
    assert.equal(overload.isOn, false);
    assert.equal(overload.size, 3);
    overload.answered(first);
    overload.answered(second);
    assert.equal(overload.size, 1);
  });

  it('lasts until both reasons are gone, and is told once', () => {
    const waiting = waiters(4);
    clock.tick(3, 600);
    for (const request of waiting) overload.answered(request);
    assert.equal(overload.isOn, true);
    clock.tick(10, 0);
    assert.equal(overload.isOn, false);
    assert.equal(lines.length, 2);
  });

  it('counts what is refused', () => {
    assert.equal(overload.refusal(), undefined);
    waiters(4);
    overload.refusal();
    overload.refusal();
    assert.equal(overload.refused, 2);
  });

  it('does nothing more once it is closed', () => {
    overload.close();
    overload.close();
    clock.tick(10, 600);
    assert.equal(overload.isOn, false);
    assert.equal(overload.size, 0);
  });
});
