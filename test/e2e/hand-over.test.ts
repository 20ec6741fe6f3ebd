import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Baresip } from '../support/baresip.js';
import { bothHear, bothHoldAndResume, browserHz, connect, phoneHz } from '../support/browser-and-phone.js';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { freePort } from '../support/free-port.js';
import { GatewayProcess } from '../support/gateway-process.js';
import { passwordOf } from '../support/gateway.js';
import { Haproxy, type HaproxyServer } from '../support/haproxy.js';
import { Kamailio } from '../support/kamailio.js';
import { requirePeer } from '../support/peers.js';
import { Redis } from '../support/redis.js';
import { Rtpengine } from '../support/rtpengine.js';
import { officeUsers as users, sharedOffice } from '../support/shared-office.js';
import { Softphone } from '../support/softphone.js';

/** Chromium → webtrunk → Kamailio → baresip, and back; webtrunk is killed with the call up. */
describe('a call that is up when webtrunk is killed', function () {
  this.timeout(60_000);
  let browser: TestBrowser;
  let server: Rtpengine;
  let redis: Redis;
  let kamailio: Kamailio;
  let phone: Baresip;
  let folder: string;
  let sip: number;
  let pbx: number;
  let alice: Softphone;

  before(async function () {
    const chromium = requirePeer(this, 'chromium');
    const program = requirePeer(this, 'kamailio');
    const phoneProgram = requirePeer(this, 'baresip');
    const mediaProgram = requirePeer(this, 'rtpengine');
    redis = await Redis.start(requirePeer(this, 'redis-server'));
    browser = await launchChromium(chromium, browserHz);
    server = await Rtpengine.start(mediaProgram);
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-hand-over-'));
    [sip, pbx] = [await freePort(), await freePort()];
    kamailio = await Kamailio.start({
      program,
      users,
      gateway: { numbers: ['alice'], address: `127.0.0.1:${sip}` },
      port: pbx,
    });
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
    await server?.stop();
    await redis?.stop();
    await browser?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  beforeEach(() => {
    phone.events.items.length = 0;
  });

  afterEach(async () => {
    await alice?.close();
    phone.hangUp();
  });

  const signIn = async (url: string): Promise<void> => {
    alice = await Softphone.open(browser, url);
    await alice.signIn('alice', passwordOf('alice'));
  };

  describe('and started again', () => {
    let config: string;
    let gateway: GatewayProcess;

    before(async () => {
      config = join(folder, 'office.yaml');
      const http = await freePort();
      await writeFile(config, sharedOffice({ http, sip, pbx, ng: server.port, store: redis.url }));
    });

    beforeEach(async () => {
      gateway = await GatewayProcess.start(config);
      await signIn(gateway.url('pages'));
    });

    afterEach(async () => {
      await gateway.stop();
      await rm(join(folder, 'cdr.ndjson'), { force: true });
    });

    const records = async (): Promise<Record<string, unknown>[]> =>
      (await readFile(join(folder, 'cdr.ndjson'), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);

    /** Kills webtrunk, with the tones still heard, and starts it again. Gives the id of the call that goes on. */
    const startAgain = async (): Promise<unknown> => {
      await gateway.kill();
      await bothHear(alice, phone);
      gateway = await GatewayProcess.start(config);
      const { callId } = await gateway.logged('call.taken_over');
      await alice.waitForLine('Connected as alice');
      await alice.waitForState('In call');
      await bothHear(alice, phone);
      return callId;
    };

    it('goes on: audio never stops; hold, digits and hang-up of the page work in the next process', async () => {
      await connect(alice, phone);
      await bothHear(alice, phone);
      const callId = await startAgain();

      await alice.hold();
      await alice.waitForSilence();
      await alice.resume();
      await bothHear(alice, phone);
      await alice.pressDigit('7');
      assert.equal((await phone.event('CALL_DTMF_START')).param, '7');
      await alice.hangUp();
      await alice.waitForNoCall();
      await phone.event('CALL_CLOSED');
      assert.equal((await gateway.logged('call.ended'))['callId'], callId);
      await gateway.stop();
      const [record, ...rest] = await records();
      assert.deepEqual(rest, []);
      assert.equal(record?.['callId'], callId);
      const keys = await redis.keys();
      assert.deepEqual(
        keys.filter((key) => key.endsWith(':call')),
        [],
      );
    });

    it('goes on when the PBX called; hold and hang-up of the phone work in the next process', async () => {
      phone.dial(`sip:alice@${kamailio.address}`);
      await alice.waitForIncoming();
      await alice.answer();
      await bothHear(alice, phone);
      await startAgain();

      phone.hold();
      await alice.waitForSilence();
      phone.resume();
      await bothHear(alice, phone);
      phone.hangUp();
      await alice.waitForNoCall();
      await gateway.logged('call.ended');
    });
  });

  describe('and was one of two behind HAProxy', () => {
    let haproxy: Haproxy | undefined;
    const nodes: GatewayProcess[] = [];

    before(async function () {
      const program = requirePeer(this, 'haproxy');
      const servers: HaproxyServer[] = [];
      for (const name of ['one', 'two']) {
        const [port, adminPort] = [await freePort(), await freePort()];
        const config = join(folder, `${name}.yaml`);
        const ports = { http: port, admin: adminPort, sip: await freePort(), pbx, ng: server.port };
        await writeFile(config, sharedOffice({ ...ports, store: redis.url }));
        nodes.push(await GatewayProcess.start(config));
        servers.push({ name, port, adminPort });
      }
      haproxy = await Haproxy.start(program, servers);
      await signIn(haproxy.url);
    });

    after(async () => {
      for (const gateway of nodes) await gateway.stop();
      await haproxy?.stop();
    });

    it('goes on at the other: audio never stops, and both can hold and hang up', async () => {
      await connect(alice, phone);
      await bothHear(alice, phone);
      const holds = ({ lines }: GatewayProcess): boolean =>
        lines.some(({ event }) => event === 'call.answered');
      const [dying] = nodes.filter(holds);
      const [other] = nodes.filter((node) => !holds(node));
      assert.ok(dying !== undefined && other !== undefined);

      await dying.kill();
      await other.logged('call.taken_over');
      await alice.waitForLine('Connected as alice');
      await bothHear(alice, phone);
      await bothHoldAndResume(alice, phone);
      phone.hangUp();
      await alice.waitForNoCall();
      await other.logged('call.ended');
    });
  });
});
