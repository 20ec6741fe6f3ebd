import assert from 'node:assert/strict';
import { chromium, type Browser } from 'playwright-core';
import type { MediaEngine, MediaSession } from '../../sip/media/media-engine.js';
import { freePort } from '../support/free-port.js';
import { MediaPage, mediaFlags } from '../support/media-page.js';
import { attribute, audioPort, relayOnLoopback, TimeoutRecord } from '../support/media-session.js';
import { requirePeer } from '../support/peers.js';
import { Rtpengine } from '../support/rtpengine.js';
import { MediaServerRecord, rtpengineEngine } from '../support/rtpengine-rig.js';
import { RtpPhone } from '../support/rtp-phone.js';
import { ToneCaller } from '../support/tone-caller.js';

/** A media engine under test; `begin` starts what it needs, once. */
interface Candidate {
  begin(context: Mocha.Context): Promise<void>;
  create(): MediaEngine;
  end(): Promise<void>;
}

function embeddedRelay(): Candidate {
  return { begin: async () => {}, create: () => relayOnLoopback(), end: async () => {} };
}

function relayWithOneBrowserPort(): Candidate {
  let browserPort = 0;
  return {
    begin: async () => {
      browserPort = await freePort();
    },
    create: () => relayOnLoopback({ browserPort }),
    end: async () => {},
  };
}

function oneRtpengine(): Candidate {
  let server: Rtpengine | undefined;
  return {
    begin: async (context) => {
      server = await Rtpengine.start(requirePeer(context, 'rtpengine'));
    },
    create: () => {
      if (server === undefined) throw new Error('rtpengine was not started');
      return rtpengineEngine([{ address: server.address, weight: 1 }], new MediaServerRecord());
    },
    end: async () => server?.kill(),
  };
}

describe('embedded relay with Chromium', function () {
  behavesWithChromium(embeddedRelay());
});

describe('embedded relay with one port for all browsers, with Chromium', function () {
  behavesWithChromium(relayWithOneBrowserPort());
});

describe('rtpengine with Chromium', function () {
  this.timeout(20_000);
  behavesWithChromium(oneRtpengine());
});

function behavesWithChromium(candidate: Candidate): void {
  let browser: Browser;
  let page: MediaPage;
  let engine: MediaEngine;
  let session: MediaSession;
  let caller: ToneCaller;
  const timeouts = new TimeoutRecord();
  const lines = ['a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15'];

  const call = <Result>(name: string, argument?: unknown): Promise<Result> => page.call(name, argument);

  before(async function () {
    await candidate.begin(this);
    browser = await chromium.launch({ executablePath: requirePeer(this, 'chromium'), args: mediaFlags });
  });

  after(async () => {
    await browser?.close();
    await candidate.end();
  });

  beforeEach(async () => {
    page = await MediaPage.open(browser, 1_000);
    engine = candidate.create();
    session = engine.createSession('c_chromium', timeouts);
    caller = new ToneCaller(await RtpPhone.start(), 440);
  });

  afterEach(async () => {
    caller.close();
    await page.close();
    await engine.close();
    assert.deepEqual(timeouts.timeouts, []);
  });

  const browserCalls = async (): Promise<{ toPhone: string; toBrowser: string }> => {
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
    const offer = await call<string>('offer');
    assert.match(offer, /\.local /, 'local addresses are hidden');
    const toPhone = await session.offer('l_browser', 'l_phone', offer);
    const toBrowser = await session.answer('l_phone', 'l_browser', caller.phone.sdp('0 101', lines));
    await call('takeAnswer', toBrowser);
    caller.target = audioPort(toPhone);
    return { toPhone, toBrowser };
  };

  const hearEachOther = async (): Promise<void> => {
    await Promise.all([caller.hears(1_000), call('hears', 440)]);
  };

  it('carries a tone both ways when the browser calls', async () => {
    await browserCalls();
    await hearEachOther();
  });

  it('carries a tone both ways when the browser is called', async () => {
    session.addEnd('l_phone', { profile: 'plain' });
    session.addEnd('l_browser', { profile: 'webrtc' });
    const toBrowser = await session.offer('l_phone', 'l_browser', caller.phone.sdp('0 101', lines));
    const toPhone = await session.answer('l_browser', 'l_phone', await call<string>('answer', toBrowser));
    caller.target = audioPort(toPhone);
    await hearEachOther();
  });

  it('goes quiet in the browser while it holds the call, and comes back on resume', async () => {
    await browserCalls();
    await hearEachOther();
    await call('direction', 'sendonly');
    await session.offer('l_browser', 'l_phone', await call<string>('offer'));
    const held = caller.phone.sdp('0 101', [...lines, 'a=recvonly']);
    caller.target = 0;
    await call('takeAnswer', await session.answer('l_phone', 'l_browser', held));
    await call('hears', 0);
    await caller.hears(1_000);
    await call('direction', 'sendrecv');
    const toPhone = await session.offer('l_browser', 'l_phone', await call<string>('offer'));
    const resumed = await session.answer('l_phone', 'l_browser', caller.phone.sdp('0 101', lines));
    await call('takeAnswer', resumed);
    caller.target = audioPort(toPhone);
    await hearEachOther();
  });

  it('takes a hold and a resume from the phone', async () => {
    await browserCalls();
    await hearEachOther();
    for (const direction of ['inactive', 'sendrecv']) {
      const offer = caller.phone.sdp('0 101', [...lines, `a=${direction}`]);
      const toBrowser = await session.offer('l_phone', 'l_browser', offer);
      const answer = await call<string>('answer', toBrowser);
      assert.match(
        await session.answer('l_browser', 'l_phone', answer),
        new RegExp(`^a=${direction}\\r$`, 'm'),
      );
    }
    await hearEachOther();
  });

  it('restarts ICE and keeps the ports of the leg to the phone', async () => {
    const first = await browserCalls();
    await hearEachOther();
    const toPhone = await session.offer(
      'l_browser',
      'l_phone',
      await call<string>('offer', { iceRestart: true }),
    );
    assert.equal(toPhone, first.toPhone);
    const toBrowser = await session.answer('l_phone', 'l_browser', caller.phone.sdp('0 101', lines));
    assert.notEqual(attribute(toBrowser, 'ice-ufrag'), attribute(first.toBrowser, 'ice-ufrag'));
    await call('takeAnswer', toBrowser);
    caller.phone.packets.length = 0;
    await hearEachOther();
  });

  it('carries DTMF as telephone-events with the payload type of the phone', async () => {
    await browserCalls();
    await hearEachOther();
    await call('digits', '5#');
    const digits = new Set<number>();
    for (let count = 1; !digits.has(11); count++) {
      const packet = await caller.phone.packet(count);
      if (packet.readUInt8(1) % 128 === 101) digits.add(packet.readUInt8(12));
    }
    assert.deepEqual([...digits], [5, 11]);
  });

  it('answers lines that it does not carry with port 0 in their place', async () => {
    await call('addLines');
    const { toBrowser } = await browserCalls();
    assert.deepEqual(
      [...toBrowser.matchAll(/^m=(\w+) (\d+)/gm)].map(([, kind, port]) => [kind, port === '0']),
      [
        ['audio', false],
        ['video', true],
        ['application', true],
      ],
    );
    await hearEachOther();
  });
}
