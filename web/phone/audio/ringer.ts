import { incomingCall, type CallsState } from '../state/call-state.js';

/** Tones in hertz, then how long they sound and how long it is quiet, in seconds. */
interface Pattern {
  readonly tones: readonly number[];
  readonly onSeconds: number;
  readonly offSeconds: number;
  readonly volume: number;
}

const patterns = {
  /** Someone calls us. */
  ring: { tones: [587, 740], onSeconds: 0.9, offSeconds: 1.6, volume: 0.12 },
  /** Someone calls us while we speak: a soft knock. */
  knock: { tones: [440], onSeconds: 0.18, offSeconds: 4, volume: 0.05 },
  /** The other side's phone rings, and its network sends no tone of its own. */
  ringback: { tones: [425], onSeconds: 1, offSeconds: 4, volume: 0.06 },
} as const satisfies Record<string, Pattern>;

type Tune = keyof typeof patterns;

function tuneFor(calls: CallsState): Tune | undefined {
  if (incomingCall(calls) !== undefined) return calls.list.length > 1 ? 'knock' : 'ring';
  const ringing = calls.list.some((call) => call.phase === 'ringing' && !call.earlyMedia);
  return ringing ? 'ringback' : undefined;
}

/** Plays the tone that the calls ask for. A browser lets a page sound only after a click or a key press. */
export class Ringer {
  private context: AudioContext | undefined;
  private tune: Tune | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private fade: GainNode | undefined;

  constructor() {
    const unlock = (): void => void this.ready().resume();
    window.addEventListener('pointerdown', unlock, { capture: true });
    window.addEventListener('keydown', unlock, { capture: true });
  }

  update(calls: CallsState): void {
    const tune = tuneFor(calls);
    if (tune === this.tune) return;
    this.silence();
    this.tune = tune;
    if (tune !== undefined) this.play(patterns[tune]);
  }

  private ready(): AudioContext {
    this.context ??= new AudioContext();
    return this.context;
  }

  private play(pattern: Pattern): void {
    const context = this.context;
    if (context !== undefined) this.burst(context, pattern);
    const periodMs = (pattern.onSeconds + pattern.offSeconds) * 1000;
    this.timer = setTimeout(() => this.play(pattern), periodMs);
  }

  private burst(context: AudioContext, pattern: Pattern): void {
    const gain = context.createGain();
    const start = context.currentTime;
    const end = start + pattern.onSeconds;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(pattern.volume, start + 0.04);
    gain.gain.setValueAtTime(pattern.volume, end - 0.06);
    gain.gain.linearRampToValueAtTime(0, end);
    gain.connect(context.destination);
    for (const frequency of pattern.tones) {
      const oscillator = context.createOscillator();
      oscillator.frequency.value = frequency;
      oscillator.connect(gain);
      oscillator.start(start);
      oscillator.stop(end);
    }
    this.fade = gain;
  }

  private silence(): void {
    clearTimeout(this.timer);
    this.fade?.disconnect();
    this.fade = undefined;
  }
}
