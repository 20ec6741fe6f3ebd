import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { lateCandidates } from '../in-page/late-candidates.js';
import { recordSetup, type SetupMoments } from '../in-page/record-setup.js';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { passwordOf, type Gateway, type GatewayOptions } from '../support/gateway.js';
import { startGatewayWithPages } from '../support/gateway-with-pages.js';
import { idle } from '../support/idle.js';
import { JsSipPage } from '../support/jssip-page.js';
import { requirePeer } from '../support/peers.js';
import { Softphone } from '../support/softphone.js';

const [aliceHz, bobHz] = [440, 700];
const lateMs = 300;
/** Waiting for a STUN server that does not answer would take longer. */
const atOnceMs = 600;
const candidate = /^a=candidate:/m;

/** What a page sends over its WebSocket, from now on. */
function sentBy({ page }: Softphone): string[] {
  const sent: string[] = [];
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(String(payload))));
  return sent;
}

describe('the softphone, which does not wait for ICE', function () {
  this.timeout(40_000);
  let aliceBrowser: TestBrowser;
  let bobBrowser: TestBrowser;
  let deaf: Socket;
  let gateway: Gateway;
  const pages: { close(): Promise<void> }[] = [];

  before(async function () {
    const chromium = requirePeer(this, 'chromium');
    aliceBrowser = await launchChromium(chromium, aliceHz);
    bobBrowser = await launchChromium(chromium, bobHz);
    deaf = createSocket('udp4').bind(0, '127.0.0.1');
    await once(deaf, 'listening');
  });
  after(async () => {
    deaf?.close();
    await aliceBrowser?.close();
    await bobBrowser?.close();
  });
  afterEach(async () => {
    await idle(gateway);
    for (const page of pages.splice(0)) await page.close();
    await gateway.close();
  });

  const start = async (options: GatewayOptions = {}): Promise<void> => {
    gateway = await startGatewayWithPages({ websocket: { resumeGraceMs: 0 }, ...options });
  };

  /** A page that runs this before its own scripts. */
  const open = async (
    browser: TestBrowser,
    user: string,
    before: (phone: Softphone) => Promise<unknown>,
  ): Promise<readonly [Softphone, readonly string[]]> => {
    const phone = await Softphone.open(browser, gateway.pageUrl);
    pages.push(phone);
    await before(phone);
    const sent = sentBy(phone);
    await phone.page.reload();
    await phone.signIn(user, passwordOf(user));
    return [phone, sent];
  };
  const withLateCandidates = ({ context }: Softphone): Promise<unknown> =>
    context.addInitScript(`(${lateCandidates.toString()})(${lateMs})`);

  for (const browserToBrowser of ['direct', 'anchored'] as const) {
    it(`calls over the relay at once though the STUN server does not answer, ${browserToBrowser}`, async () => {
      const urls = [`stun:127.0.0.1:${deaf.address().port}`];
      await start({ browserToBrowser, iceServers: [{ urls, username: undefined, credential: undefined }] });
      const [alice] = await open(aliceBrowser, 'alice', ({ context }) => context.addInitScript(recordSetup));
      await alice.dial('600');
      await alice.waitForTone(aliceHz);
      const { pressedMs = 0, sentMs = Number.NaN } = await alice.page.evaluate(
        () => (globalThis as unknown as { setup: SetupMoments }).setup,
      );
      assert.ok(sentMs - pressedMs < atOnceMs, `${sentMs - pressedMs} ms`);
      await alice.hangUp();
    });
  }

  it('is heard over the relay without any candidate', async () => {
    await start({ browserToBrowser: 'anchored' });
    const [alice, sent] = await open(aliceBrowser, 'alice', withLateCandidates);
    await alice.dial('600');
    await alice.waitForTone(aliceHz);
    assert.ok(!sent.some((message) => candidate.test(message)));
    await alice.hangUp();
  });

  it('finds another one whose candidates come late as its own, from page to page', async () => {
    await start();
    const [alice, sentByAlice] = await open(aliceBrowser, 'alice', withLateCandidates);
    const [bob, sentByBob] = await open(bobBrowser, 'bob', withLateCandidates);
    await alice.dial('bob');
    await bob.waitForIncoming();
    await bob.answer();
    await Promise.all([alice.waitForTone(bobHz), bob.waitForTone(aliceHz)]);
    for (const [sent, described] of [
      [sentByAlice, /^INVITE /],
      [sentByBob, /^SIP\/2\.0 200 [^]*^CSeq: \d+ INVITE/m],
    ] as const) {
      const first = sent.find((message) => described.test(message)) ?? '';
      assert.match(first, /^Recv-Info: trickle-ice/m);
      assert.doesNotMatch(first, candidate);
      assert.ok(sent.some((message) => message.startsWith('INFO ') && candidate.test(message)));
      assert.ok(sent.filter((message) => message.startsWith('INVITE ')).length <= 1, 'no re-INVITE');
    }
    await bob.hangUp();
  });

  describe('and JsSIP, which takes no candidates later', () => {
    let alice: Softphone;
    let sent: readonly string[];
    let bob: JsSipPage;

    beforeEach(async () => {
      await start();
      [alice, sent] = await open(aliceBrowser, 'alice', withLateCandidates);
      const account = { url: gateway.wsUrl, uri: 'sip:bob@localhost', password: passwordOf('bob') };
      bob = await JsSipPage.open(bobBrowser, gateway.pageUrl, account);
      pages.push(bob);
    });

    it('hear each other when the softphone calls, by the candidates of JsSIP', async () => {
      await alice.dial('bob');
      await bob.incoming();
      await bob.answer();
      await Promise.all([alice.waitForTone(bobHz), bob.waitForTone(aliceHz)]);
      assert.ok(!sent.some((message) => message.startsWith('INFO ')));
      await alice.hangUp();
      await bob.ended();
    });

    it('hear each other when JsSIP calls: the softphone answers with its candidates', async () => {
      const called = bob.call('sip:alice@localhost');
      await alice.waitForIncoming();
      await alice.answer();
      await called;
      await Promise.all([alice.waitForTone(bobHz), bob.waitForTone(aliceHz)]);
      const answer = sent.find((message) => /^SIP\/2\.0 200 [^]*^CSeq: \d+ INVITE/m.test(message)) ?? '';
      assert.match(answer, candidate);
      await alice.hangUp();
      await bob.ended();
    });
  });
});
