import assert from 'node:assert/strict';
import { failure } from '../../../sip/failure.js';
import type { RegisterAnswer } from '../../../sip/trunk/trunk-registration.js';
import { Registration } from '../../../gateway/trunk/registration.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settle } from '../../support/fake-legs.js';

const plain: RegisterAnswer = {
  status: 200,
  reason: 'OK',
  expiresSeconds: 120,
  minExpiresSeconds: undefined,
  retryAfterSeconds: undefined,
  refusedBecause: undefined,
};
const refusal = (status: number, reason: string, more: Partial<RegisterAnswer> = {}): RegisterAnswer => ({
  ...plain,
  status,
  reason,
  expiresSeconds: undefined,
  ...more,
});

/** A registrar that gives one prepared answer after the other, and the last of them for ever. */
class Registrar {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  readonly told: string[] = [];
  answers: (RegisterAnswer | Error)[] = [plain];
  readonly registration: Registration;

  constructor(hosts: readonly string[] = ['a']) {
    this.registration = new Registration({
      send: (host, expiresSeconds) => {
        this.asked.push(`${host} ${expiresSeconds}`);
        const next = this.answers.length > 1 ? this.answers.shift() : this.answers[0];
        if (next === undefined) throw new Error('no answer is prepared');
        return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
      },
      hosts,
      expiresMs: 300_000,
      retryMs: 30_000,
      clock: this.clock,
      chance: () => 0.5,
      listener: {
        registered: ({ host, expiresSeconds, isNew }) =>
          this.told.push(`registered ${host} ${expiresSeconds}${isNew ? ' new' : ''}`),
        failed: ({ answer, retryMs, repeated }) =>
          this.told.push(`failed ${answer} ${retryMs}${repeated ? ' again' : ''}`),
        ended: ({ answer }) => this.told.push(`ended ${answer}`),
      },
    });
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settle();
  }

  async open(...answers: (RegisterAnswer | Error)[]): Promise<void> {
    if (answers.length > 0) this.answers = answers;
    this.registration.open();
    await this.pass(0);
  }
}

