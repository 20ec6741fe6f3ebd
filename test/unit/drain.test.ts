import assert from 'node:assert/strict';
import { Drain } from '../../gateway/drain.js';
import { FakeClock } from '../support/fake-clock.js';
import { settle } from '../support/fake-legs.js';

function running() {
  const clock = new FakeClock();
  const notes: string[] = [];
  let lastCallEnds = (): void => undefined;
  const lastCall = new Promise<void>((resolve) => (lastCallEnds = resolve));
  const drain = new Drain(
    {
      signOut: async () => void notes.push('sign out'),
      closeDoor: () => notes.push('close door'),
      lastCall: () => lastCall,
    },
    clock,
  );
  const begin = (noticeMs: number, limitMs: number): void =>
    void drain.begin({ noticeMs, limitMs }).then(() => notes.push('over'));
  return { drain, clock, notes, lastCallEnds, begin };
}

describe('draining', () => {
  it('takes nothing new at once without a notice, and is over with the last call', async () => {
    const { begin, notes, lastCallEnds, clock } = running();
    begin(0, 60_000);
    assert.deepEqual(notes, ['sign out', 'close door']);
    lastCallEnds();
    await settle();
    assert.equal(notes.at(-1), 'over');
    assert.equal(clock.pending, 0);
  });

  it('changes nothing but what it says of itself until the notice is over', async () => {
    const { drain, begin, notes, clock, lastCallEnds } = running();
    lastCallEnds();
    begin(2_000, 60_000);
    await settle();
    assert.deepEqual([drain.begun, notes], [true, []]);
    clock.advance(2_000);
    await settle();
    assert.deepEqual(notes, ['sign out', 'close door', 'over']);
  });

  it('is over when the calls have had their time', async () => {
    const { begin, notes, clock } = running();
    begin(2_000, 10_000);
    clock.advance(10_000);
    await settle();
    assert.equal(notes.at(-1), 'over');
    assert.equal(clock.pending, 0);
  });

  it('is over when it is ended in its notice', async () => {
    const { drain, begin, notes, clock } = running();
    begin(2_000, 10_000);
    drain.end();
    await settle();
    assert.deepEqual(notes, ['over']);
    assert.equal(clock.pending, 0);
  });
});
