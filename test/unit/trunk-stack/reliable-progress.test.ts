import assert from 'node:assert/strict';
import { ReliableProgress } from '../../../sip/trunk/reliable-progress.js';
import type { SrfMessage, SrfResponse, SrfSendOptions } from '../../../sip/trunk/srf-types.js';
import { FakeClock } from '../../support/fake-clock.js';

type Sent = (error: unknown, sent?: SrfMessage) => void;

/** A response object of srf's that only notes what is sent. */
function responseNoting(sent: { status: number; options: SrfSendOptions; done: Sent }[]): SrfResponse {
  const message: SrfMessage = { get: () => undefined, has: () => false };
  return {
    ...message,
    status: 0,
    msg: message,
    send: (status, _reason, options, done) => {
      sent.push({ status, options, done });
    },
  };
}

const withRSeq: SrfMessage = { get: () => undefined, has: (name) => name === 'RSeq' };

describe('reliable provisional responses', () => {
  let clock: FakeClock;
  let sent: { status: number; options: SrfSendOptions; done: Sent }[];
  let late: number;
  beforeEach(() => {
    clock = new FakeClock();
    sent = [];
    late = 0;
  });

  const progress = (reliable: boolean) =>
    new ReliableProgress(responseNoting(sent), reliable, clock, () => (late += 1));

  const statuses = (): number[] => sent.map(({ status }) => status);

  it('go out at once when nobody wants them reliable', () => {
    const unreliable = progress(false);
    unreliable.send(180, 'Ringing', {});
    unreliable.send(183, 'Session Progress', {});
    assert.deepEqual(statuses(), [180, 183]);
    assert.equal(unreliable.acknowledged(), false);
  });

  it('go out one by one, and what waits for them after the last PRACK', () => {
    let answered = false;
    const reliable = progress(true);
    reliable.send(183, 'Session Progress', {});
    reliable.send(180, 'Ringing', {});
    reliable.whenAcknowledged(() => (answered = true));
    sent[0]?.done(null, withRSeq);
    assert.deepEqual([statuses(), answered], [[183], false]);
    assert.equal(reliable.acknowledged(), true);
    sent[1]?.done(null, withRSeq);
    assert.deepEqual([statuses(), answered], [[183, 180], false]);
    assert.equal(reliable.acknowledged(), true);
    assert.equal(answered, true);
    assert.equal(clock.pending, 0);
  });

  it('tell when no PRACK comes within 64·T1', () => {
    progress(true).send(180, 'Ringing', {});
    sent[0]?.done(null, withRSeq);
    clock.advance(31_999);
    assert.equal(late, 0);
    clock.advance(1);
    assert.equal(late, 1);
  });

  it('go out unreliable when the engine refuses, with all that waits', () => {
    let answered = false;
    const reliable = progress(true);
    reliable.send(183, 'Session Progress', {});
    reliable.send(180, 'Ringing', {});
    reliable.whenAcknowledged(() => (answered = true));
    sent[0]?.done('Remote endpoint does not support 100rel');
    assert.deepEqual([statuses(), answered, clock.pending], [[183, 183, 180], true, 0]);
    assert.equal(sent[0]?.options.headers['Require'], '100rel');
    assert.equal(sent[1]?.options.headers['Require'], undefined);
  });

  it('wait for nothing when the engine sent them without a number', () => {
    const reliable = progress(true);
    reliable.send(183, 'Session Progress', {});
    sent[0]?.done(null, { get: () => undefined, has: () => false });
    reliable.send(180, 'Ringing', {});
    assert.deepEqual([statuses(), clock.pending], [[183, 180], 0]);
  });

  it('are forgotten when the INVITE is over', () => {
    let answered = false;
    const reliable = progress(true);
    reliable.send(183, 'Session Progress', {});
    reliable.send(180, 'Ringing', {});
    reliable.whenAcknowledged(() => (answered = true));
    reliable.stop();
    assert.equal(reliable.acknowledged(), false);
    assert.deepEqual([statuses(), answered, clock.pending], [[183], false, 0]);
  });
});
