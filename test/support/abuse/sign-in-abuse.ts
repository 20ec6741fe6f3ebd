import { domain } from '../../bench/target.js';
import type { ClientIdentity, WsSipClient } from '../ws-sip-client.js';
import type { AbuseField } from './abuse-field.js';
import type { AbuseScenario } from './abuse-scenario.js';

const guessesPerSecond = 20;
/** More than a minute allows, and some on flows that are closed meanwhile. */
const mostTries = 40;
const guessingAddresses = 20;
const sprayedUsers = 60;
const registersPerSecond = 40;
const replaysPerSecond = 40;

/** Tries a wrong password; gives the status of the last answer, undefined when the flow has been closed. */
async function guess(field: AbuseField, client: WsSipClient): Promise<number | undefined> {
  const challenged = await field.ask(client, client.registerText());
  if (challenged?.status !== 401) return challenged?.status;
  const wrong = client.authorize(challenged, 'REGISTER', client.registrarUri, { password: 'guess' });
  return (await field.ask(client, client.registerText({}, [wrong])))?.status;
}

/** On as many flows as it takes: one that does not sign in is closed after a while. */
async function guessUntilLocked(field: AbuseField, address: string, victim: ClientIdentity): Promise<void> {
  for (let tries = 0; tries < mostTries;) {
    const client = await field.connect(address, victim);
    if (client === undefined) throw new Error(`${address} is not let in`);
    for (let status: number | undefined = 0; status !== undefined && tries < mostTries; tries += 1) {
      status = await guess(field, client);
      if (status === 503) return client.socket.close();
    }
    client.socket.close();
  }
}

async function isLockedOut(field: AbuseField, address: string, identity: ClientIdentity): Promise<void> {
  const client = await field.connect(address, identity);
  const answer = client && (await field.ask(client, client.registerText()));
  client?.socket.close();
  if (answer?.status !== 503 || Number(answer.headers.get('Retry-After')) < 1) {
    throw new Error(
      `${identity.user} at ${address} gets ${answer?.status ?? 'nothing'} and should be locked out`,
    );
  }
}

const guessAtOneAddress: AbuseScenario = {
  name: "guesses a user's password from one address",
  limit: 'limits.register_failures_per_minute',
  answers: ['401', '403', '503'],
  counters: [
    'registrations_refused_total{code="auth.rejected"}',
    'messages_refused_total{code="limit.register_failures"}',
  ],
  logged: ['registration.refused'],
  async attack(field) {
    const victim = field.account();
    await field.persist(field.address(), victim, async (client) => {
      while (!field.isOver && (await guess(field, client)) !== undefined)
        await field.rest(1_000 / guessesPerSecond);
    });
    (await field.innocent(field.address(250), victim)).socket.close();
  },
};

const guessFromManyAddresses: AbuseScenario = {
  name: `guesses a user's password from ${guessingAddresses} addresses`,
  limit: 'limits.register_failures_per_minute, by user and address',
  answers: ['403', '503'],
  counters: ['registrations_refused_total{code="limit.register_failures"}'],
  logged: ['registration.refused'],
  async attack(field) {
    const victim = field.account();
    await Promise.all(
      Array.from({ length: guessingAddresses }, async (_, at) => {
        const address = field.address(at + 1);
        await guessUntilLocked(field, address, victim);
        await isLockedOut(field, address, victim);
      }),
    );
    (await field.innocent(field.address(250), victim)).socket.close();
    await field.end();
  },
};

const sprayUsers: AbuseScenario = {
  name: `tries one password with ${sprayedUsers} users from one address`,
  limit: 'limits.failing_users_per_ip',
  answers: ['403', '503'],
  counters: ['messages_refused_total{code="limit.register_failures"}'],
  logged: ['registration.refused'],
  async attack(field) {
    for (let user = 0; user < sprayedUsers; user += 1) {
      const client = await field.connect(field.address(), field.account(user));
      if (client !== undefined) await guess(field, client);
      client?.socket.close();
    }
    await isLockedOut(field, field.address(), field.account(sprayedUsers + 1));
    (await field.innocent(field.address(250), field.account())).socket.close();
    await field.end();
  },
};

const registerFlood: AbuseScenario = {
  name: `registers ${registersPerSecond} times a second with the right password`,
  limit: 'limits.registers_per_minute',
  answers: ['200', '503'],
  counters: ['messages_refused_total{code="limit.register_rate"}'],
  logged: ['message.refused'],
  attack: (field) =>
    field.persist(field.address(), field.account(), async (client) => {
      if (!(await field.signIn(client))) return;
      await field.pour(client, registersPerSecond, () => client.registerText());
    }),
};

const nonceReplay: AbuseScenario = {
  name: `sends a REGISTER again that was overheard, ${replaysPerSecond} times a second`,
  limit: 'nonces are bound to their flow, and a count is taken once',
  answers: ['401'],
  counters: ['challenges_total{stale="true"}'],
  logged: [],
  async attack(field) {
    const victim = await field.innocent(field.address(250), field.account());
    const uri = `sip:${domain}`;
    const challenged = await victim.transact(victim.registerText());
    const overheard = victim.registerText({}, [victim.authorize(challenged, 'REGISTER', uri)]);
    if ((await victim.transact(overheard)).status !== 200) throw new Error('the victim cannot register');
    await field.persist(field.address(), field.account(), async (client) => {
      await field.pour(client, replaysPerSecond, () => overheard);
    });
    if (field.tally.countOf('200') > 0) throw new Error('an overheard REGISTER was taken');
    victim.socket.close();
  },
};

export const signInAbuse: readonly AbuseScenario[] = [
  guessAtOneAddress,
  guessFromManyAddresses,
  sprayUsers,
  registerFlood,
  nonceReplay,
];
