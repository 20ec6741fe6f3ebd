import assert from 'node:assert/strict';
import { Baresip } from '../support/baresip.js';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { requireOwnEngine } from '../support/engine-under-test.js';
import { ipTrunk, type Gateway } from '../support/gateway.js';
import { startGatewayWithPages } from '../support/gateway-with-pages.js';
import { idle } from '../support/idle.js';
import { JsSipPage } from '../support/jssip-page.js';
import { KamailioOffice } from '../support/kamailio-office.js';
import { requirePeer } from '../support/peers.js';
import { Softphone } from '../support/softphone.js';

const domain = 'pbx.example';
const extensions = {
  '1001': 'secret-of-1001',
  '1002': 'secret-of-1002',
  '1003': 'secret-of-1003',
  '1004': 'secret-of-1004',
};
const browserHz = 440;
const phoneHz = 1_000;

/** Browsers that are extensions of a PBX: Chromium → webtrunk → Kamailio → baresip and each other. */
describe('browsers that sign in with their extension of a PBX', function () {
  this.timeout(60_000);
  let browser: TestBrowser;
  let kamailio: KamailioOffice;
  let gateway: Gateway;
  let phone: Baresip;
  const pages: Softphone[] = [];

  before(async function () {
    const chromium = requirePeer(this, 'chromium');
    const program = requirePeer(this, 'kamailio');
    requirePeer(this, 'kamailio-presence-modules');
    const phoneProgram = requirePeer(this, 'baresip');
    browser = await launchChromium(chromium, browserHz);
    kamailio = await KamailioOffice.start({ program, domain, extensions });
    gateway = await startGatewayWithPages({
      trunks: [ipTrunk('office', kamailio.uri)],
      pbxDomains: { [domain]: 'office' },
      routes: [],
      websocket: { resumeGraceMs: 0 },
    });
    phone = await Baresip.start({
      program: phoneProgram,
      user: '1003',
      password: extensions['1003'],
      registrar: kamailio.address,
      hz: phoneHz,
    });
  });

  after(async () => {
    await phone?.close();
    await gateway?.close();
    await kamailio?.close();
    await browser?.close();
  });

  beforeEach(() => {
    phone.events.items.length = 0;
  });

  afterEach(async () => {
    const problems = pages.flatMap((page) => page.problems);
    for (const page of pages.splice(0)) await page.close();
    await idle(gateway);
    assert.deepEqual(problems, []);
  });

  const signIn = async (extension: keyof typeof extensions): Promise<Softphone> => {
    const page = await Softphone.open(browser, gateway.pageUrl);
    pages.push(page);
    await page.signIn(extension, extensions[extension]);
    return page;
  };

  it('call each other through the PBX, and both hear', async function () {
    requireOwnEngine(this);
    const [one, other] = [await signIn('1001'), await signIn('1002')];
    await one.dial('1002');
    assert.equal(await other.waitForIncoming(), '1001');
    await other.answer();
    await one.waitForState('In call');
    await Promise.all([one.waitForTone(browserHz), other.waitForTone(browserHz)]);
    assert.equal(gateway.app.inspect()['calls'], 2);
    await other.hangUp();
    await one.waitForNotice('Call ended');
  });

  it('call a phone of the PBX, and both hear', async () => {
    const one = await signIn('1001');
    await one.dial('1003');
    await phone.event('CALL_INCOMING');
    phone.accept();
    await one.waitForState('In call');
    await Promise.all([one.waitForTone(phoneHz), phone.waitForTone(browserHz)]);
    await one.hangUp();
    await phone.event('CALL_CLOSED');
  });

  it('are called by a phone of the PBX, and both hear', async () => {
    const one = await signIn('1001');
    phone.dial(`sip:1001@${kamailio.address}`);
    assert.equal(await one.waitForIncoming(), '1003');
    await one.answer();
    await phone.event('CALL_ESTABLISHED');
    await Promise.all([one.waitForTone(phoneHz), phone.waitForTone(browserHz)]);
    phone.hangUp();
    await one.waitForNotice('Call ended');
  });

  it('with JsSIP call and are called, by a softphone and by a phone of the PBX, and both hear', async function () {
    requireOwnEngine(this);
    const one = await signIn('1001');
    const account = {
      url: gateway.wsUrl,
      uri: `sip:1004@${domain}`,
      password: extensions['1004'],
    };
    const jssip = await JsSipPage.open(browser, gateway.pageUrl, account);
    const calling = jssip.call(`sip:1001@${domain}`);
    assert.equal(await one.waitForIncoming(), '1004');
    await one.answer();
    await calling;
    await Promise.all([one.waitForTone(browserHz), jssip.waitForTone(browserHz)]);
    await jssip.hangUp();
    await one.waitForNotice('Call ended');
    phone.dial(`sip:1004@${kamailio.address}`);
    assert.equal(await jssip.incoming(), '1003');
    await jssip.answer();
    await phone.event('CALL_ESTABLISHED');
    await Promise.all([jssip.waitForTone(phoneHz), phone.waitForTone(browserHz)]);
    phone.hangUp();
    await jssip.ended();
    await jssip.close();
  });

  it('read that the PBX refuses a wrong password', async () => {
    const page = await Softphone.open(browser, gateway.pageUrl);
    await page.submitSignIn('1001', 'guess');
    await page.waitForSignInProblem('Wrong user name or password');
    await page.close();
    assert.equal(gateway.app.inspect()['endpoints'], 0);
  });

  it('read that there is no such extension', async () => {
    const one = await signIn('1001');
    await one.dial('1999');
    await one.waitForNotice('No such number');
  });

  it('leave the PBX when they sign out: it reaches them no more', async () => {
    const one = await signIn('1001');
    await one.page.click('#settings-button');
    await one.page.click('text=Sign out');
    await idle(gateway, ['bindings', 'pbxContacts']);
    phone.dial(`sip:1001@${kamailio.address}`);
    assert.match((await phone.event('CALL_CLOSED')).param ?? '', /^(404|480) /);
  });

  it('and their passwords are nowhere in the gateway', () => {
    const config = JSON.stringify(gateway.app.config);
    const log = JSON.stringify(gateway.lines);
    for (const secret of Object.values(extensions)) {
      assert.ok(!config.includes(secret));
      assert.ok(!log.includes(secret));
    }
  });
});