describe('the registration at a trunk', () => {
  it('lasts as long as the answer says, and is refreshed before', async () => {
    const registrar = new Registrar();
    await registrar.open();
    assert.equal(registrar.registration.state, 'registered');
    assert.deepEqual(registrar.asked, ['a 300']);
    await registrar.pass(101_000);
    assert.equal(registrar.asked.length, 1);
    await registrar.pass(1_000);
    assert.equal(registrar.asked.length, 2);
    assert.deepEqual(registrar.told, ['registered a 120 new', 'registered a 120']);
    await registrar.registration.close();
  });

  it('takes what was asked for when the answer says nothing of it', async () => {
    const registrar = new Registrar();
    await registrar.open({ ...plain, expiresSeconds: undefined });
    assert.deepEqual(registrar.told, ['registered a 300 new']);
    await registrar.registration.close();
  });

  it('waits longer after each failure, with jitter, and tells it once', async () => {
    const registrar = new Registrar();
    await registrar.open(refusal(486, 'Busy Here'));
    await registrar.pass(22_500);
    await registrar.pass(45_000);
    assert.deepEqual(registrar.told, [
      'failed 486 Busy Here 22500',
      'failed 486 Busy Here 45000 again',
      'failed 486 Busy Here 90000 again',
    ]);
    assert.equal(registrar.registration.state, 'lost');
    assert.equal(registrar.registration.lastAnswer, '486 Busy Here');
    await registrar.registration.close();
  });

  it('tries slowly when the carrier does not know us, or refuses the password', async () => {
    const wrong = 'it refuses our user name or password';
    for (const answer of [
      refusal(403, 'Forbidden'),
      refusal(404, 'Not Found'),
      refusal(401, 'Unauthorized', { refusedBecause: wrong }),
    ]) {
      const registrar = new Registrar();
      await registrar.open(answer);
      assert.equal(registrar.told.length, 1);
      assert.match(registrar.told[0] ?? '', / 225000$/);
      await registrar.pass(224_000);
      assert.equal(registrar.asked.length, 1);
      await registrar.pass(1_000);
      assert.equal(registrar.asked.length, 2);
      await registrar.registration.close();
    }
  });

  it('asks for longer at once after 423, and goes on so; but once', async () => {
    const registrar = new Registrar();
    const brief = refusal(423, 'Interval Too Brief', { minExpiresSeconds: 900 });
    await registrar.open(brief, { ...plain, expiresSeconds: 900 });
    await registrar.pass(0);
    assert.deepEqual(registrar.asked, ['a 300', 'a 900']);
    assert.equal(registrar.registration.state, 'registered');
    await registrar.registration.close();
    const greedy = new Registrar();
    await greedy.open(brief, refusal(423, 'Interval Too Brief', { minExpiresSeconds: 9_000 }));
    await greedy.pass(0);
    await greedy.pass(1_000);
    assert.deepEqual(greedy.asked, ['a 300', 'a 900']);
    await greedy.registration.close();
  });

  it('comes back when Retry-After says so', async () => {
    const registrar = new Registrar();
    await registrar.open(refusal(503, 'Service Unavailable', { retryAfterSeconds: 120 }), plain);
    await registrar.pass(119_999);
    assert.equal(registrar.asked.length, 1);
    await registrar.pass(6_001);
    assert.equal(registrar.registration.state, 'registered');
    await registrar.registration.close();
  });

  it('goes to the next host at once when one is silent, and waits after the last', async () => {
    const registrar = new Registrar(['a', 'b']);
    await registrar.open(failure('trunk.timeout', { detail: 'no answer' }), refusal(500, 'Oh'), plain);
    await registrar.pass(0);
    await registrar.pass(1);
    assert.deepEqual(registrar.asked, ['a 300', 'b 300']);
    await registrar.pass(30_000);
    assert.deepEqual(registrar.asked, ['a 300', 'b 300', 'a 300']);
    assert.equal(registrar.registration.state, 'registered');
    await registrar.registration.close();
  });

  it('goes to the next host at once when one says Retry-After with 503, and does not ask that one before', async () => {
    const registrar = new Registrar(['a', 'b']);
    const full = refusal(503, 'Service Unavailable', { retryAfterSeconds: 3_600 });
    await registrar.open(full, plain);
    await registrar.pass(0);
    assert.equal(registrar.registration.state, 'registered');
    assert.deepEqual(registrar.told, ['failed 503 Service Unavailable 0', 'registered b 120 new']);
    registrar.answers = [refusal(500, 'Oh')];
    for (let minute = 0; minute < 60; minute += 1) await registrar.pass(60_000);
    const [first, ...others] = registrar.asked;
    assert.equal(first, 'a 300');
    assert.ok(others.length > 3);
    assert.deepEqual(new Set(others), new Set(['b 300']));
    for (let minute = 0; minute < 20; minute += 1) await registrar.pass(60_000);
    assert.ok(registrar.asked.includes('a 300', 1), 'the first host is never asked again');
    await registrar.registration.close();
    assert.equal(registrar.clock.pending, 0);
  });

  it('waits for the first Retry-After when every host has said one, even when the engine comes back', async () => {
    const registrar = new Registrar(['a', 'b']);
    const later = (retryAfterSeconds: number): RegisterAnswer => refusal(503, 'Full', { retryAfterSeconds });
    await registrar.open(later(3_600), later(60), plain);
    await registrar.pass(0);
    registrar.registration.open();
    await registrar.pass(59_999);
    assert.deepEqual(registrar.asked, ['a 300', 'b 300']);
    await registrar.pass(3_001);
    assert.deepEqual(registrar.asked, ['a 300', 'b 300', 'b 300']);
    await registrar.registration.close();
  });

  it('does not ask again at once because Retry-After is 0', async () => {
    for (const status of [503, 480]) {
      const registrar = new Registrar();
      await registrar.open(refusal(status, 'No', { retryAfterSeconds: 0 }));
      assert.deepEqual(registrar.told, [`failed ${status} No 22500`]);
      await registrar.registration.close();
    }
  });

  it('asks the hosts that it has not asked yet at once when the one that it is registered at is silent', async () => {
    const registrar = new Registrar(['a', 'b']);
    const silent = failure('trunk.timeout', { detail: 'no answer' });
    await registrar.open(silent, plain, silent, plain);
    await registrar.pass(0);
    await registrar.pass(102_000);
    await registrar.pass(0);
    assert.deepEqual(registrar.asked, ['a 300', 'b 300', 'b 300', 'a 300']);
    await registrar.registration.close();
  });

  it('is lost when the binding runs out before a refresh is taken', async () => {
    const registrar = new Registrar();
    await registrar.open(plain, failure('trunk.timeout', { detail: 'no answer' }));
    await registrar.pass(102_000);
    assert.equal(registrar.registration.state, 'registered');
    assert.equal(registrar.registration.lastAnswer, 'no answer');
    await registrar.pass(18_000);
    assert.equal(registrar.registration.state, 'lost');
    await registrar.registration.close();
  });

  it('is renewed at once when the engine is back', async () => {
    const registrar = new Registrar();
    await registrar.open(failure('trunk.engine_away'), plain);
    assert.equal(registrar.registration.state, 'lost');
    registrar.registration.open();
    await registrar.pass(0);
    assert.equal(registrar.registration.state, 'registered');
    await registrar.registration.close();
  });

  it('is given up at the end, when there is one', async () => {
    const registrar = new Registrar();
    await registrar.open();
    await registrar.registration.close();
    await registrar.registration.close();
    assert.equal(registrar.registration.state, 'ended');
    assert.deepEqual(registrar.asked, ['a 300', 'a 0']);
    assert.equal(registrar.told.at(-1), 'ended 200 OK');
    assert.equal(registrar.clock.pending, 0);
    const never = new Registrar();
    await never.open(refusal(403, 'Forbidden'));
    await never.registration.close();
    assert.deepEqual(never.asked, ['a 300']);
    assert.equal(never.clock.pending, 0);
  });
});
