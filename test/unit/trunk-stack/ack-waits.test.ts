import assert from 'node:assert/strict';
import { failure, SipFailure } from '../../../sip/failure.js';
import { AckWaits } from '../../../sip/trunk/ack-waits.js';
import { FakeClock } from '../../support/fake-clock.js';

const isCode = (code: string) => (thrown: unknown) => thrown instanceof SipFailure && thrown.code === code;

describe('waits for ACK', () => {
  let clock: FakeClock;
  let missing: string[];
  let waits: AckWaits;
  beforeEach(() => {
    clock = new FakeClock();
    missing = [];
    waits = new AckWaits(clock, ({ code }) => missing.push(code));
  });

  it('end with the SDP of the ACK that has their number', async () => {
    const first = waits.wait(1);
    const second = waits.wait(2);
    waits.acknowledged(2, 'answer');
    waits.acknowledged(1, undefined);
    waits.acknowledged(1, 'again');
    assert.deepEqual([await first, await second], [undefined, 'answer']);
    assert.deepEqual([waits.size, clock.pending], [0, 0]);
  });

  it('end with call.ack_timeout when the engine does not give up first', async () => {
    const late = assert.rejects(waits.wait(1), isCode('call.ack_timeout'));
    clock.advance(33_999);
    assert.deepEqual(missing, []);
    clock.advance(1);
    await late;
    assert.deepEqual(missing, ['call.ack_timeout']);
  });

  it('end with the reason when the dialog ends', async () => {
    const both = [waits.wait(1), waits.wait(2)].map((wait) => assert.rejects(wait, isCode('dialog.unknown')));
    waits.abandonAll(failure('dialog.unknown'));
    await Promise.all(both);
    assert.deepEqual([waits.size, clock.pending, missing.length], [0, 0, 0]);
  });

  it('hold back what must follow the last ACK', async () => {
    let idle = 0;
    waits.whenIdle(() => (idle += 1));
    assert.equal(idle, 1);
    const wait = waits.wait(1);
    waits.whenIdle(() => (idle += 1));
    assert.equal(idle, 1);
    waits.acknowledged(1, undefined);
    await wait;
    assert.equal(idle, 2);
  });
});
