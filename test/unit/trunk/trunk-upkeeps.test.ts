import assert from 'node:assert/strict';
import type { TrunkEvents } from '../../../gateway/telemetry/trunk-events.js';
import { TrunkUpkeeps } from '../../../gateway/trunk/trunk-upkeeps.js';
import type { Trunk } from '../../../gateway/trunk/trunk.js';
import { FakeClock } from '../../support/fake-clock.js';
import { noHeaders, settle } from '../../support/fake-legs.js';

const carrier: Trunk = {
  name: 'carrier',
  type: 'register',
  hosts: [
    { uri: 'sip:192.0.2.1', priority: 10 },
    { uri: 'sip:192.0.2.2', priority: 20 },
  ],
  auth: { username: 'gw', password: 'secret' },
  from: undefined,
  register: { expiresMs: 300_000, retryMs: 30_000 },
  options: { everyMs: 30_000, failAfter: 1 },
  inbound: { allow: undefined, numbers: undefined },
  media: { codecs: undefined, ptimeMs: undefined },
};

const noEvents: TrunkEvents = {
  trunkHostUp: () => undefined,
  trunkHostDown: () => undefined,
  trunkRegistered: () => undefined,
  trunkRegistrationFailed: () => undefined,
  trunkUnregistered: () => undefined,
  trunkFull: () => undefined,
};

describe('the upkeep of trunks', () => {
  let clock: FakeClock;
  let dead: Set<string>;
  let registered: string[];
  let asked: string[];
  let goodbye: Promise<void>;
  let upkeeps: TrunkUpkeeps;

  const start = async (...trunks: Trunk[]): Promise<void> => {
    upkeeps = new TrunkUpkeeps(trunks, {
      asker: {
        options: ({ requestUri }) => {
          asked.push(requestUri);
          return Promise.resolve(
            dead.has(requestUri) ? { status: 503, reason: 'Down' } : { status: 200, reason: 'OK' },
          );
        },
        request: (_method, { nextHop }, { headers = [] }) => {
          const expires = headers.find(([name]) => name === 'Expires')?.[1] ?? '';
          registered.push(`${nextHop ?? ''} ${expires}`);
          const answer = { status: 200, reason: 'OK', headers: noHeaders, contentType: undefined, body: '' };
          return expires === '0' ? goodbye.then(() => answer) : Promise.resolve(answer);
        },
      },
      events: noEvents,
      clock,
      chance: () => 0.5,
    });
    upkeeps.open();
    await pass(1_000);
  };

  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await settle();
  };

  const hosts = (): string[] => (upkeeps.of('carrier')?.hostsForCall() ?? []).map(({ uri }) => uri);

  beforeEach(() => {
    clock = new FakeClock();
    dead = new Set();
    registered = [];
    asked = [];
    goodbye = Promise.resolve();
  });
  afterEach(async () => {
    await upkeeps.close();
    assert.equal(clock.pending, 0, 'timers are left');
  });

  it('passes over a host that is down, unless all are', async () => {
    dead.add('sip:192.0.2.1');
    await start(carrier);
    assert.deepEqual(hosts(), ['sip:192.0.2.2']);
    dead.add('sip:192.0.2.2');
    await pass(40_000);
    assert.deepEqual(hosts(), ['sip:192.0.2.1', 'sip:192.0.2.2']);
    dead.clear();
    await pass(40_000);
    assert.deepEqual(hosts(), ['sip:192.0.2.1', 'sip:192.0.2.2']);
    assert.deepEqual(
      upkeeps.statuses.get('carrier')?.hosts.map(({ state }) => state),
      ['up', 'up'],
    );
  });

  it('keeps the registration of a trunk that a reload leaves alone', async () => {
    await start(carrier);
    upkeeps.renew([{ ...carrier, hosts: [...carrier.hosts] }]);
    await pass(1_000);
    assert.deepEqual(registered, ['sip:192.0.2.1 300']);
    assert.equal(upkeeps.statuses.get('carrier')?.registration?.state, 'registered');
  });

  it('keeps registration, health and channels when only limits change', async () => {
    dead.add('sip:192.0.2.1');
    await start(carrier);
    upkeeps.of('carrier')?.channels.take('out', false);
    const questions = asked.length;
    upkeeps.renew([{ ...carrier, limits: { channels: 1 } }]);
    await pass(1_000);
    assert.deepEqual(registered, ['sip:192.0.2.1 300']);
    assert.equal(upkeeps.statuses.get('carrier')?.registration?.state, 'registered');
    assert.deepEqual(hosts(), ['sip:192.0.2.2']);
    assert.equal(asked.length, questions);
    assert.equal(upkeeps.channelsInUse, 1);
    assert.equal(upkeeps.of('carrier')?.channels.take('out', false) instanceof Error, true);
    await pass(40_000);
    assert.ok(asked.length > questions, 'the hosts are not watched any more');
    await pass(260_000);
    assert.deepEqual(registered, ['sip:192.0.2.1 300', 'sip:192.0.2.1 300']);
  });

  it('forgets no host that stays when others come and go', async () => {
    dead.add('sip:192.0.2.1');
    await start(carrier);
    const [first = { uri: '', priority: 0 }] = carrier.hosts;
    upkeeps.renew([
      {
        ...carrier,
        hosts: [
          { ...first, weight: 70 },
          { uri: 'sip:192.0.2.3', priority: 30 },
        ],
      },
    ]);
    await pass(0);
    assert.deepEqual(hosts(), ['sip:192.0.2.3']);
    await pass(1_000);
    assert.equal(asked.at(-1), 'sip:192.0.2.3');
    await pass(40_000);
    assert.equal(asked.lastIndexOf('sip:192.0.2.2') < asked.indexOf('sip:192.0.2.3'), true);
  });

  it('signs out before it signs in again when the password has changed', async () => {
    await start(carrier);
    upkeeps.renew([{ ...carrier, auth: { username: 'gw', password: 'other' } }]);
    await pass(0);
    await pass(1_000);
    assert.deepEqual(registered, ['sip:192.0.2.1 300', 'sip:192.0.2.1 0', 'sip:192.0.2.1 300']);
  });

  it('waits for a sign-out that is still under way, however often a trunk changes meanwhile', async () => {
    let gone = (): void => undefined;
    await start(carrier);
    goodbye = new Promise((resolve) => {
      gone = resolve;
    });
    const changed: Trunk = { ...carrier, auth: { username: 'gw', password: 'other' } };
    upkeeps.renew([changed]);
    await pass(0);
    upkeeps.renew([{ ...changed, limits: { channels: 1 } }]);
    await pass(0);
    upkeeps.renew([]);
    await pass(0);
    upkeeps.renew([changed]);
    await pass(0);
    await pass(1_000);
    assert.deepEqual(registered, ['sip:192.0.2.1 300', 'sip:192.0.2.1 0']);
    gone();
    await pass(0);
    await pass(1_000);
    assert.deepEqual(registered, ['sip:192.0.2.1 300', 'sip:192.0.2.1 0', 'sip:192.0.2.1 300']);
  });

  it('signs out of a trunk that is gone', async () => {
    await start(carrier);
    upkeeps.renew([]);
    await pass(1_000);
    assert.deepEqual(registered, ['sip:192.0.2.1 300', 'sip:192.0.2.1 0']);
    assert.equal(upkeeps.of('carrier'), undefined);
  });
});
