import type { OfferChange } from '../in-page/call-end.js';
import type { CallMedia } from './scripted-phone.js';
import { TonePhone, type Direction, type G711 } from './tone-phone.js';

const reverse: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
};
const silenceMs = 250;

/** One end of a call as an old telephone has it: G.711 over plain RTP, a tone of its own. */
export class PlainCallEnd implements CallMedia<OfferChange> {
  #remote = '';
  #isHolding = false;

  private constructor(private readonly tone: TonePhone) {}

  static async start(hz: number): Promise<PlainCallEnd> {
    return new PlainCallEnd(await TonePhone.start(hz));
  }

  async offer({ hold = false, codec }: OfferChange = {}): Promise<string> {
    if (codec !== undefined) this.tone.codec = known(codec);
    this.#isHolding = hold;
    if (hold) this.tone.hush();
    return this.tone.sdp(hold ? 'sendonly' : 'sendrecv');
  }

  async answer(offer: string): Promise<string> {
    const [codec] = codecsIn(offer);
    if (codec === undefined) throw new Error(`neither PCMU nor PCMA:\n${offer}`);
    this.tone.codec = codec;
    this.tone.eventType = eventTypeIn(offer) ?? this.tone.eventType;
    this.#heed(offer);
    return this.tone.sdp(reverse[directionOf(offer)]);
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

  close(): void {
    this.tone.close();
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
