import assert from 'node:assert/strict';
import { Stopping } from '../../../gateway/process/stopping.js';
import { settle } from '../../support/fake-legs.js';
import { FakeClock } from '../../support/fake-clock.js';

function running() {
  const clock = new FakeClock();
  const notes: string[] = [];
  let lastCallEnds = (): void => undefined;
  let closed = (): void => undefined;
  const drained = new Promise<void>((resolve) => (lastCallEnds = resolve));
  const gone = new Promise<void>((resolve) => (closed = resolve));
  const stopping = new Stopping({
    stoppable: {
      calls: 2,
      drain() {
        notes.push('drain');
        return drained;
      },
      close() {
        notes.push('close');
        return gone;
      },
    },
    events: {
      draining: ({ cause, calls, limitMs }) => notes.push(`draining ${cause} ${calls} ${limitMs}`),
      stopped: ({ cause }) => notes.push(`stopped ${cause}`),
      defect: ({ source }) => notes.push(`defect ${source}`),
    },
    clock,
    drainLimitMs: () => 60_000,
    closeLimitMs: 5_000,
    exit: (code) => notes.push(`exit ${code}`),
  });
  return { stopping, clock, notes, lastCallEnds, closed };
}

describe('stopping', () => {
  it('lets calls end at the first signal, then closes and exits with 0', async () => {
    const { stopping, notes, lastCallEnds, closed } = running();
    stopping.signal('SIGTERM');
    await settle();
    assert.deepEqual(notes, ['draining SIGTERM 2 60000', 'drain']);
    lastCallEnds();
    await settle();
    assert.equal(notes.at(-1), 'close');
    closed();
    await settle();
    assert.deepEqual(notes.slice(-2), ['stopped SIGTERM', 'exit 0']);
  });

  it('ends calls at once at the second signal', async () => {
    const { stopping, clock, notes } = running();
    stopping.signal('SIGINT');
    clock.advance(500);
    stopping.signal('SIGINT');
    await settle();
    assert.equal(notes.at(-1), 'close');
  });

  it('takes a signal that comes twice at the same time for one', async () => {
    const { stopping, clock, notes } = running();
    stopping.signal('SIGINT');
    clock.advance(499);
    stopping.signal('SIGINT');
    await settle();
    assert.equal(notes.includes('close'), false);
  });

  it('closes once however many signals come', async () => {
    const { stopping, clock, notes, lastCallEnds, closed } = running();
    stopping.signal('SIGINT');
    for (let more = 0; more < 3; more += 1) {
      clock.advance(1_000);
      stopping.signal('SIGINT');
    }
    lastCallEnds();
    closed();
    await settle();
    assert.equal(notes.filter((note) => note === 'close').length, 1);
    assert.equal(notes.filter((note) => note.startsWith('exit')).length, 1);
  });

  it('exits with 1 when closing takes too long', async () => {
    const { stopping, clock, notes, lastCallEnds, closed } = running();
    stopping.signal('SIGTERM');
    lastCallEnds();
    await settle();
    clock.advance(5_000);
    assert.equal(notes.at(-1), 'exit 1');
    closed();
    await settle();
    assert.equal(notes.filter((note) => note.startsWith('exit')).length, 1);
  });

  it('after a defect lets calls end and exits with 1', async () => {
    const { stopping, notes, lastCallEnds, closed } = running();
    stopping.defect('uncaught_exception', new Error('oops'));
    assert.deepEqual(notes, ['defect uncaught_exception', 'draining defect 2 60000', 'drain']);
    lastCallEnds();
    await settle();
    closed();
    await settle();
    assert.equal(notes.at(-1), 'exit 1');
  });

  it('waits for no call when defects do not end', async () => {
    const { stopping, notes } = running();
    for (let defect = 0; defect < 11; defect += 1) stopping.defect('unhandled_rejection', 'oops');
    await settle();
    assert.equal(notes.at(-1), 'close');
  });
});
