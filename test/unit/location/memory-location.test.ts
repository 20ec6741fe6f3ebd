import assert from 'node:assert/strict';
import type { Binding } from '../../../gateway/location/location.js';
import { MemoryLocation } from '../../../gateway/location/memory-location.js';
import { failure } from '../../../sip/failure.js';
import { FakeClock } from '../../support/fake-clock.js';

const aor = 'sip:alice@localhost';

describe('MemoryLocation', () => {
  let clock: FakeClock;
  let location: MemoryLocation;
  let expired: Binding[];

  const binding = (contactUri: string, expiresInMs: number, of = aor): Binding => ({
    aor: of,
    contactUri,
    contactParams: '',
    path: [],
    expiresAtMs: clock.nowMs() + expiresInMs,
    sipCallId: 'c',
    cseq: 1,
    endpointId: 'e_1',
  });

  beforeEach(() => {
    clock = new FakeClock();
    expired = [];
    location = new MemoryLocation({ clock, expired: (gone) => expired.push(gone) });
  });

  it('has one timer, however many bindings there are', () => {
    for (let user = 0; user < 100; user += 1) {
      location.update(`sip:${user}@localhost`, () => [
        binding('sip:a@b', 60_000 + user, `sip:${user}@localhost`),
      ]);
    }
    assert.equal(clock.pending, 1);
    assert.equal(location.size, 100);
    location.close();
    assert.equal(clock.pending, 0);
    assert.equal(location.size, 0);
  });

  it('forgets a binding within a second of its expiry, and finds it no longer from then on', () => {
    location.update(aor, () => [binding('sip:a@b', 60_500), binding('sip:c@d', 120_000)]);
    clock.advance(60_499);
    assert.equal(location.find(aor).length, 2);
    clock.advance(1);
    assert.deepEqual(
      location.find(aor).map(({ contactUri }) => contactUri),
      ['sip:c@d'],
    );
    clock.advance(1_000);
    assert.deepEqual(
      expired.map(({ contactUri }) => contactUri),
      ['sip:a@b'],
    );
    assert.equal(location.size, 1);
    clock.advance(60_000);
    assert.equal(location.size, 0);
    assert.equal(expired.length, 2);
  });

  it('lets a refreshed binding live on', () => {
    location.update(aor, () => [binding('sip:a@b', 60_000)]);
    clock.advance(50_000);
    location.update(aor, () => [binding('sip:a@b', 60_000)]);
    clock.advance(50_000);
    assert.equal(location.find(aor).length, 1);
    assert.deepEqual(expired, []);
  });

  it('tells nobody of a binding that was removed', () => {
    location.update(aor, () => [binding('sip:a@b', 60_000)]);
    location.update(aor, () => []);
    clock.advance(120_000);
    assert.deepEqual(expired, []);
    assert.equal(location.size, 0);
  });

  it('changes nothing when the edit refuses', () => {
    location.update(aor, () => [binding('sip:a@b', 60_000)]);
    const refusal = failure('register.out_of_order');
    assert.equal(
      location.update(aor, () => refusal),
      refusal,
    );
    assert.equal(location.find(aor).length, 1);
  });
});
