import assert from 'node:assert/strict';
import { failure } from '../../../sip/failure.js';
import { HostHealth } from '../../../gateway/trunk/host-health.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settle } from '../../support/fake-legs.js';

const everyMs = 30_000;

describe('the health of a host', () => {
  let clock = new FakeClock();
  let answer: { status: number; reason: string } | Error = { status: 200, reason: 'OK' };
  let asked = 0;
  let changes: string[] = [];

  const health = (watch: { everyMs: number; failAfter: number } | undefined): HostHealth =>
    new HostHealth({
      ask: () => {
        asked += 1;
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
      watch,
      clock,
      chance: () => 0.5,
      changed: (state, said) => changes.push(`${state}: ${said}`),
    });

  const turn = async (): Promise<void> => {
    clock.advance(everyMs);
    await settle();
  };

  beforeEach(() => {
    clock = new FakeClock();
    answer = { status: 200, reason: 'OK' };
    asked = 0;
    changes = [];
  });

  it('is unknown before the first answer, and up after any that is not 408 or 503', async () => {
    for (const status of [200, 404, 405, 483, 401, 500]) {
      answer = { status, reason: 'Whatever' };
      const host = health({ everyMs, failAfter: 1 });
      host.open();
      assert.equal(host.state, 'unknown');
      await turn();
      assert.equal(host.state, 'up', String(status));
      assert.equal(host.lastAnswer, `${status} Whatever`);
      host.close();
    }
    assert.deepEqual(changes, []);
  });

  it('goes down after so many failures in a row, and not before', async () => {
    const host = health({ everyMs, failAfter: 3 });
    host.open();
    await turn();
    answer = failure('trunk.timeout', { detail: 'no answer to OPTIONS in 5000 ms' });
    await turn();
    answer = { status: 503, reason: 'Service Unavailable' };
    await turn();
    assert.equal(host.state, 'up');
    await turn();
    assert.equal(host.state, 'down');
    assert.deepEqual(changes, ['down: 503 Service Unavailable']);
    host.close();
  });

  it('stays up while answers and failures alternate', async () => {
    const host = health({ everyMs, failAfter: 2 });
    host.open();
    for (let round = 0; round < 10; round += 1) {
      answer = round % 2 === 0 ? failure('trunk.timeout') : { status: 200, reason: 'OK' };
      await turn();
    }
    assert.equal(host.state, 'up');
    assert.deepEqual(changes, []);
    host.close();
  });

  it('comes up with a single answer, and says since when', async () => {
    answer = failure('trunk.unreachable', { detail: 'connect ECONNREFUSED' });
    const host = health({ everyMs, failAfter: 1 });
    host.open();
    await turn();
    assert.equal(host.state, 'down');
    assert.equal(host.lastAnswer, 'connect ECONNREFUSED');
    answer = { status: 200, reason: 'OK' };
    await turn();
    await turn();
    assert.equal(host.state, 'up');
    assert.ok(host.sinceMs > 1_700_000_000_000 + everyMs);
    assert.deepEqual(changes, ['down: connect ECONNREFUSED', 'up: 200 OK']);
    host.close();
  });

  it('comes up when a call is answered from there', async () => {
    answer = failure('trunk.timeout');
    const host = health({ everyMs, failAfter: 1 });
    host.open();
    await turn();
    host.heard('180 Ringing');
    assert.equal(host.state, 'up');
    assert.equal(host.lastAnswer, '180 Ringing');
    host.close();
  });

  it('is asked soon after a call found nobody there', async () => {
    const host = health({ everyMs, failAfter: 1 });
    host.open();
    await turn();
    const before = asked;
    answer = failure('trunk.timeout');
    host.missed();
    clock.advance(1_000);
    await settle();
    assert.equal(asked, before + 1);
    assert.equal(host.state, 'down');
    host.close();
  });

  it('learns nothing while our own engine is away', async () => {
    const host = health({ everyMs, failAfter: 1 });
    host.open();
    await turn();
    answer = failure('trunk.engine_away');
    await turn();
    assert.equal(host.state, 'up');
    host.close();
  });

  it('is never asked when it is not watched, and leaves no timer behind', () => {
    const silent = health(undefined);
    silent.open();
    silent.missed();
    silent.heard('200 OK');
    assert.equal(silent.state, 'unknown');
    const watched = health({ everyMs, failAfter: 1 });
    watched.open();
    assert.equal(clock.pending, 1);
    watched.close();
    watched.close();
    silent.close();
    assert.equal(clock.pending, 0);
    assert.equal(asked, 0);
  });
});
