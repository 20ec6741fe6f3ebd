import assert from 'node:assert/strict';
import { chromium, type Browser } from 'playwright-core';
import type { MediaSession } from '../../sip/media/media-engine.js';
import type { RelayEngine } from '../../sip/media/relay/relay-engine.js';
import { freePort } from '../support/free-port.js';
import { MediaPage, mediaFlags } from '../support/media-page.js';
import { audioPort, relayOnLoopback, TimeoutRecord } from '../support/media-session.js';
import { requirePeer } from '../support/peers.js';
import { RtpPhone } from '../support/rtp-phone.js';
import { ToneCaller } from '../support/tone-caller.js';

const browserTones = [1_000, 1_200, 1_400, 1_600];
const phoneTones = [440, 540, 640, 740];

interface ToneCall {
  readonly session: MediaSession;
  readonly page: MediaPage;
  readonly caller: ToneCaller;
  readonly browserHz: number;
  readonly phoneHz: number;
}

describe('calls of Chromium at one port of the relay', function () {
  this.timeout(20_000);
  let browser: Browser;
  let relay: RelayEngine;
  const calls: ToneCall[] = [];

  before(async function () {
    browser = await chromium.launch({ executablePath: requirePeer(this, 'chromium'), args: mediaFlags });
  });

  after(() => browser?.close());

  afterEach(async () => {
    for (const call of calls.splice(0)) await end(call);
    await relay.close();
  });

  const end = async ({ session, page, caller }: ToneCall): Promise<void> => {
    session.close();
    caller.close();
    await page.close();
  };

  const place = async (address: string, browserPort: number, index: number): Promise<ToneCall> => {
    const [browserHz = 0, phoneHz = 0] = [browserTones[index], phoneTones[index]];
    const session = relay.createSession(`c_${index}`, new TimeoutRecord());
    const page = await MediaPage.open(browser, browserHz);
    const caller = new ToneCaller(await RtpPhone.start(address), phoneHz);
    const call = { session, page, caller, browserHz, phoneHz };
    calls.push(call);
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
    const toPhone = await session.offer('l_browser', 'l_phone', await page.call<string>('offer'));
    const toBrowser = await session.answer('l_phone', 'l_browser', caller.phone.sdp('0'));
    assert.equal(audioPort(toBrowser), browserPort);
    await page.call('takeAnswer', toBrowser);
    caller.target = audioPort(toPhone);
    return call;
  };

  const hearEachOther = ({ page, caller, browserHz, phoneHz }: ToneCall): Promise<unknown> =>
    Promise.all([caller.hears(browserHz), page.call('hears', phoneHz)]);

  it('carry each its own two tones, and go on when one of them ends', async () => {
    const browserPort = await freePort();
    relay = relayOnLoopback({ browserPort });
    const all = browserTones.map((_, index) => place('127.0.0.1', browserPort, index));
    await Promise.all((await Promise.all(all)).map(hearEachOther));
    const [first] = calls.splice(0, 1);
    assert.ok(first !== undefined);
    await end(first);
    for (const { caller } of calls) caller.phone.packets.length = 0;
    await Promise.all(calls.map(hearEachOther));
  });

  it('carry their tones over IPv6', async () => {
    const browserPort = await freePort();
    relay = relayOnLoopback({ address: '::1', browserPort });
    await hearEachOther(await place('::1', browserPort, 0));
  });
});
