import assert from 'node:assert/strict';
import { PortRange } from '../../../sip/media/relay/port-range.js';
import { FakeClock } from '../../support/fake-clock.js';

describe('range of media ports', () => {
  const range = (min: number, max: number, clock = new FakeClock(), quarantineMs = 1_000): PortRange =>
    new PortRange({ min, max, quarantineMs }, clock);

  it('lends each even port with its odd neighbour once', () => {
    const ports = range(20_001, 20_010);
    const lent = [ports.take(), ports.take(), ports.take(), ports.take()];
    assert.deepEqual(lent.map((pair) => pair?.rtp).sort(), [20_002, 20_004, 20_006, 20_008]);
    for (const pair of lent) assert.equal(pair?.rtcp, (pair?.rtp ?? 0) + 1);
    assert.equal(ports.take(), undefined);
    assert.equal(ports.lent, 4);
  });

  it('lends a port again only after its quarantine', () => {
    const clock = new FakeClock();
    const ports = range(20_000, 20_001, clock);
    const pair = ports.take();
    assert.ok(pair !== undefined);
    ports.giveBack(pair);
    ports.giveBack(pair);
    assert.equal(ports.lent, 0);
    clock.advance(999);
    assert.equal(ports.take(), undefined);
    clock.advance(1);
    assert.deepEqual(ports.take(), pair);
    assert.equal(ports.free, 0);
  });

  it('lends rested ports before those that were used last', () => {
    const ports = range(20_000, 20_007, new FakeClock(), 0);
    const pair = ports.take();
    assert.ok(pair !== undefined);
    ports.giveBack(pair);
    const next = [ports.take(), ports.take(), ports.take()].map((one) => one?.rtp);
    assert.ok(!next.includes(pair.rtp));
    assert.equal(ports.take()?.rtp, pair.rtp);
  });

  it('tells when everything is back', async () => {
    const ports = range(20_000, 20_003);
    await ports.allBack();
    const [one, other] = [ports.take(), ports.take()];
    assert.ok(one !== undefined && other !== undefined);
    let isBack = false;
    const back = ports.allBack().then(() => (isBack = true));
    ports.giveBack(one);
    await Promise.resolve();
    assert.equal(isBack, false);
    ports.giveBack(other);
    await back;
  });

  it('is not made of ports that cannot be', () => {
    for (const [min, max] of [
      [0, 100],
      [20_000, 70_000],
      [20_001, 20_002],
      [20_010, 20_000],
      [Number.NaN, 20_000],
    ] as const) {
      assert.throws(() => range(min, max), RangeError, `${min}-${max}`);
    }
  });
});
