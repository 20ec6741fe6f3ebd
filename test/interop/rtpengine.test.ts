import assert from 'node:assert/strict';
import type { MediaSession } from '../../sip/media/media-engine.js';
import type { RtpengineEngine } from '../../sip/media/rtpengine/rtpengine-engine.js';
import { TimeoutRecord } from '../support/media-session.js';
import { requirePeer } from '../support/peers.js';
import { Rtpengine } from '../support/rtpengine.js';
import { MediaServerRecord, rtpengineEngine, ToneBrowser } from '../support/rtpengine-rig.js';
import { TonePhone } from '../support/tone-phone.js';

const browserHz = 450;
const phoneHz = 1_000;

describe('rtpengine', function () {
  this.timeout(20_000);
  let program: string;
  let server: Rtpengine;
  let engine: RtpengineEngine;
  let session: MediaSession;
  let browser: ToneBrowser;
  let phone: TonePhone;
  const open: { close(): void }[] = [];
  const servers = new MediaServerRecord();
  const timeouts = new TimeoutRecord();

  before(async function () {
    program = requirePeer(this, 'rtpengine');
    server = await Rtpengine.start(program);
  });

  after(() => server?.stop());

  beforeEach(async () => {
    engine = rtpengineEngine([{ address: server.address, weight: 1 }], servers);
    session = engine.createSession('c_interop', timeouts);
    browser = new ToneBrowser(browserHz);
    phone = await TonePhone.start(phoneHz);
    open.push(browser, phone);
  });

  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    session.close();
    await engine.close();
    assert.deepEqual(engine.sizes(), { sessions: 0, ends: 0, ending: 0, commands: 0 });
    assert.equal(await server.calls(), 0, 'every call is deleted');
    assert.deepEqual(timeouts.timeouts.splice(0), []);
  });

  const browserCalls = async (): Promise<{ toPhone: string; toBrowser: string }> => {
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
    const toPhone = await session.offer('l_browser', 'l_phone', await browser.peer.offer());
    const toBrowser = await session.answer('l_phone', 'l_browser', phone.sdp());
    browser.peer.takeAnswer(toBrowser);
    phone.speakTo(toPhone);
    await browser.speak();
    return { toPhone, toBrowser };
  };

  const phoneCalls = async (): Promise<{ toPhone: string; toBrowser: string }> => {
    session.addEnd('l_phone', { profile: 'plain' });
    session.addEnd('l_browser', { profile: 'webrtc' });
    const toBrowser = await session.offer('l_phone', 'l_browser', phone.sdp());
    const toPhone = await session.answer('l_browser', 'l_phone', await browser.peer.answer(toBrowser));
    phone.speakTo(toPhone);
    await browser.speak();
    return { toPhone, toBrowser };
  };

  const bothHear = (): Promise<unknown> =>
    Promise.all([browser.waitForTone(phoneHz), phone.waitForTone(browserHz)]);

  it('carries a tone both ways when the browser calls', async () => {
    await browserCalls();
    await bothHear();
  });

  it('carries a tone both ways when the phone calls', async () => {
    await phoneCalls();
    await bothHear();
  });
});
