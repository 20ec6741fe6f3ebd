import assert from 'node:assert/strict';
import { chromium, type Browser, type Page } from 'playwright-core';
import type { MediaEngine, MediaSession } from '../../sip/media/media-engine.js';
import { decodeMuLaw, encodeMuLaw } from '../support/g711.js';
import { attribute, audioPort, relayOnLoopback, TimeoutRecord } from '../support/media-session.js';
import { requirePeer } from '../support/peers.js';
import { Rtpengine } from '../support/rtpengine.js';
import { MediaServerRecord, rtpengineEngine } from '../support/rtpengine-rig.js';
import { RtpPhone, rtpPacket } from '../support/rtp-phone.js';
import { detectTone, sineSamples } from '../support/tone.js';

const flags = [
  '--headless=new',
  '--no-sandbox',
  '--allow-loopback-in-peer-connection',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/**
 * Runs in the page: one RTCPeerConnection whose microphone is an oscillator, with its local addresses hidden behind
 * mDNS names as for any page without permission to the microphone.
 */
const pageScript = `
  const context = new AudioContext();
  const oscillator = context.createOscillator();
  const microphone = context.createMediaStreamDestination();
  oscillator.connect(microphone);
  oscillator.start();
  const analyser = context.createAnalyser();
  analyser.fftSize = 8192;
  let pc;
  function begin(hz) {
    oscillator.frequency.value = hz;
    pc = new RTCPeerConnection();
    pc.addTrack(microphone.stream.getAudioTracks()[0]);
    pc.ontrack = (event) => {
      const stream = new MediaStream([event.track]);
      const player = new Audio();
      player.muted = true;
      player.srcObject = stream;
      window.player = player;
      context.createMediaStreamSource(stream).connect(analyser);
    };
  }
  async function gathered() {
    while (pc.iceGatheringState !== 'complete') {
      await new Promise((resolve) => pc.addEventListener('icegatheringstatechange', resolve, { once: true }));
    }
    return pc.localDescription.sdp;
  }
  async function offer(options) {
    await pc.setLocalDescription(await pc.createOffer(options));
    return gathered();
  }
  async function takeAnswer(sdp) {
    await pc.setRemoteDescription({ type: 'answer', sdp });
  }
  async function answer(sdp) {
    await pc.setRemoteDescription({ type: 'offer', sdp });
    await pc.setLocalDescription();
    return gathered();
  }
  function direction(value) {
    pc.getTransceivers()[0].direction = value;
  }
  function digits(tones) {
    pc.getSenders()[0].dtmf.insertDTMF(tones, 100, 70);
  }
  // The loudest frequency in Hz, or 0 when there is silence.
  function heard() {
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    let best = 0;
    for (let i = 1; i < bins.length; i++) if (bins[i] > bins[best]) best = i;
    return bins[best] > -60 ? Math.round((best * context.sampleRate) / analyser.fftSize) : 0;
  }
  async function hears(hz) {
    while (Math.abs(heard() - hz) > 15) await new Promise((resolve) => setTimeout(resolve, 20));
    return true;
  }
`;

/** Sends a tone as PCMU, 20 ms a packet, and judges what comes back. */
class ToneCaller {
  #sequence = 0;
  #timer: NodeJS.Timeout;
  target = 0;

  constructor(
    readonly phone: RtpPhone,
    hz: number,
  ) {
    const payload = Buffer.from(sineSamples(hz, 0.02, 8_000).map(encodeMuLaw));
    this.#timer = setInterval(() => {
      if (this.target === 0) return;
      this.#sequence += 1;
      const packet = Buffer.concat([rtpPacket(0, this.#sequence, ''), payload]);
      this.phone.send(packet, this.target);
    }, 20);
  }

  /** The tone in the next ten audio packets from now. */
  async hears(hz: number): Promise<void> {
    for (;;) {
      const from = this.phone.packets.length;
      await this.phone.packet(from + 10);
      const audio = this.phone.packets.slice(from, from + 10).filter((packet) => packet[1] === 0);
      const samples = audio.flatMap((packet) => [...packet.subarray(12)].map(decodeMuLaw));
      if (detectTone(samples, 8_000, [hz]) === hz) return;
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.phone.close();
  }
}

/** A media engine under test; `begin` starts what it needs, once. */
interface Candidate {
  begin(context: Mocha.Context): Promise<void>;
  create(): MediaEngine;
  end(): Promise<void>;
}

function embeddedRelay(): Candidate {
  return { begin: async () => {}, create: () => relayOnLoopback(), end: async () => {} };
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

describe('rtpengine with Chromium', function () {
  this.timeout(20_000);
  behavesWithChromium(oneRtpengine());
});

function behavesWithChromium(candidate: Candidate): void {
  let browser: Browser;
  let page: Page;
  let engine: MediaEngine;
  let session: MediaSession;
  let caller: ToneCaller;
  const timeouts = new TimeoutRecord();
  const lines = ['a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15'];

  const call = <Result>(name: string, argument?: unknown): Promise<Result> =>
    page.evaluate<Result>(`${name}(${JSON.stringify(argument) ?? ''})`);

  before(async function () {
    await candidate.begin(this);
    browser = await chromium.launch({ executablePath: requirePeer(this, 'chromium'), args: flags });
  });

  after(async () => {
    await browser?.close();
    await candidate.end();
  });

  beforeEach(async () => {
    page = await browser.newPage();
    await page.addScriptTag({ content: pageScript });
    await call('begin', 1_000);
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
    await page.evaluate(`pc.createDataChannel('chat'), pc.addTransceiver('video')`);
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
