import assert from 'node:assert/strict';
import { Secret } from '../../gateway/config/secret.js';
import type { RouteConfig } from '../../gateway/config/config.js';
import { Baresip } from '../support/baresip.js';
import { bothHear, bothHoldAndResume, browserHz, connect, phoneHz } from '../support/browser-and-phone.js';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { freePort } from '../support/free-port.js';
import { ipTrunk, passwordOf, usersRoute, type Gateway } from '../support/gateway.js';
import { startGatewayWithPages } from '../support/gateway-with-pages.js';
import { idle } from '../support/idle.js';
import { Kamailio } from '../support/kamailio.js';
import { requirePeer } from '../support/peers.js';
import { Softphone } from '../support/softphone.js';

const users = { '1001': 'phone-secret', '1002': 'other-secret', gw: 'gw-secret' };
const phoneDtmf = 'CALL_DTMF_START';

const phonesRoute: RouteConfig = {
  name: 'phones',
  match: /^1\d{3}$/,
  fromTrunk: undefined,
  to: { kind: 'trunks', trunks: ['pbx'] },
};

/** The main job: Chromium → webtrunk → Kamailio (registrar and proxy with digest) → baresip, and back. */
describe('a browser and a phone behind a PBX', function () {
  this.timeout(60_000);
  let browser: TestBrowser;
  let kamailio: Kamailio;
  let gateway: Gateway;
  let alice: Softphone;
  let phone: Baresip;

  before(async function () {
    const chromium = requirePeer(this, 'chromium');
    const program = requirePeer(this, 'kamailio');
    const phoneProgram = requirePeer(this, 'baresip');
    browser = await launchChromium(chromium, browserHz);
    const port = await freePort();
    const pbx = ipTrunk('pbx', `sip:127.0.0.1:${port};transport=udp`, {
      type: 'auth',
      auth: { username: 'gw', password: new Secret(users.gw) },
    });
    gateway = await startGatewayWithPages({
      trunks: [pbx],
      routes: [usersRoute, phonesRoute],
      // Each test is a browser of its own: the one before must not ring along.
      websocket: { resumeGraceMs: 0 },
    });
    const numbers = { numbers: ['alice', 'bob'], address: gateway.sipAddress };
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
    await browser?.close();
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

  describe('the browser calls', () => {
    it('and both hear each other until the browser hangs up', async () => {
      await connect(alice, phone);
      await bothHear(alice, phone);
      await alice.hangUp();
      await phone.event('CALL_CLOSED');
      await alice.waitForNotice('Call ended');
    });

    it('and both hear each other until the phone hangs up', async () => {
      await connect(alice, phone);
      await bothHear(alice, phone);
      phone.hangUp();
      await phone.event('CALL_CLOSED');
      await alice.waitForNotice('Call ended');
    });

    it('and each hold silences, each resume restores', async () => {
      await connect(alice, phone);
      await bothHear(alice, phone);
      await bothHoldAndResume(alice, phone);
      await alice.hangUp();
      await phone.event('CALL_CLOSED');
    });

    it('and its DTMF digits arrive', async () => {
      await connect(alice, phone);
      await bothHear(alice, phone);
      const digits: string[] = [];
      for (const digit of ['1', '9', '#']) {
        await alice.pressDigit(digit);
        digits.push((await phone.event(phoneDtmf)).param ?? '');
      }
      assert.deepEqual(digits, ['1', '9', '#']);
      await alice.hangUp();
      await phone.event('CALL_CLOSED');
    });

    it('and gives up while it rings', async () => {
      await alice.dial('1001');
      await phone.event('CALL_INCOMING');
      await alice.waitForState('Ringing');
      await alice.hangUp();
      await phone.event('CALL_CLOSED');
      await alice.waitForNoCall();
    });

    it('and reads that the phone is busy', async () => {
      await alice.dial('1001');
      await phone.event('CALL_INCOMING');
      phone.hangUp();
      await phone.event('CALL_CLOSED');
      await alice.waitForNotice('Busy');
    });

    it('and reads that there is no such phone', async () => {
      await alice.dial('1999');
      await alice.waitForNotice('No such number');
    });
  });

  describe('the phone calls', () => {
    const ring = async (): Promise<void> => {
      phone.dial(`sip:alice@${kamailio.address}`);
      assert.equal(await alice.waitForIncoming(), '1001');
    };

    it('and both hear each other until the phone hangs up', async () => {
      await ring();
      await alice.answer();
      await phone.event('CALL_ESTABLISHED');
      await bothHear(alice, phone);
      phone.hangUp();
      await phone.event('CALL_CLOSED');
      await alice.waitForNotice('Call ended');
    });

    it('and both hear each other until the browser hangs up', async () => {
      await ring();
      await alice.answer();
      await phone.event('CALL_ESTABLISHED');
      await bothHear(alice, phone);
      await alice.hangUp();
      await phone.event('CALL_CLOSED');
    });

    it('and gives up while it rings', async () => {
      await ring();
      phone.hangUp();
      await phone.event('CALL_CLOSED');
      await alice.waitForNoCall();
    });

    it('and is told that the browser declines', async () => {
      await ring();
      await alice.decline();
      assert.match((await phone.event('CALL_CLOSED')).param ?? '', /^(486|603) /);
      await alice.waitForNoCall();
    });

    it('and is told that nobody is there', async () => {
      phone.dial(`sip:bob@${kamailio.address}`);
      assert.match((await phone.event('CALL_CLOSED')).param ?? '', /^480 /);
    });
  });
});
