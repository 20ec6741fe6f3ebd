import type { Clock } from '../../sip/clock.js';
import { failure, type SipFailure } from '../../sip/failure.js';
import type { CalleeAnswer, CalleeLeg, CalleeListener } from '../../sip/leg.js';
import { newId } from '../../sip/message/index.js';
import type { TrunkTable } from '../trunk/trunk-table.js';
import { adviceOnCall } from './advice.js';
import type { Finding } from './finding.js';
import { TonePort, type PortRange } from './tone-port.js';
import type { WireNotes } from './wire-notes.js';

const toneHz = 440;
const ringWithinMs = 30_000;
const talkMs = 3_000;
/** Quieter than this is silence. */
const audible = -60;

export interface TestCallOptions {
  readonly trunks: TrunkTable;
  readonly trunk: string;
  /** What is dialled, as it goes into the URI. */
  readonly number: string;
  /** Where the PBX is told to send audio, and the ports that a firewall lets through to it. */
  readonly media: { readonly address: string; readonly ports: PortRange | undefined };
  /** A user name and password are configured. */
  readonly hasPassword: boolean;
  readonly wire: WireNotes;
  readonly clock: Clock;
}

/** Calls a number, sends a tone for three seconds, listens, and hangs up. */
export async function examineCall(options: TestCallOptions): Promise<Finding> {
  const { trunks, trunk, number, media, hasPassword, wire, clock } = options;
  const tone = await TonePort.open(media, clock);
  try {
    const [target] = trunks.targets(
      trunk,
      { user: number, escapedUser: number },
      { user: 'webtrunk-doctor', callerId: undefined, displayName: 'webtrunk doctor' },
    );
    if (target === undefined) throw failure('trunk.unavailable');
    const legId = newId('l_');
    const { from, to, headers } = target;
    const call = new TestCall(clock);
    call.begin((listener) =>
      target.invite({ legId, sdp: offer(media.address, tone.port), from, to, headers }, listener),
    );
    const answer = await call.outcome;
    if ('code' in answer) return refused(answer, hasPassword, wire);
    const theirs = mediaOf(answer.sdp);
    if (theirs !== undefined) tone.sendTone(toneHz, theirs);
    answer.ack();
    await call.talk();
    return judge(tone, wire);
  } finally {
    tone.close();
  }
}

/** The leg of a test call. */
class TestCall implements CalleeListener {
  readonly outcome: Promise<CalleeAnswer | SipFailure>;
  #settle: (outcome: CalleeAnswer | SipFailure) => void = () => undefined;
  #ended: () => void = () => undefined;
  readonly #over: Promise<void>;
  #leg: CalleeLeg | undefined;

  constructor(private readonly clock: Clock) {
    this.outcome = new Promise((resolve) => (this.#settle = resolve));
    this.#over = new Promise((resolve) => (this.#ended = resolve));
  }

  begin(invite: (listener: CalleeListener) => CalleeLeg): void {
    this.#leg = invite(this);
    const late = this.clock.after(ringWithinMs, () => {
      this.#leg?.hangUp();
      this.#settle(failure('callee.no_answer'));
    });
    void this.outcome.then(() => late.cancel());
  }

  /** Lets the call be for three seconds, hangs up, and resolves when it has ended. */
  async talk(): Promise<void> {
    const timer = this.clock.after(talkMs, () => this.#leg?.hangUp());
    await this.#over;
    timer.cancel();
  }

  progress(): void {}
  reoffer(): void {}
  request(): void {}

  answered(answer: CalleeAnswer): void {
    this.#settle(answer);
  }

  failed(why: SipFailure): void {
    this.#settle(why);
  }

  ended(): void {
    this.#ended();
  }
}

function offer(address: string, port: number): string {
  const family = address.includes(':') ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=- 1 1 IN ${family} ${address}`,
    's=-',
    `c=IN ${family} ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=ptime:20',
    'a=sendrecv',
    '',
  ].join('\r\n');
}

/** Where the answer wants audio. */
function mediaOf(sdp: string | undefined): { readonly host: string; readonly port: number } | undefined {
  const port = Number(/^m=audio (\d+) /m.exec(sdp ?? '')?.[1] ?? 0);
  const host = /^c=IN IP[46] (\S+)/m.exec(sdp ?? '')?.[1];
  return port === 0 || host === undefined ? undefined : { host, port };
}

function refused(why: SipFailure, hasPassword: boolean, wire: WireNotes): Finding {
  const { status, reason, detail } = why;
  return {
    step: 'call',
    result: 'failed',
    says: `the call is refused: ${detail ?? `${status} ${reason}`}`,
    details: wire.take(),
    ...adviceOnCall(why, hasPassword),
  };
}

function judge(tone: TonePort, wire: WireNotes): Finding {
  const { packets, level, isOurTone } = tone.heard;
  const details = [...wire.take(), `audio: ${tone.sent} packets sent, ${packets} received`];
  if (tone.sent === 0) {
    return {
      step: 'call',
      result: 'failed',
      says: 'the call is answered, but without audio',
      details,
      cause: 'The answer has no audio in it, or none that a test call could take.',
      change: 'Call another number.',
    };
  }
  if (packets === 0) {
    return {
      step: 'call',
      result: 'failed',
      says: 'the call is answered, but no audio comes back',
      details,
      cause: 'A firewall drops UDP, or the PBX sends audio to another address than ours.',
      change: 'Open media.relay.ports, and give the address that the PBX reaches as media.relay.address.',
    };
  }
  if (level === undefined || level < audible) {
    return {
      step: 'call',
      result: 'warn',
      says: 'the call is answered and audio comes back, but it is silent',
      details,
      cause: 'The far end sends silence: it is on hold, muted, or does not hear us.',
      change: 'Call a number that speaks or echoes.',
    };
  }
  const what = isOurTone
    ? 'our own tone, so both directions carry it'
    : `another sound than ours; ask there whether a tone of ${toneHz} Hz was heard`;
  return {
    step: 'call',
    result: 'ok',
    says: `the call is answered, audio at ${level.toFixed(0)} dBFS: ${what}`,
    details,
  };
}
