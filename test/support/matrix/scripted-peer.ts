import type { OfferChange } from '../../in-page/call-end.js';
import { CallPage } from '../call-page.js';
import type { TestBrowser } from '../chromium.js';
import { PlainCallEnd } from '../plain-call-end.js';
import { ScriptedPhone, type CallMedia } from '../scripted-phone.js';
import { UdpPeer } from '../sip-peer.js';
import { keyTones } from './key-tones.js';
import type { MatrixPeer } from './peer.js';
import type { Reasons } from './steps.js';

interface PeerMedia extends CallMedia<OfferChange> {
  /** Forgets the last call. */
  begin(): Promise<void>;
  hears(hz: number | null): Promise<void>;
  press(digit: string): Promise<void>;
  pressed(digit: string): Promise<void>;
  pictures(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** SIP over UDP by script, and media of our own or of a second page in Chromium. */
export class ScriptedPeer implements MatrixPeer {
  readonly codecs = ['PCMU', 'PCMA'] as const;
  readonly #phone: ScriptedPhone<OfferChange>;

  private constructor(
    readonly name: string,
    readonly number: string,
    readonly hz: number,
    private readonly sip: UdpPeer,
    private readonly media: PeerMedia,
  ) {
    const address = `127.0.0.1:${sip.port}`;
    const line = {
      via: `UDP ${address}`,
      contact: `<sip:${number}@${address}>`,
      aor: `sip:${number}@${address}`,
      send: (text: string) => sip.send(text),
    };
    this.#phone = new ScriptedPhone(line, media);
    sip.onMessage = (message) => this.#phone.receive(message);
  }

  /** An old telephone: G.711 over RTP. */
  static async plain(number: string, hz: number): Promise<ScriptedPeer> {
    const end = await PlainCallEnd.start(hz);
    const media: PeerMedia = {
      begin: async () => end.begin(),
      offer: (change) => end.offer(change),
      answer: (offer) => end.answer(offer),
      settle: (answer) => end.settle(answer),
      hears: (tone) => end.hears(tone),
      press: async (digit) => end.press(digit),
      pressed: (digit) => end.pressed(digit),
      pictures: async () => end.pictures(),
      close: async () => end.close(),
    };
    return new ScriptedPeer('scripted telephone', number, hz, await UdpPeer.open(0), media);
  }

  /** What speaks WebRTC itself. */
  static async webrtc(browser: TestBrowser, number: string, hz: number): Promise<ScriptedPeer> {
    const page = await CallPage.open(browser, hz, 'PCMU');
    const media: PeerMedia = {
      begin: () => page.begin(),
      offer: (change) => page.offer(change),
      answer: (offer) => page.answer(offer),
      settle: (answer) => page.settle(answer),
      hears: (tone) => page.hears(tone),
      press: (digit) => page.press(digit),
      pressed: (digit) => page.hearsKey(keyTones(digit)),
      pictures: () => page.pictures(),
      close: () => page.close(),
    };
    return new ScriptedPeer('scripted WebRTC phone (Chromium)', number, hz, await UdpPeer.open(0), media);
  }

  get uri(): string {
    return `sip:127.0.0.1:${this.sip.port};transport=udp`;
  }

  cannot(): Reasons {
    return {};
  }

  meet(gateway: string): void {
    this.sip.aim(Number(gateway.split(':').at(-1)));
  }

  await(): Promise<void> {
    return this.media.begin();
  }

  /** 180, and 183 with SDP twice. */
  async early(): Promise<void> {
    await this.#phone.rings();
    this.#phone.progress(180);
    const sdp = await this.#phone.earlyAnswer();
    this.#phone.progress(183, { sdp });
    this.#phone.progress(183, { sdp });
  }

  async accept(): Promise<void> {
    await this.#phone.rings();
    await this.#phone.accept();
  }

  async dial(user: string, late: boolean): Promise<void> {
    await this.media.begin();
    const [codec] = this.codecs;
    await this.#phone.call(`sip:${user}@127.0.0.1:${this.sip.target}`, { late, change: { codec } });
  }

  hold(): Promise<void> {
    return this.#phone.change({ hold: true });
  }

  resume(): Promise<void> {
    return this.#phone.change({ hold: false });
  }

  changeCodec(codec: string): Promise<void> {
    return this.#phone.change({ codec });
  }

  hears(hz: number | null): Promise<void> {
    return this.media.hears(hz);
  }

  press(digit: string): Promise<void> {
    return this.media.press(digit);
  }

  pressed(digit: string): Promise<void> {
    return this.media.pressed(digit);
  }

  video(on: boolean): Promise<void> {
    return this.#phone.change({ video: on });
  }

  pictures(): Promise<number | undefined> {
    return this.media.pictures();
  }

  ended(): Promise<void> {
    return this.#phone.ended();
  }

  async close(): Promise<void> {
    await this.media.close();
    await this.sip.close();
  }
}
