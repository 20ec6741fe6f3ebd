import assert from 'node:assert/strict';
import type { TrunkConfig } from '../../gateway/config/config.js';
import { Secret } from '../../gateway/config/secret.js';
import type { SipResponse } from '../../sip/message/index.js';
import { a, DnsServer, srv } from '../support/dns-server.js';
import { chosenEngine } from '../support/engine-under-test.js';
import { freePort } from '../support/free-port.js';
import { ipTrunk, passwordOf, startGateway, type Gateway } from '../support/gateway.js';
import { idle } from '../support/idle.js';
import { Kamailio } from '../support/kamailio.js';
import { requirePeer } from '../support/peers.js';
import { startSipp, type RunningSipp } from '../support/run-sipp.js';
import { sdp } from '../support/sip-peer.js';
import { acknowledge, inDialog } from '../support/ws-call.js';
import { WsSipClient } from '../support/ws-sip-client.js';

const account = { username: 'gw', password: new Secret('gw-secret') };

/** A Kamailio that asks for a password, and the SIPp that it sends calls to. */
interface Carrier {
  readonly kamailio: Kamailio;
  readonly phone: RunningSipp;
  readonly phonePort: number;
}

describe('a trunk to two Kamailios', function () {
  this.timeout(40_000);
  let program = '';
  let sipp = '';
  let gateway: Gateway;
  let alice: WsSipClient;
  let carriers: Carrier[] = [];
  const closers: (() => Promise<void> | void)[] = [];

  before(function () {
    // A drachtio-server has name servers of its own, and does not tell of 100 Trying.
    if (chosenEngine() === 'drachtio') this.skip();
    program = requirePeer(this, 'kamailio');
    sipp = requirePeer(this, 'sipp');
  });

  const startKamailio = (phonePort: number, port?: number): Promise<Kamailio> =>
    Kamailio.start({
      program,
      users: { gw: 'gw-secret' },
      gateway: { numbers: ['600'], address: `127.0.0.1:${phonePort}` },
      ...(port === undefined ? {} : { port }),
    });

  const startCarrier = async (): Promise<Carrier> => {
    const port = await freePort();
    const run = { program: sipp, scenario: 'callee.xml', transport: 'udp', port } as const;
    const phone = startSipp({ ...run, calls: 1_000_000, timeoutSeconds: 38 });
    closers.push(() => phone.stop());
    await phone.listening;
    return { phone, phonePort: port, kamailio: await startKamailio(port) };
  };

  beforeEach(async () => {
    carriers = await Promise.all([startCarrier(), startCarrier()]);
  });

  afterEach(async () => {
    await alice.close();
    await gateway.close();
    for (const { kamailio } of carriers) {
      kamailio.resume();
      await kamailio.close();
    }
    for (const close of closers.splice(0)) await close();
  });

  const open = async (trunk: TrunkConfig, nameServers: readonly string[] = []): Promise<void> => {
    gateway = await startGateway({
      media: 'passthrough',
      trunks: [trunk],
      routes: [
        { name: 'out', match: /^600$/, fromTrunk: undefined, to: { kind: 'trunks', trunks: ['carrier'] } },
      ],
      ...(nameServers.length === 0 ? {} : { nameServers }),
    });
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    await alice.register();
  };

  const dial = (): Promise<SipResponse> => {
    const headers = ['To: <sip:600@localhost>', 'Content-Type: application/sdp'];
    return alice.transact(alice.request('INVITE', 'sip:600@localhost', { headers, body: sdp(7000) }));
  };

  /** Alice calls, and hangs up. How long it took until somebody answered. */
  const call = async (): Promise<number> => {
    const beganMs = Date.now();
    const answered = await dial();
    assert.equal(answered.status, 200);
    const setupMs = Date.now() - beganMs;
    acknowledge(alice, answered);
    assert.equal((await alice.transact(inDialog(alice, 'BYE', answered))).status, 200);
    await idle(gateway, ['calls', 'trunk_channels']);
    return setupMs;
  };

  const events = (wanted: RegExp): Record<string, unknown>[] =>
    gateway.lines.filter(({ event }) => wanted.test(String(event)));

  /** Calls that each phone has taken; they take no more. */
  const taken = (): Promise<number[]> =>
    Promise.all(
      carriers.map(async ({ phone }) => {
        phone.finish();
        const { successful, failed, errors } = await phone.result;
        assert.equal(failed, 0, errors);
        return successful;
      }),
    );

  const uris = (): string[] => carriers.map(({ kamailio }) => kamailio.uri);

  it('of one domain with SRV records calls the second when the first is gone, and nobody twice', async () => {
    const dns = await DnsServer.open();
    closers.push(() => dns.close());
    const [one, two] = carriers.map(({ kamailio }) => kamailio.port);
    dns.add(
      srv('_sip._udp.carrier.test', 'one.carrier.test', one ?? 0, 10),
      srv('_sip._udp.carrier.test', 'two.carrier.test', two ?? 0, 20),
      a('one.carrier.test'),
      a('two.carrier.test'),
    );
    const uri = 'sip:carrier.test;transport=udp';
    await open(ipTrunk('carrier', uri, { type: 'auth', auth: account }), [dns.address]);
    assert.ok((await call()) < 2_000);
    await carriers[0]?.kamailio.close();
    assert.ok((await call()) < 8_000);
    assert.ok((await call()) < 2_000, 'the dead one is not asked again at once');
    assert.deepEqual(await taken(), [1, 2]);
  });

  it('leaves one that flaps, comes back to it each time, and keeps no call waiting longer than attempt_timeout', async () => {
    const attemptTimeoutMs = 700;
    const hosts = uris().map((uri, priority) => ({ uri, priority }));
    const options = { everyMs: 250, failAfter: 2 };
    const upkeep = { hosts, options, attemptTimeoutMs, type: 'auth', auth: account } as const;
    await open(ipTrunk('carrier', '', upkeep));
    const [first] = carriers;
    assert.ok(first !== undefined);
    const state = async (wanted: string): Promise<void> => {
      const untilMs = Date.now() + 10_000;
      while (gateway.app.trunkStatuses.get('carrier')?.hosts[0]?.state !== wanted) {
        if (Date.now() > untilMs) assert.fail(`never ${wanted}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const setupsMs: number[] = [];
    const { port } = first.kamailio;
    await state('up');
    for (const end of ['silent', 'dead', 'silent']) {
      const { kamailio } = carriers[0] ?? first;
      if (end === 'silent') kamailio.pause();
      else await kamailio.close();
      setupsMs.push(await call());
      await state('down');
      setupsMs.push(await call());
      if (end === 'silent') kamailio.resume();
      else carriers[0] = { ...first, kamailio: await startKamailio(first.phonePort, port) };
      await state('up');
      assert.ok((await call()) < attemptTimeoutMs);
    }
    const longestMs = Math.max(...setupsMs);
    assert.ok(longestMs < attemptTimeoutMs + 500, `${setupsMs.join(', ')} ms`);
    const changes = events(/^trunk\.host_/).map(({ event }) => event);
    assert.deepEqual(changes, Array.from({ length: 3 }, () => ['trunk.host_down', 'trunk.host_up']).flat());
    assert.match(await gateway.metrics.text(), /^webtrunk_trunk_host_losses_total 3$/m);
    const aboutOptions = gateway.lines.filter(
      ({ msg, event }) => String(msg).includes('OPTIONS') && event !== 'trunk.host_down',
    );
    assert.deepEqual(aboutOptions, []);
    const lost = events(/^call\.attempt_failed$/);
    assert.ok(lost.length >= 1 && lost.length <= 3, `${lost.length}`);
    assert.equal(lost[0]?.['code'], 'trunk.timeout');
    assert.deepEqual(await taken(), [3, 6]);
  });

  it('one of which dies in mid-call lets the caller hang up at once, and the next call goes to the other', async () => {
    const hosts = uris().map((uri, priority) => ({ uri, priority }));
    await open(ipTrunk('carrier', '', { hosts, attemptTimeoutMs: 500, type: 'auth', auth: account }));
    const answered = await dial();
    acknowledge(alice, answered);
    await carriers[0]?.kamailio.close();
    const beganMs = Date.now();
    assert.equal((await alice.transact(inDialog(alice, 'BYE', answered))).status, 200);
    assert.ok(Date.now() - beganMs < 500);
    assert.equal((await dial()).status, 200);
  });
});
