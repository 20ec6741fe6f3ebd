import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cdrSchema } from '../../gateway/cdr/cdr-schema.js';
import type { RouteConfig } from '../../gateway/config/config.js';
import { Secret } from '../../gateway/config/secret.js';
import { Baresip } from '../support/baresip.js';
import { bothHear, bothHoldAndResume, browserHz, connect, phoneHz } from '../support/browser-and-phone.js';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { freePort } from '../support/free-port.js';
import { ipTrunk, passwordOf, usersRoute, type Gateway } from '../support/gateway.js';
import { startGatewayWithPages } from '../support/gateway-with-pages.js';
import { idle } from '../support/idle.js';
import { Kamailio } from '../support/kamailio.js';
import { requirePeer } from '../support/peers.js';
import { Rtpengine } from '../support/rtpengine.js';
import { Softphone } from '../support/softphone.js';

const users = { '1001': 'phone-secret', gw: 'gw-secret' };

const phonesRoute: RouteConfig = {
  name: 'phones',
  match: /^1\d{3}$/,
  fromTrunk: undefined,
  to: { kind: 'trunks', trunks: ['pbx'] },
};

/** Chromium → webtrunk → Kamailio → baresip, and back, with the audio over two rtpengines. */
describe('a browser and a phone behind a PBX, with rtpengine', function () {
  this.timeout(60_000);
  let browser: TestBrowser;
  let servers: Rtpengine[] = [];
  let kamailio: Kamailio;
  let gateway: Gateway;
  let alice: Softphone;
  let phone: Baresip;
  let folder: string | undefined;
  let cdrFile: string;

  before(async function () {
    const chromium = requirePeer(this, 'chromium');
    const program = requirePeer(this, 'kamailio');
    const phoneProgram = requirePeer(this, 'baresip');
    const mediaProgram = requirePeer(this, 'rtpengine');
    browser = await launchChromium(chromium, browserHz);
    servers = [await Rtpengine.start(mediaProgram), await Rtpengine.start(mediaProgram)];
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-rtpengine-'));
    cdrFile = join(folder, 'cdr.ndjson');
    const port = await freePort();
    gateway = await startGatewayWithPages({
      trunks: [
        ipTrunk('pbx', `sip:127.0.0.1:${port};transport=udp`, {
          type: 'auth',
          auth: { username: 'gw', password: new Secret(users.gw) },
        }),
      ],
      routes: [usersRoute, phonesRoute],
      // Each test is a browser of its own: the one before must not ring along.
      websocket: { resumeGraceMs: 0 },
      cdrFile,
      media: { engine: 'rtpengine', instances: servers.map(({ address }) => ({ address, weight: 1 })) },
    });
    const numbers = { numbers: ['alice'], address: gateway.sipAddress };
    kamailio = await Kamailio.start({ program, users, gateway: numbers, port });
    phone = await Baresip.start({
      program: phoneProgram,
      user: '1001',
      password: users['1001'],
      registrar: kamailio.address,
      hz: phoneHz,
    });
  });

  after(async () => {
    await phone?.close();
    await kamailio?.close();
    await gateway?.close();
    for (const server of servers) await server.stop();
    await browser?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    phone.events.items.length = 0;
    alice = await Softphone.open(browser, gateway.pageUrl);
    await alice.signIn('alice', passwordOf('alice'));
  });

  afterEach(async () => {
    await alice.close();
    await idle(gateway);
    assert.deepEqual(alice.problems, []);
  });

  const calls = async (): Promise<number[]> => Promise.all(servers.map((server) => server.calls()));

  it('hear each other when the browser calls, and nothing is left in rtpengine after it', async () => {
    await connect(alice, phone);
    await bothHear(alice, phone);
    assert.deepEqual((await calls()).sort(), [0, 1]);
    await alice.hangUp();
    await phone.event('CALL_CLOSED');
    await idle(gateway);
    assert.deepEqual(await calls(), [0, 0]);
  });

  it('hear each other when the phone calls', async () => {
    phone.dial(`sip:alice@${kamailio.address}`);
    assert.equal(await alice.waitForIncoming(), '1001');
    await alice.answer();
    await phone.event('CALL_ESTABLISHED');
    await bothHear(alice, phone);
    phone.hangUp();
    await phone.event('CALL_CLOSED');
  });

  it('are silent while one holds, and hear each other after the resume', async () => {
    await connect(alice, phone);
    await bothHear(alice, phone);
    await bothHoldAndResume(alice, phone);
    await alice.hangUp();
    await phone.event('CALL_CLOSED');
  });

  it('leave a CDR with the figures of both sides', async () => {
    await connect(alice, phone);
    await bothHear(alice, phone);
    await alice.hangUp();
    await phone.event('CALL_CLOSED');
    await idle(gateway);
    const lines = (await readFile(cdrFile, 'utf8')).trimEnd().split('\n');
    const cdr = cdrSchema.parse(JSON.parse(lines.at(-1) ?? ''));
    assert.equal(cdr.termination.code, 'call.completed');
    assert.equal(cdr.media.length, 2);
    for (const { packetsReceived, codec } of cdr.media) {
      assert.ok(packetsReceived > 5, JSON.stringify(cdr.media));
      assert.ok(codec !== undefined);
    }
  });

  it('exchange DTMF digits', async () => {
    await connect(alice, phone);
    await bothHear(alice, phone);
    await alice.pressDigit('5');
    assert.equal((await phone.event('CALL_DTMF_START')).param, '5');
    await alice.hangUp();
    await phone.event('CALL_CLOSED');
  });

  it('hang up when their rtpengine dies, and call again over the other one', async () => {
    await connect(alice, phone);
    await bothHear(alice, phone);
    const at = (await calls()).indexOf(1);
    const [dead, alive] = at === 0 ? [servers[0], servers[1]] : [servers[1], servers[0]];
    assert.ok(dead !== undefined && alive !== undefined);
    await dead.kill();
    await alice.waitForNoCall();
    await phone.event('CALL_CLOSED');
    await idle(gateway);
    const ended = gateway.lines.filter(({ event }) => event === 'call.ended').at(-1);
    assert.equal(ended?.['code'], 'media.engine_lost');
    assert.match(await gateway.metrics.text(), /^webtrunk_media_servers_up 1$/m);

    await connect(alice, phone);
    await bothHear(alice, phone);
    assert.equal(await alive.calls(), 1);
    await alice.hangUp();
    await phone.event('CALL_CLOSED');
  });
});
