import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { CutLine } from '../support/cut-line.js';
import { ipTrunk, passwordOf, type Gateway } from '../support/gateway.js';
import { startGatewayWithPages } from '../support/gateway-with-pages.js';
import { idle } from '../support/idle.js';
import { PbxPhone } from '../support/pbx-phone.js';
import { requirePeer } from '../support/peers.js';
import { Softphone } from '../support/softphone.js';

const aliceHz = 440;
const bobHz = 700;

/** Everything that is ours at once: the page in a real Chromium, the gateway, the trunk hop, the media relay. */
describe('the softphone through the gateway', function () {
  this.timeout(60_000);
  let aliceBrowser: TestBrowser;
  let bobBrowser: TestBrowser;
  let gateway: Gateway;
  let alice: Softphone;

  before(async function () {
    const chromium = requirePeer(this, 'chromium');
    aliceBrowser = await launchChromium(chromium, aliceHz);
    bobBrowser = await launchChromium(chromium, bobHz);
  });
  after(async () => {
    await aliceBrowser?.close();
    await bobBrowser?.close();
  });
  beforeEach(async () => {
    gateway = await startGatewayWithPages();
    alice = await Softphone.open(aliceBrowser, gateway.pageUrl);
  });
  afterEach(async () => {
    await alice.close();
    await gateway.close();
  });

  it('refuses a wrong password in words', async () => {
    await alice.submitSignIn('alice', 'wrong');
    await alice.waitForSignInProblem('Wrong user name or password');
  });

  it('says that a number does not exist', async () => {
    await alice.signIn('alice', passwordOf('alice'));
    await alice.dial('12345');
    await alice.waitForNotice('No such number');
  });

  it('says that a user who is not signed in cannot be reached', async () => {
    await alice.signIn('alice', passwordOf('alice'));
    await alice.dial('bob');
    await alice.waitForNotice('Not reachable right now');
  });

  describe('a call to the echo number', () => {
    beforeEach(async () => {
      await alice.signIn('alice', passwordOf('alice'));
      await alice.dial('600');
      await alice.waitForState('In call');
    });

    it('brings back what was said, through the trunk hop', async () => {
      await alice.waitForTone(aliceHz);
      await alice.hangUp();
      await alice.waitForNotice('Call ended');
      assert.deepEqual(alice.problems, []);
      await idle(gateway);
    });

    it('falls silent on mute and on hold, and comes back', async () => {
      await alice.waitForTone(aliceHz);
      await alice.mute();
      await alice.waitForSilence();
      await alice.unmute();
      await alice.waitForTone(aliceHz);
      await alice.hold();
      await alice.waitForSilence();
      await alice.resume();
      await alice.waitForTone(aliceHz);
    });
  });

  describe('a call between two browsers', () => {
    let bob: Softphone;

    beforeEach(async () => {
      bob = await Softphone.open(bobBrowser, gateway.pageUrl);
      await alice.signIn('alice', passwordOf('alice'));
      await bob.signIn('bob', passwordOf('bob'));
      await alice.dial('bob');
    });
    afterEach(() => bob.close());

    it('rings, is answered, carries both tones, and leaves nothing behind', async () => {
      assert.equal(await bob.waitForIncoming(), 'Alice');
      await alice.waitForState('Ringing…');
      await bob.answer();
      await alice.waitForState('In call');
      await bob.waitForState('In call');
      await alice.waitForTone(bobHz);
      await bob.waitForTone(aliceHz);
      await bob.hangUp();
      await alice.waitForNotice('Call ended');
      await alice.waitForNoCall();
      assert.deepEqual([...alice.problems, ...bob.problems], []);
      await idle(gateway);
    });

    it('is held by one and resumed, both sides seeing it', async () => {
      await bob.waitForIncoming();
      await bob.answer();
      await alice.waitForTone(bobHz);
      await alice.hold();
      await bob.waitForState('The other side put you on hold');
      await bob.waitForSilence();
      await alice.resume();
      await bob.waitForState('In call');
      await bob.waitForTone(aliceHz);
      await alice.waitForTone(bobHz);
      await alice.hangUp();
      await bob.waitForNotice('Call ended');
      await idle(gateway);
    });

    it('is declined, in words', async () => {
      await bob.waitForIncoming();
      await bob.decline();
      await alice.waitForNotice('Declined');
      await idle(gateway);
    });

    it('is given up by the caller, and shown as missed', async () => {
      await bob.waitForIncoming();
      await alice.page.keyboard.press('Escape');
      await bob.waitForNotice('Missed call from Alice');
      await alice.waitForNoCall();
      await idle(gateway);
    });
  });

  describe('a call between two browsers that is anchored', () => {
    let anchored: Gateway;
    let caller: Softphone;
    let callee: Softphone;

    beforeEach(async () => {
      anchored = await startGatewayWithPages({ browserToBrowser: 'anchored', mediaProcesses: 1 });
      caller = await Softphone.open(aliceBrowser, anchored.pageUrl);
      callee = await Softphone.open(bobBrowser, anchored.pageUrl);
      await caller.signIn('alice', passwordOf('alice'));
      await callee.signIn('bob', passwordOf('bob'));
      await caller.dial('bob');
      await callee.waitForIncoming();
      await callee.answer();
    });
    afterEach(async () => {
      await caller.close();
      await callee.close();
      await anchored.close();
    });

    it('carries both tones over the relay, before and after a hold from either side', async () => {
      const bothHear = (): Promise<unknown> =>
        Promise.all([caller.waitForTone(bobHz), callee.waitForTone(aliceHz)]);
      await bothHear();
      assert.equal(anchored.app.inspect()['media_sessions'], 1);
      for (const [one, other] of [
        [caller, callee],
        [callee, caller],
      ] as const) {
        await one.hold();
        await other.waitForSilence();
        await one.resume();
        await bothHear();
      }
      await callee.hangUp();
      await caller.waitForNotice('Call ended');
      assert.deepEqual([...caller.problems, ...callee.problems], []);
      await idle(anchored);
    });
  });

  describe('a call to a telephone behind a PBX', () => {
    const pbxHz = 900;
    let pbx: PbxPhone;
    let office: Gateway;
    let phone: Softphone;

    beforeEach(async () => {
      pbx = await PbxPhone.start(pbxHz);
      const route = { name: 'out', match: /^[0-9]+$/, fromTrunk: undefined } as const;
      office = await startGatewayWithPages({
        trunks: [ipTrunk('office', pbx.uri)],
        routes: [{ ...route, to: { kind: 'trunks', trunks: ['office'] } }],
      });
      phone = await Softphone.open(aliceBrowser, office.pageUrl);
      await phone.signIn('alice', passwordOf('alice'));
      await phone.dial('0301234');
      await pbx.rings();
      await phone.waitForState('Ringing…');
    });
    afterEach(async () => {
      await phone.close();
      await office.close();
      pbx.close();
    });

    it('lets the PBX be heard before it answers, and both hear each other after', async () => {
      pbx.reply(183);
      await phone.waitForTone(pbxHz);
      assert.equal(await phone.stateText(), 'Ringing…');
      pbx.reply(200);
      await phone.waitForState('In call');
      await phone.waitForTone(pbxHz);
      await pbx.waitForTone(aliceHz);
      await phone.hangUp();
      await idle(office);
    });

    it('sends digits as telephone events, each once and in order', async () => {
      pbx.reply(200);
      await phone.waitForState('In call');
      for (const digit of ['1', '*', '#', '0']) await phone.pressDigit(digit);
      await pbx.waitForDigits('1*#0');
      assert.equal(pbx.digits(), '1*#0');
    });

    it('says in words that the telephone is busy', async () => {
      pbx.reply(486);
      await phone.waitForNotice('Busy');
      await idle(office);
    });
  });

  describe('a connection that breaks during a call', () => {
    let line: CutLine;
    let phone: Softphone;

    beforeEach(async () => {
      line = await CutLine.to(Number(new URL(gateway.pageUrl).port));
      phone = await Softphone.open(aliceBrowser, `http://127.0.0.1:${line.port}/`);
      await phone.signIn('alice', passwordOf('alice'));
    });
    afterEach(async () => {
      await phone.close();
      await line.close();
    });

    it('leaves the call alone, which can be held, resumed and hung up after it', async () => {
      await phone.dial('600');
      await phone.waitForTone(aliceHz);
      line.cut();
      await phone.waitForLine('Connection lost');
      await phone.waitForTone(aliceHz);
      line.mend();
      await phone.waitForLine('Connected as alice');
      await phone.hold();
      await phone.waitForSilence();
      await phone.resume();
      await phone.waitForTone(aliceHz);
      await phone.hangUp();
      await phone.waitForNotice('Call ended');
      await idle(gateway);
    });

    it('does not hinder hanging up: the other side is told when the connection is back', async () => {
      await phone.dial('600');
      await phone.waitForTone(aliceHz);
      line.cut();
      await phone.waitForLine('Connection lost');
      await phone.hangUp();
      await phone.waitForNotice('Call ended');
      line.mend();
      await phone.waitForLine('Connected as alice');
      await idle(gateway);
    });

    it('still lets a ringing call be answered after it', async () => {
      const bob = await Softphone.open(bobBrowser, gateway.pageUrl);
      try {
        await bob.signIn('bob', passwordOf('bob'));
        await bob.dial('alice');
        await phone.waitForIncoming();
        line.cut();
        await phone.waitForLine('Connection lost');
        line.mend();
        await phone.waitForLine('Connected as alice');
        await phone.answer();
        await bob.waitForTone(aliceHz);
        await phone.waitForTone(bobHz);
        await phone.hangUp();
        await bob.waitForNotice('Call ended');
        await idle(gateway);
      } finally {
        await bob.close();
      }
    });
  });
});
