import assert from 'node:assert/strict';
import { Baresip } from '../support/baresip.js';
import { launchChromium, type TestBrowser } from '../support/chromium.js';
import { ipTrunk, startGateway, usersRoute, type Gateway } from '../support/gateway.js';
import { BrowserUser } from '../support/matrix/browser-user.js';
import { requirePeer } from '../support/peers.js';

const [browserHz, phoneHz] = [440, 800];
const lookEveryMs = 50;

describe('video between a browser and a video phone (baresip, VP8)', function () {
  this.timeout(20_000);
  let browser: TestBrowser;
  let gateway: Gateway;
  let phone: Baresip;
  let user: BrowserUser;

  before(async function () {
    const program = requirePeer(this, 'baresip');
    browser = await launchChromium(requirePeer(this, 'chromium'), browserHz);
    phone = await Baresip.start({ program, user: '700', hz: phoneHz, codecs: ['PCMU/8000/1'], video: true });
    const media = { codecs: ['PCMU'], ptimeMs: undefined, video: ['VP8'] };
    gateway = await startGateway({
      media: 'relay',
      trunks: [ipTrunk('phone', `sip:${phone.address};transport=udp`, { media })],
      routes: [
        usersRoute,
        {
          name: 'phone',
          match: /^700$/,
          fromTrunk: undefined,
          to: { kind: 'trunks', trunks: ['phone'] },
        },
      ],
    });
  });

  beforeEach(async () => {
    phone.events.items.length = 0;
    user = await BrowserUser.signIn(browser, gateway, { name: 'alice', hz: browserHz, codec: 'PCMU' });
  });

  afterEach(() => user.close());

  after(async () => {
    await phone?.close();
    await gateway?.close();
    await browser?.close();
  });

  const hearEachOther = (): Promise<unknown> =>
    Promise.all([user.page.hears(phoneHz), phone.waitForTone(browserHz)]);

  const seesMore = async (): Promise<void> => {
    const before = await user.page.pictures();
    while ((await user.page.pictures()) < before + 5)
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  };

  const hangUp = async (): Promise<void> => {
    await Promise.all([phone.event('CALL_CLOSED'), user.phone.hangUp()]);
  };

  it('comes with a call of the phone', async () => {
    phone.dial(`sip:alice@${gateway.sipAddress}`);
    await user.phone.rings();
    await Promise.all([user.phone.accept(), phone.event('CALL_ESTABLISHED')]);
    await Promise.all([hearEachOther(), seesMore()]);
    await hangUp();
  });

  it('is added to a call and taken away by the browser, and the audio goes on', async () => {
    await Promise.all([
      user.phone.call('sip:700@localhost'),
      phone.event('CALL_INCOMING').then(() => phone.accept()),
    ]);
    await hearEachOther();
    await user.phone.change({ video: true });
    await Promise.all([hearEachOther(), seesMore()]);
    await user.phone.change({ video: false });
    await hearEachOther();
    const [seen] = [await user.page.pictures()];
    await hearEachOther();
    assert.ok((await user.page.pictures()) <= seen);
    await hangUp();
  });
});
