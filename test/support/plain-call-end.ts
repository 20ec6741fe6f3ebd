import type { OfferChange } from '../in-page/call-end.js';
import { RtpPhone } from './rtp-phone.js';
import type { CallMedia } from './scripted-phone.js';
import { TonePhone, type Direction, type G711 } from './tone-phone.js';

const reverse: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};
const silenceMs = 250;
const ownVideoType = 96;

/**
 * One end of a call as an old telephone has it: G.711 over plain RTP, a tone of its own. Its picture is the one that it
 * gets (VP8).
 */
export class PlainCallEnd implements CallMedia<OfferChange> {
  #remote = '';
  #isHolding = false;
  /** Payload type of its video; 0: its line is off; undefined: there has been none in this call. */
  #videoType: number | undefined;

  private constructor(
    private readonly tone: TonePhone,
    private readonly mirror: RtpPhone,
  ) {
    mirror.echo();
  }

  static async start(hz: number): Promise<PlainCallEnd> {
    return new PlainCallEnd(await TonePhone.start(hz), await RtpPhone.start());
  }

  /** Forgets the call that was, for another one. */
  begin(): void {
    this.#videoType = undefined;
    this.#isHolding = false;
  }

  async offer({ hold = false, codec, video }: OfferChange = {}): Promise<string> {
    if (video !== undefined) this.#videoType = video ? ownVideoType : 0;
    if (codec !== undefined) this.tone.codec = known(codec);
    this.#isHolding = hold;
    if (hold) this.tone.hush();
    return this.tone.sdp(hold ? 'sendonly' : 'sendrecv', this.#videoLines());
  }

  async answer(offer: string): Promise<string> {
    const [codec] = codecsIn(offer);
    if (codec === undefined) throw new Error(`neither PCMU nor PCMA:\n${offer}`);
    this.tone.codec = codec;
    this.tone.eventType = eventTypeIn(offer) ?? this.tone.eventType;
    this.#videoType = videoTypeIn(offer);
    this.#heed(offer);
    return this.tone.sdp(reverse[directionOf(offer)], this.#videoLines());
  }

  async settle(answer: string): Promise<void> {
    if (!codecsIn(answer).includes(this.tone.codec)) throw new Error(`not ${this.tone.codec}:\n${answer}`);
    this.#heed(answer);
  }

  async hears(hz: number | null): Promise<void> {
    if (hz === null) return this.#silent();
    await this.tone.waitForTone(hz, this.tone.received);
  }

  press(digit: string): void {
    this.tone.sendDigit(digit, this.#remote);
  }

  /** Resolves once it has heard these digits, and no others, from now on. */
  pressed(digits: string): Promise<void> {
    return this.tone.waitForDigits(this.tone.digits() + digits);
  }

  /** How many pictures have come so far. */
  pictures(): number {
    return this.mirror.packets.filter((packet) => packet.readUInt8(1) >= 0x80).length;
  }

  close(): void {
    this.tone.close();
    this.mirror.close();
  }

  #videoLines(): string[] {
    const type = this.#videoType;
    if (type === undefined) return [];
    if (type === 0) return ['m=video 0 RTP/AVP 0'];
    return [
      `m=video ${this.mirror.port} RTP/AVP ${type}`,
      `a=rtcp:${this.mirror.rtcpPort}`,
      `a=rtpmap:${type} VP8/90000`,
      `a=rtcp-fb:${type} nack pli`,
      'a=sendrecv',
    ];
  }

  /** Nothing comes, or no tone. */
  async #silent(): Promise<void> {
    for (;;) {
      const since = this.tone.received;
      await new Promise((resolve) => setTimeout(resolve, silenceMs));
      if (this.tone.isSilentSince(since)) return;
    }
  }

  #heed(sdp: string): void {
    this.#remote = sdp;
    const mayHear = ['sendrecv', 'recvonly'].includes(directionOf(sdp));
    if (mayHear && !this.#isHolding) this.tone.speakTo(sdp);
    else this.tone.hush();
  }
}

function known(codec: string): G711 {
  if (codec !== 'PCMU' && codec !== 'PCMA') throw new Error(`${codec} is not G.711`);
  return codec;
}

/** G.711 codecs of the first audio line, in its order. */
function codecsIn(sdp: string): G711[] {
  const types = /^m=audio \d+ \S+ (.*?)\r?$/m.exec(sdp)?.[1]?.split(' ') ?? [];
  return types.flatMap((type): G711[] => (type === '0' ? ['PCMU'] : type === '8' ? ['PCMA'] : []));
}

/** Payload type of VP8 in the video line; 0 when that is off or has none; undefined when there is no such line. */
function videoTypeIn(sdp: string): number | undefined {
  const port = /^m=video (\d+) /m.exec(sdp)?.[1];
  if (port === undefined) return undefined;
  return port === '0' ? 0 : Number(/^a=rtpmap:(\d+) VP8\//m.exec(sdp)?.[1] ?? 0);
}

function eventTypeIn(sdp: string): number | undefined {
  const type = /^a=rtpmap:(\d+) telephone-event\/8000/m.exec(sdp)?.[1];
  return type === undefined ? undefined : Number(type);
}

function directionOf(sdp: string): Direction {
  const audio = /^m=audio [^]*?(?=^m=|(?![^]))/m.exec(sdp)?.[0] ?? '';
  return (
    (/^a=(sendrecv|sendonly|recvonly|inactive)\r?$/m.exec(audio)?.[1] as Direction | undefined) ?? 'sendrecv'
  );
}
