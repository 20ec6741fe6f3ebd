import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { startGateway, usersRoute, type Gateway } from '../support/gateway.js';
import { BrowserUser } from '../support/matrix/browser-user.js';
import { requirePeer } from '../support/peers.js';

const [aliceHz, bobHz] = [440, 1_000];
const lookEveryMs = 50;

for (const browserToBrowser of ['direct', 'anchored'] as const) {
  describe(`video of two users with browser_to_browser: ${browserToBrowser}`, function () {
    this.timeout(40_000);
    let browser: TestBrowser;
    let gateway: Gateway;

    before(async function () {
      browser = await launchChromium(requirePeer(this, 'chromium'), aliceHz);
      gateway = await startGateway({ media: 'relay', routes: [usersRoute], browserToBrowser });
    });

    after(async () => {
      await gateway?.close();
      await browser?.close();
    });

    const seesMore = async ({ page }: BrowserUser): Promise<void> => {
      const before = await page.pictures();
      while ((await page.pictures()) < before + 5)
        await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
    };

    it('is added to a call, stopped, and added again', async () => {
      const alice = await BrowserUser.signIn(browser, gateway, { name: 'alice', hz: aliceHz, codec: 'opus' });
      const bob = await BrowserUser.signIn(browser, gateway, { name: 'bob', hz: bobHz, codec: 'opus' });
      const hearEachOther = (): Promise<unknown> =>
        Promise.all([alice.page.hears(bobHz), bob.page.hears(aliceHz)]);
      await Promise.all([
        alice.phone.call('sip:bob@localhost'),
        bob.phone.rings().then(() => bob.phone.accept()),
      ]);
      await hearEachOther();
      await alice.phone.change({ video: true });
      await Promise.all([hearEachOther(), seesMore(alice), seesMore(bob)]);
      await alice.phone.change({ video: false });
      await hearEachOther();
      await alice.phone.change({ video: true });
      await Promise.all([hearEachOther(), seesMore(alice), seesMore(bob)]);
      await Promise.all([bob.phone.ended(), alice.phone.hangUp()]);
      await alice.close();
      await bob.close();
    });
  });
}
