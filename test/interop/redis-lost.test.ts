import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SipResponse } from '../../sip/message/index.js';
import { freePort } from '../support/free-port.js';
import { GatewayProcess, type LogLine } from '../support/gateway-process.js';
import { passwordOf } from '../support/gateway.js';
import { callOffice, signInAlice } from '../support/office-gateway.js';
import { requirePeer } from '../support/peers.js';
import { Redis } from '../support/redis.js';
import { sdp, UdpPeer } from '../support/sip-peer.js';
import { acknowledge, inDialog } from '../support/ws-call.js';
import type { WsSipClient } from '../support/ws-sip-client.js';

/** Of webtrunk at Redis. */
const login = { user: 'gw', password: 'a-secret-of-redis' };

describe('a webtrunk whose Redis is lost while a call is up', function () {
  this.timeout(20_000);
  let program: string;
  let redis: Redis;
  let folder: string;
  let pbx: UdpPeer;
  let gateway: GatewayProcess;
  let alice: WsSipClient;
  let answered: SipResponse;

  before(async function () {
    program = requirePeer(this, 'redis-server');
    redis = await Redis.start(program);
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-redis-'));
  });

  after(async () => {
    await redis?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  /** Starts a webtrunk with that store and puts a call of alice's through to the PBX. */
  const begin = async (store: string): Promise<void> => {
    const sip = await freePort();
    pbx = await UdpPeer.open(sip);
    const file = join(folder, 'office.yaml');
    await writeFile(
      file,
      `listen:
  http: { address: 127.0.0.1, port: 0 }
  admin: { address: 127.0.0.1, port: 0 }
domains: [{ name: localhost, users: [{ name: alice, password: ${passwordOf('alice')} }] }]
sip: { embedded: { listen: ["udp:127.0.0.1:${sip}"] } }
media: { engine: passthrough }
trunks: [{ name: office, type: ip, hosts: [{ uri: "sip:127.0.0.1:${pbx.port};transport=udp" }] }]
routes: [{ name: office, match: "^[0-9]+$", to: { trunks: [office] } }]
cdr: { file: cdr.ndjson }
store: ${store}
`,
    );
    gateway = await GatewayProcess.start(file);
    alice = await signInAlice(gateway.url('pages'));
    answered = await callOffice(alice, pbx);
  };

  afterEach(async () => {
    await alice.close();
    await gateway.stop();
    await pbx.close();
    await rm(join(folder, 'cdr.ndjson'), { force: true });
  });

  /** A re-INVITE of alice's goes through to the PBX and back. */
  const callGoesOn = async (): Promise<void> => {
    const reinvited = alice.transact(inDialog(alice, 'INVITE', answered, { sdp: sdp(7002) }));
    pbx.respond(await pbx.request('INVITE'), 200, 'OK', { body: sdp(6000) });
    const again = await reinvited;
    assert.equal(again.status, 200);
    acknowledge(alice, again);
    await pbx.request('ACK');
  };

  const hangUp = async (): Promise<void> => {
    const said = alice.transact(inDialog(alice, 'BYE', answered));
    pbx.respond(await pbx.request('BYE'), 200, 'OK');
    assert.equal((await said).status, 200);
    await gateway.logged('call.ended');
    const record = JSON.parse(await readFile(join(folder, 'cdr.ndjson'), 'utf8')) as {
      termination: { code: string };
    };
    assert.equal(record.termination.code, 'call.completed');
  };

  const metric = async (name: string): Promise<string | undefined> => {
    const text = await (await fetch(`${gateway.url('admin')}/metrics`)).text();
    return new RegExp(`^webtrunk_${name} (.+)$`, 'm').exec(text)?.[1];
  };

  const lost = async (cause: RegExp): Promise<LogLine> => {
    const line = await gateway.logged('store.down');
    assert.match(String(line['cause']), cause);
    assert.equal(await metric('store_up'), '0');
    return line;
  };

  /** Resolves when webtrunk has told that it has Redis back, and Redis what is up. */
  const back = async (): Promise<void> => {
    await gateway.logged('store.up');
    assert.equal(await metric('store_up'), '1');
    await callGoesOn();
  };

  const holdsCall = async (): Promise<boolean> => (await redis.keys()).some((key) => key.endsWith(':call'));

  it('goes on while Redis is started again without what it held, and tells it anew', async () => {
    await begin(redis.url);
    await gateway.logged('store.up');
    const { port } = redis;
    await redis.stop();
    await lost(/closed|ECONNREFUSED/);
    await callGoesOn();
    redis = await Redis.start(program, port);
    const commands = await redis.watch();
    await back();
    await commands.first((command) => command.includes(':call"'));
    await commands.first((command) => command.includes('sip:alice@localhost'));
    await hangUp();
    await commands.first((command) => command.includes('"HDEL"'));
    assert.equal(await holdsCall(), false);
    assert.equal(await metric('store_losses_total'), '1');
  });

  for (const { what, cause, begins, ends } of [
    {
      what: 'has no memory left',
      cause: /^OOM command not allowed/,
      begins: ['CONFIG', 'SET', 'maxmemory', '1'],
      ends: ['CONFIG', 'SET', 'maxmemory', '0'],
    },
    {
      what: 'is a replica that takes no writes',
      cause: /^READONLY/,
      begins: ['REPLICAOF', '127.0.0.1', '9'],
      ends: ['REPLICAOF', 'NO', 'ONE'],
    },
  ]) {
    it(`goes on while Redis ${what}, and writes what has changed when it takes it`, async () => {
      await begin(redis.url);
      await gateway.logged('store.up');
      await redis.ask(...begins);
      await lost(cause);
      await callGoesOn();
      const commands = await redis.watch();
      await redis.ask(...ends);
      await back();
      await commands.first((command) => command.includes(':call"'));
      await hangUp();
      await commands.first((command) => command.includes('"HDEL"'));
      assert.equal(await holdsCall(), false);
    });
  }

  it('goes on while Redis does not take its password, which no log line has, and takes up Redis once it does', async () => {
    const { user, password } = login;
    await redis.ask('ACL', 'SETUSER', user, 'on', '>another', '~*', '&*', '+@all');
    await begin(`redis://${user}:${password}@127.0.0.1:${redis.port}`);
    await lost(/^WRONGPASS/);
    await callGoesOn();
    await redis.ask('ACL', 'SETUSER', user, `>${password}`);
    await back();
    assert.equal(await metric('store_losses_total'), '1');
    assert.equal(JSON.stringify(gateway.lines).includes(password), false);
    await hangUp();
  });
});
