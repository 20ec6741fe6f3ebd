import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdrSchema } from '../../../gateway/cdr/cdr-schema.js';
import type { FraudConfig } from '../../../gateway/config/config.js';
import { requireOwnEngine } from '../../support/engine-under-test.js';
import { ipTrunk, passwordOf, startGateway, usersRoute, type Gateway } from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import { sdp, UdpPeer } from '../../support/sip-peer.js';
import { answer, dial, hangUp, nextRequest } from '../../support/ws-call.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

const fraud: FraudConfig = {
  country: 'US',
  international: false,
  allow: ['+44'],
  deny: ['+1900', '9'],
  newDestinationsPerHour: 2,
  minutesPerDay: undefined,
};

describe('the guard against toll fraud, in a gateway', function () {
  this.timeout(20_000);
  let folder: string;
  let gateway: Gateway;
  let alice: WsSipClient;
  let pbx: UdpPeer;

  const cdrFile = (): string => join(folder, 'cdr.ndjson');

  before(function () {
    requireOwnEngine(this);
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-'));
    pbx = await UdpPeer.open(0);
    pbx.onMessage = (message) => {
      if (message.kind !== 'request' || message.method === 'ACK') return;
      pbx.respond(message, 200, 'OK', message.method === 'INVITE' ? { body: sdp(9000) } : {});
    };
    const toPbx = { fromTrunk: undefined, to: { kind: 'trunks' as const, trunks: ['pbx'] } };
    gateway = await startGateway({
      media: 'passthrough',
      cdrFile: cdrFile(),
      limits: { fraud, callsPerEndpoint: 2 },
      trunks: [ipTrunk('pbx', `sip:127.0.0.1:${pbx.port};transport=udp`)],
      routes: [
        usersRoute,
        { ...toPbx, name: 'emergency', match: /^911$/, emergency: true },
        { ...toPbx, name: 'out', match: /^\+?[0-9]+$/ },
      ],
    });
    pbx.aim(Number(gateway.sipAddress.split(':')[1]));
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    assert.equal((await alice.register()).status, 200);
  });

  afterEach(async () => {
    await alice.close();
    await gateway.close();
    await pbx.close();
    await rm(folder, { recursive: true });
    assert.equal(gateway.app.inspect()['fraud_users'], 0);
  });

  /** What the page sees. */
  const outcome = async (number: string): Promise<string> => {
    const answered = await dial(alice, number);
    if (answered.status === 200) await hangUp(alice, answered);
    return `${answered.status} ${answered.reason}`;
  };

  /** The numbers that the PBX was called by. */
  const called = (): string[] =>
    pbx.seen.flatMap((message) =>
      message.kind === 'request' && message.method === 'INVITE'
        ? [/^sip:([^@]+)@/.exec(message.text.split(' ')[1] ?? '')?.[1] ?? '']
        : [],
    );

  const failures = async (code: string, counter = 'calls_failed'): Promise<string | undefined> => {
    const text = await gateway.metrics.text();
    return new RegExp(`^webtrunk_${counter}_total\\{code="${code}"\\} (\\d+)$`, 'm').exec(text)?.[1];
  };

  it('refuses premium and foreign numbers with a reason, in the log, the counters and the CDR', async () => {
    assert.equal(await outcome('+19005550123'), '403 Number Not Allowed');
    assert.equal(await outcome('9005550123'), '403 Number Not Allowed');
    assert.equal(await outcome('+4930123456'), '403 International Calls Not Allowed');
    assert.equal(await outcome('+442079460000'), '200 OK');
    await idle(gateway, ['calls', 'cdr_waiting']);
    assert.deepEqual(called(), ['+442079460000']);
    assert.equal(await failures('limit.denied_number'), '2');
    assert.equal(await failures('limit.international'), '1');
    const told = gateway.lines.find(({ code }) => code === 'limit.international');
    assert.match(String(told?.['detail']), /^sip:alice@localhost dialled \+4930123456$/);
    await gateway.close();
    const records = (await readFile(cdrFile(), 'utf8')).trimEnd().split('\n');
    const codes = records.map((line) => cdrSchema.parse(JSON.parse(line)).termination.code);
    const refusals = ['limit.denied_number', 'limit.denied_number', 'limit.international'];
    assert.deepEqual(codes, [...refusals, 'call.completed']);
  });

  it('refuses a number too many that is new, with Retry-After, and none that is known', async () => {
    assert.equal(await outcome('+12025550101'), '200 OK');
    assert.equal(await outcome('+12025550102'), '200 OK');
    const refused = await dial(alice, '+12025550103');
    assert.equal(`${refused.status} ${refused.reason}`, '503 Too Many New Destinations');
    const seconds = Number(refused.headers.get('retry-after'));
    assert.ok(seconds > 3_500 && seconds <= 3_600, `${seconds} s`);
    assert.equal(await outcome('2025550101'), '200 OK');
    assert.equal(await failures('limit.new_destinations'), '1');
  });

  it('refuses a call too many at a time', async () => {
    const up = [await dial(alice, '+12025550101'), await dial(alice, '+12025550101')];
    assert.equal(await outcome('+12025550101'), '486 Busy Here');
    for (const answered of up) await hangUp(alice, answered);
    await idle(gateway, ['calls']);
    assert.equal(await outcome('+12025550101'), '200 OK');
    assert.equal(await failures('limit.calls', 'calls_refused'), '1');
  });

  it('lets every emergency call pass, whatever is denied, used up or too many', async () => {
    await outcome('+12025550101');
    await outcome('+12025550102');
    const up = [await dial(alice, '+12025550101'), await dial(alice, '+12025550101')];
    assert.equal(await outcome('911'), '200 OK');
    for (const answered of up) await hangUp(alice, answered);
  });

  it('ends a call when the minutes of the day are used up, and lets no other begin', async () => {
    const { config } = gateway.app;
    await gateway.app.reload({
      ...config,
      limits: { ...config.limits, fraud: { ...fraud, minutesPerDay: 1 / 100 } },
    });
    assert.equal((await dial(alice, '+12025550101')).status, 200);
    const bye = await nextRequest(alice, 'BYE');
    answer(alice, bye, 200);
    assert.match(bye.headers.get('reason') ?? '', /text="/);
    await idle(gateway, ['calls']);
    assert.equal(await outcome('+12025550101'), '503 Daily Minutes Used Up');
    assert.equal(await outcome('911'), '200 OK');
    assert.equal(await failures('limit.daily_minutes'), '1');
  });

  it('follows a reload at once, and remembers what was called before', async () => {
    await outcome('+12025550101');
    const { config } = gateway.app;
    const changed = (change: Partial<FraudConfig>) =>
      gateway.app.reload({ ...config, limits: { ...config.limits, fraud: { ...fraud, ...change } } });
    const [change] = await changed({ newDestinationsPerHour: 1, deny: ['+1202555010'] });
    assert.deepEqual([change?.path, change?.isLive], ['limits.fraud.deny', true]);
    assert.equal(await outcome('+12025550101'), '403 Number Not Allowed');
    await changed({ newDestinationsPerHour: 1, deny: [] });
    assert.equal(await outcome('+12025550101'), '200 OK');
    assert.equal(await outcome('+12025550102'), '503 Too Many New Destinations');
    await gateway.app.reload({ ...config, limits: { ...config.limits, fraud: undefined } });
    assert.equal(await outcome('+19005550123'), '200 OK');
  });
});
