import assert from 'node:assert/strict';
import { CallAdmission } from '../../gateway/call-admission.js';
import type { CallSource } from '../../gateway/call/ports.js';
import { FakeClock } from '../support/fake-clock.js';

const minuteMs = 60_000;

describe('records of calls that are refused before they begin', () => {
  let clock: FakeClock;
  let admission: CallAdmission;

  beforeEach(() => {
    clock = new FakeClock();
    admission = new CallAdmission({ trunks: () => undefined, userLimits: () => undefined, clock });
  });

  const alice = (device: number): CallSource => ({
    side: 'browser',
    aor: 'sip:alice@example.com',
    endpointId: `e_${device}`,
  });
  const office = (port: number): CallSource => ({
    side: 'trunk',
    trunk: 'office',
    remote: `192.0.2.1:${port}`,
    media: { profile: 'plain' },
  });

  for (const [who, sourceAt] of [
    ['a user, whatever the device', alice],
    ['a trunk, whatever the port', office],
  ] as const) {
    it(`are 150 at once and 600 a minute of ${who}`, () => {
      const taken = (calls: number): number =>
        Array.from({ length: calls }, (_, at) => admission.mayRecordRefused(sourceAt(at))).filter(Boolean)
          .length;
      assert.equal(taken(1_000), 150);
      clock.advance(minuteMs / 60);
      assert.equal(taken(1_000), 10);
    });
  }

  it('of one caller leave those of others alone, and nothing is remembered for long', () => {
    for (let call = 0; call < 1_000; call++) admission.mayRecordRefused(alice(call));
    assert.equal(admission.mayRecordRefused(office(5060)), true);
    assert.equal(admission.sizes().refused_callers, 2);
    clock.advance(minuteMs);
    assert.equal(admission.sizes().refused_callers, 0);
  });
});
