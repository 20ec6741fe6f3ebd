import { Baresip, type BaresipOptions } from '../baresip.js';
import type { MatrixPeer } from './peer.js';
import type { Caller, Reasons } from './steps.js';

export interface BaresipPeerOptions extends Pick<BaresipOptions, 'program' | 'media' | 'video'> {
  readonly name: string;
  readonly number: string;
  readonly hz: number;
  /** The browser chooses: it offers one codec at a time. */
  readonly codecs: readonly [string, string];
}

const roleless = 'baresip 1.0.0 answers with the DTLS role actpass where it has offered before';

const endsOnly =
  'beside opus Chromium sends events of an 8 kHz clock as their last packets alone, and baresip 1.0.0 names no digit then';

const parametersOf: Readonly<Record<string, string>> = {
  PCMU: 'PCMU/8000/1',
  PCMA: 'PCMA/8000/1',
  opus: 'opus/48000/2',
};

/** A baresip that the gateway's trunk leads to directly. */
export class BaresipPeer implements MatrixPeer {
  #gateway = '';
  #rung: Promise<unknown> | undefined;

  private constructor(
    private readonly options: BaresipPeerOptions,
    private readonly phone: Baresip,
  ) {}

  static async start(options: BaresipPeerOptions): Promise<BaresipPeer> {
    const { program, number, hz, codecs, media, video = false } = options;
    const phone = await Baresip.start({
      program,
      user: number,
      hz,
      codecs: codecs.map((codec) => parametersOf[codec] ?? codec),
      video,
      ...(media === undefined ? {} : { media }),
    });
    return new BaresipPeer(options, phone);
  }

  get name(): string {
    return this.options.name;
  }

  get number(): string {
    return this.options.number;
  }

  get hz(): number {
    return this.options.hz;
  }

  get codecs(): readonly [string, string] {
    return this.options.codecs;
  }

  get uri(): string {
    return `sip:${this.phone.address};transport=udp`;
  }

  cannot(caller: Caller): Reasons {
    const isWebrtc = this.options.media === 'WebRTC';
    return {
      ...(this.codecs[0] === 'opus' ? { 'DTMF to PBX': endsOnly } : {}),
      ...(isWebrtc ? { 'ICE restart': 'baresip 1.0.0 does not restart ICE' } : {}),
      ...(isWebrtc && caller === 'PBX' ? { 'hold by browser': roleless, 'codec by browser': roleless } : {}),
      'codec by PBX': 'baresip changes no codec in a call',
      ...(this.options.video === true ? {} : { video: 'no picture there' }),
      ...(caller === 'browser'
        ? { 'early media': 'baresip 1.0.0 says nothing before it answers' }
        : { 'late offer': 'baresip always offers' }),
    };
  }

  meet(gateway: string): void {
    this.#gateway = gateway;
  }

  async await(): Promise<void> {
    this.phone.events.items.length = 0;
    this.#rung = undefined;
  }

  /** It rings, and is silent. */
  async early(): Promise<void> {
    this.#rung ??= this.phone.event('CALL_INCOMING');
    await this.#rung;
  }

  async accept(): Promise<void> {
    await this.early();
    this.phone.accept();
    await this.phone.event('CALL_ESTABLISHED');
  }

  async dial(user: string): Promise<void> {
    await this.await();
    this.phone.dial(`sip:${user}@${this.#gateway}`);
    await this.phone.event('CALL_ESTABLISHED', 15_000);
  }

  async hold(): Promise<void> {
    this.phone.hold();
  }

  async resume(): Promise<void> {
    this.phone.resume();
  }

  async changeCodec(): Promise<void> {
    throw new Error('baresip changes no codec');
  }

  hears(hz: number | null): Promise<void> {
    return this.phone.hears(hz);
  }

  async press(digit: string): Promise<void> {
    this.phone.sendDigits(digit);
  }

  async pressed(digit: string): Promise<void> {
    const { param } = await this.phone.event('CALL_DTMF_START');
    if (param !== digit) throw new Error(`baresip has heard ${param ?? 'nothing'}`);
  }

  /** It offers its picture from the beginning. */
  async video(on: boolean): Promise<void> {
    if (!on) this.phone.command('video_dir', 'inactive');
  }

  async pictures(): Promise<undefined> {
    return undefined;
  }

  async ended(): Promise<void> {
    await this.phone.event('CALL_CLOSED');
  }

  close(): Promise<void> {
    return this.phone.close();
  }
}
