import type { Browser, Page } from 'playwright-core';

/** Chromium without a window that gathers loopback addresses. */
export const mediaFlags = [
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
  function addLines() {
    pc.createDataChannel('chat');
    pc.addTransceiver('video');
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

/** A page of Chromium with one peer connection, whose functions a test calls by name. */
export class MediaPage {
  private constructor(private readonly page: Page) {}

  /** `hz`: the tone of its microphone. */
  static async open(browser: Browser, hz: number): Promise<MediaPage> {
    const opened = new MediaPage(await browser.newPage());
    await opened.page.addScriptTag({ content: pageScript });
    await opened.call('begin', hz);
    return opened;
  }

  call<Result>(name: string, argument?: unknown): Promise<Result> {
    return this.page.evaluate<Result>(`${name}(${JSON.stringify(argument) ?? ''})`);
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
