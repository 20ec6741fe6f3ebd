import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'mocha';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { passwordOf, type Gateway } from '../support/gateway.js';
import { startGatewayWithPages } from '../support/gateway-with-pages.js';
import { idle } from '../support/idle.js';
import { requirePeer } from '../support/peers.js';
import { Softphone } from '../support/softphone.js';

const aliceHz = 440;

/** Both windows show the same instance-id: to the gateway they are one phone. */
describe('the softphone in two windows of one browser', function () {
  this.timeout(60_000);
  let chromium: TestBrowser;
  let gateway: Gateway;
  let first: Softphone;

  before(async function () {
    chromium = await launchChromium(requirePeer(this, 'chromium'), aliceHz);
  });
  after(async () => {
    await chromium?.close();
  });
  beforeEach(async () => {
    gateway = await startGatewayWithPages();
    first = await Softphone.open(chromium, gateway.pageUrl);
    await first.signIn('alice', passwordOf('alice'));
  });
  afterEach(async () => {
    await first.close();
    await gateway.close();
  });

  const callEcho = async (): Promise<void> => {
    await first.dial('600');
    await first.waitForState('In call');
    await first.waitForTone(aliceHz);
  };

  it('leaves a call where it is, which can be hung up there', async () => {
    await callEcho();
    const second = await first.openWindow(gateway.pageUrl);
    await second.submitSignIn('alice', passwordOf('alice'));
    await second.waitForLine('In a call in another window');
    assert.equal(await first.lineText(), 'Connected as alice');
    await first.waitForTone(aliceHz);
    await first.hangUp();
    await first.waitForNotice('Call ended');
    await second.waitForLine('Open in another window');
    await idle(gateway);
  });

  it('moves the call to the window where it is wanted, with its sound and its end', async () => {
    await callEcho();
    const second = await first.openWindow(gateway.pageUrl);
    await second.submitSignIn('alice', passwordOf('alice'));
    await second.waitForLine('In a call in another window');
    await second.page.click('text=Use it here');
    await second.waitForState('In call');
    await second.waitForTone(aliceHz);
    await first.waitForLine('In a call in another window');
    await first.waitForNoCall();
    await second.hangUp();
    await second.waitForNotice('Call ended');
    assert.deepEqual([...first.problems, ...second.problems], []);
    await idle(gateway);
  });

  it('keeps its call when it is taken away by force, since it cannot say what it has', async () => {
    await callEcho();
    await first.page.evaluate('BroadcastChannel.prototype.postMessage = () => undefined');
    const second = await first.openWindow(gateway.pageUrl);
    await second.submitSignIn('alice', passwordOf('alice'));
    await second.waitForLine('In a call in another window');
    assert.equal(gateway.app.inspect()['flows'], 1);
    const connections = [second, first].map(({ page }) => page.waitForEvent('websocket'));
    await second.page.click('text=Use it here');
    await Promise.all(connections);
    await second.waitForLine('In a call in another window');
    await first.waitForLine('Connected as alice');
    await first.waitForTone(aliceHz);
    await first.hangUp();
    await first.waitForNotice('Call ended');
    await idle(gateway);
  });

  it('is in the newest window without a call, and back in the other one when that is closed', async () => {
    const second = await first.openWindow(gateway.pageUrl);
    await second.signIn('alice', passwordOf('alice'));
    await first.waitForLine('Open in another window');
    await second.page.close();
    await first.waitForLine('Connected as alice');
    await idle(gateway);
  });
});
