import assert from 'node:assert/strict';
import { TrunkTable } from '../../../gateway/trunk/trunk-table.js';
import type { Trunk } from '../../../gateway/trunk/trunk.js';
import { SourceList } from '../../../gateway/trunk/source-list.js';
import { TrunkSources } from '../../../gateway/trunk/trunk-sources.js';
import { FakeClock } from '../../support/fake-clock.js';

const office: Trunk = {
  name: 'office',
  type: 'auth',
  hosts: [
    { uri: 'sip:127.0.0.2:5062;transport=tcp', priority: 20 },
    { uri: 'sip:127.0.0.1:5060', priority: 10 },
  ],
  auth: { username: 'gw', password: 'secret' },
  from: undefined,
  inbound: { allow: undefined, numbers: ['+15551230000'] },
  media: { codecs: ['PCMU'], ptimeMs: 20 },
};

const dialler = {
  invite: () => {
    throw new Error('not invited in this test');
  },
};

const tableOf = (...trunks: Trunk[]): Promise<TrunkTable> =>
  TrunkTable.create({
    trunks,
    dialler,
    find: (uri) => assert.fail(`${uri} is looked up`),
    clock: new FakeClock(),
    unresolved: (_trunk, host) => assert.fail(host),
  });

const dialled = { user: '600', escapedUser: '600' };
const alice = { user: 'alice', displayName: 'Alice', callerId: undefined };

describe('the trunk table', () => {
  it('tries the host with the lowest priority first', async () => {
    const targets = (await tableOf(office)).targets('office', dialled, alice);
    assert.deepEqual(
      targets.map(({ label }) => label),
      ['office sip:127.0.0.1:5060', 'office sip:127.0.0.2:5062;transport=tcp'],
    );
  });

  it('shows the calling user at the host unless From is configured', async () => {
    const [plain] = (await tableOf(office)).targets('office', dialled, alice);
    assert.deepEqual(plain?.from, { uri: 'sip:alice@127.0.0.1:5060', displayName: 'Alice' });
    const own = { ...office, from: { user: '+15551230000', domain: 'example.com' } };
    const [configured] = (await tableOf(own)).targets('office', dialled, alice);
    assert.equal(configured?.from.uri, 'sip:+15551230000@example.com');
  });

  it('shows the caller-id of the user instead of the user name', async () => {
    const [target] = (await tableOf(office)).targets('office', dialled, {
      ...alice,
      callerId: '+15551230001',
    });
    assert.equal(target?.from.uri, 'sip:+15551230001@127.0.0.1:5060');
  });

  it('offers the codecs and the packet time of the trunk', async () => {
    const [target] = (await tableOf(office)).targets('office', dialled, alice);
    assert.deepEqual(target?.media, { profile: 'plain', codecs: ['PCMU'], ptimeMs: 20 });
  });

  it('waits for a host in an emergency as long as ever, and limits nothing else', async () => {
    const limited = {
      ...office,
      attemptTimeoutMs: 5_000,
      limits: { maxRingMs: 1, maxDurationMs: 1, channels: 0 },
    };
    const [target] = (await tableOf(limited)).targets('office', dialled, alice, { emergency: true });
    assert.deepEqual(target?.limits, { attemptTimeoutMs: 5_000, progressTimeoutMs: undefined });
  });

  it('knows a trunk by the addresses of its hosts', async () => {
    const table = await tableOf(office);
    assert.equal(table.identify('127.0.0.2')?.name, 'office');
    assert.equal(table.identify('::ffff:127.0.0.1')?.name, 'office');
    assert.equal(table.identify('127.0.0.3'), undefined);
  });

  it('knows a trunk by its allow list instead, when it has one', async () => {
    const table = await tableOf({
      ...office,
      inbound: { allow: ['198.51.100.0/24', '2001:db8::1'], numbers: undefined },
    });
    assert.equal(table.identify('198.51.100.77')?.name, 'office');
    assert.equal(table.identify('2001:db8::1')?.name, 'office');
    assert.equal(table.identify('127.0.0.1'), undefined);
  });

  it('accepts only the numbers that are listed', async () => {
    const table = await tableOf(office);
    assert.equal(table.accepts('office', { user: '+15551230000', escapedUser: '' }), true);
    assert.equal(table.accepts('office', dialled), false);
  });

  it('fails for a trunk that has no host', async () => {
    const table = await tableOf({ ...office, hosts: [] });
    assert.throws(() => table.targets('office', dialled, alice), { code: 'trunk.unavailable' });
    assert.throws(() => table.targets('nowhere', dialled, alice), { code: 'trunk.unavailable' });
  });
});

describe('the sources of a trunk', () => {
  const clock = new FakeClock();
  const missing: string[] = [];
  let known: Record<string, readonly string[]> = {};
  let sources: TrunkSources | undefined;

  const open = async (allow: readonly string[] | undefined, ...uris: string[]): Promise<TrunkSources> => {
    missing.length = 0;
    const hosts = uris.map((uri) => ({ uri, priority: 10 }));
    sources = new TrunkSources({
      trunk: { ...office, hosts, inbound: { allow, numbers: undefined } },
      find: (uri) => Promise.resolve(known[uri] ?? []),
      clock,
      unresolved: (host) => missing.push(host),
    });
    await sources.open();
    return sources;
  };

  const minuteLater = async (): Promise<void> => {
    clock.advance(60_000);
    await new Promise((resolve) => setImmediate(resolve));
  };

  afterEach(() => sources?.close());

  it('are all addresses that the URIs of its hosts stand for', async () => {
    known = { 'sip:carrier.test': ['192.0.2.1', '2001:db8::1'] };
    const list = await open(undefined, 'sip:carrier.test', 'sip:192.0.2.9:5060', 'sips:[2001:db8::9]');
    for (const address of ['192.0.2.1', '2001:db8::1', '192.0.2.9', '2001:db8::9', '::ffff:192.0.2.9'])
      assert.equal(list.has(address), true, address);
    assert.equal(list.has('192.0.2.2'), false);
  });

  it('are those of its allow-list when it has one', async () => {
    known = { 'sip:pbx.test': ['192.0.2.1'] };
    const list = await open(['198.51.100.0/24', 'pbx.test'], 'sip:192.0.2.9');
    assert.deepEqual(
      ['198.51.100.77', '192.0.2.1', '192.0.2.9'].map((address) => list.has(address)),
      [true, true, false],
    );
  });

  it('follow a name that moves', async () => {
    known = { 'sip:pbx.test': ['192.0.2.1'] };
    const list = await open(undefined, 'sip:pbx.test');
    known = { 'sip:pbx.test': ['192.0.2.2'] };
    await minuteLater();
    assert.deepEqual([list.has('192.0.2.1'), list.has('192.0.2.2')], [false, true]);
  });

  it('stay when a name has no address for a while, which is told once', async () => {
    known = { 'sip:pbx.test': ['192.0.2.1'] };
    const list = await open(undefined, 'sip:pbx.test');
    known = {};
    await minuteLater();
    await minuteLater();
    assert.equal(list.has('192.0.2.1'), true);
    assert.deepEqual(missing, ['pbx.test']);
  });

  it('are looked up no more when it is closed', async () => {
    const before = clock.pending;
    (await open(undefined, 'sip:pbx.test')).close();
    assert.equal(clock.pending, before);
  });
});

describe('a source list', () => {
  it('is not confused by what is not an address', () => {
    assert.equal(new SourceList().has('not an address'), false);
    assert.equal(new SourceList().add('pbx.test'), false);
  });
});
