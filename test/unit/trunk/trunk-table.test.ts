import assert from 'node:assert/strict';
import { TrunkTable } from '../../../gateway/trunk/trunk-table.js';
import type { Trunk } from '../../../gateway/trunk/trunk.js';
import { SourceList } from '../../../gateway/trunk/source-list.js';

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
  TrunkTable.create(trunks, dialler, (_trunk, host, cause) => assert.fail(`${host}: ${String(cause)}`));

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

describe('a source list', () => {
  it('takes the addresses of a host name', async () => {
    const list = new SourceList();
    await list.add('localhost');
    assert.equal(list.has('127.0.0.1') || list.has('::1'), true);
  });

  it('is not confused by what is not an address', () => {
    assert.equal(new SourceList().has('not an address'), false);
  });
});
