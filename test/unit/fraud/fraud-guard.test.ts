import assert from 'node:assert/strict';
import type { FraudConfig } from '../../../gateway/config/config.js';
import { FraudGuard } from '../../../gateway/fraud/fraud-guard.js';
import { FakeClock } from '../../support/fake-clock.js';

const alice = 'sip:alice@example.com';

describe('FraudGuard', () => {
  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
  });

  const guard = (change: Partial<FraudConfig>): FraudGuard => {
    const none = { newDestinationsPerHour: undefined, minutesPerDay: undefined };
    const config = { country: 'US', international: false, allow: [], deny: [], ...none, ...change };
    return new FraudGuard(() => config, clock);
  };

  for (const [number, code] of [
    ['+12025550123', undefined],
    ['2025550123', undefined],
    ['600', undefined],
    ['5550123', undefined],
    ['alice', undefined],
    ['+442079460000', undefined],
    ['+4930123456', 'limit.international'],
    ['0114930123456', 'limit.international'],
    ['90114930123456', 'limit.international'],
    ['+19005550123', 'limit.denied_number'],
    ['9005550123', 'limit.denied_number'],
    ['+1x900-5550123', 'limit.denied_number'],
    ['0049w30123456', 'limit.international'],
  ] as const) {
    it(`says ${code ?? 'nothing'} to ${number}`, () => {
      const refusal = guard({ allow: ['+44'], deny: ['+1900'] }).check(alice, [number]);
      assert.equal(refusal?.code, code);
    });
  }

  it('lets so many new numbers through in an hour, and known ones always', () => {
    const limited = guard({ newDestinationsPerHour: 2 });
    const call = (number: string) => limited.check(alice, [number])?.code;
    assert.deepEqual(
      ['+12025550101', '+12025550102', '+12025550103', '+12025550101', '2025550102'].map(call),
      [undefined, undefined, 'limit.new_destinations', undefined, undefined],
    );
    clock.advance(3_600_000);
    assert.equal(call('+12025550103'), undefined);
  });

  it('bounds the minutes of a day', () => {
    const limited = guard({ minutesPerDay: 10 });
    limited.talked(alice, 9 * 60_000);
    assert.equal(limited.remainingMs(alice), 60_000);
    limited.talked(alice, 60_000);
    assert.equal(limited.check(alice, ['+12025550101'])?.code, 'limit.daily_minutes');
    assert.equal(limited.check('sip:bob@example.com', ['+12025550101']), undefined);
    clock.advance(86_400_000);
    assert.equal(limited.check(alice, ['+12025550101']), undefined);
  });
});
