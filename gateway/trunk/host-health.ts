import type { Clock, Timer } from '../../sip/clock.js';
import { toFailure } from '../../sip/failure.js';
import type { Chance } from './chance.js';

/** `unknown` until the first answer, or for ever when the host is not watched; it is used like one that is up. */
export type HostState = 'unknown' | 'up' | 'down';

/** What a host says to OPTIONS. Rejects when it says nothing. */
export type AskHost = () => Promise<{ readonly status: number; readonly reason: string }>;

export interface HostHealthOptions {
  readonly ask: AskHost;
  /** Undefined: the host is never asked. */
  readonly watch: { readonly everyMs: number; readonly failAfter: number } | undefined;
  readonly clock: Clock;
  readonly chance: Chance;
  /** The host has come up, or gone down; not told of the first answer. */
  readonly changed: (state: 'up' | 'down', answer: string) => void;
}

/** After a call that found nobody the host is asked soon, not at its turn. */
const soonMs = 1_000;

/** The first question comes at once, but not to all hosts of all gateways in the same moment. */
const firstWithinMs = 500;

/**
 * Whether one host of a trunk is alive. It goes down after so many questions in a row without an answer (408 and 503 are
 * none), and comes up with a single one.
 */
export class HostHealth {
  #state: HostState = 'unknown';
  #sinceMs: number;
  #lastAnswer: string | undefined;
  #failures = 0;
  #timer: Timer | undefined;
  #asking = false;
  #open = false;

  constructor(private readonly options: HostHealthOptions) {
    this.#sinceMs = options.clock.nowMs();
  }

  get state(): HostState {
    return this.#state;
  }

  /** Since when it is in its state. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** What it said last, or why it said nothing; undefined before. */
  get lastAnswer(): string | undefined {
    return this.#lastAnswer;
  }

  /** It has begun to ask, and has not been closed since. */
  get isOpen(): boolean {
    return this.#open;
  }

  /** Begins to ask. */
  open(): void {
    this.#open = true;
    this.#askIn(this.options.chance() * firstWithinMs);
  }

  /** Asks no more. Idempotent. */
  close(): void {
    this.#open = false;
    this.#timer?.cancel();
  }

  /** A call had an answer from there: it is alive, whatever OPTIONS have said. */
  heard(answer: string): void {
    if (this.options.watch === undefined) return;
    this.#alive(answer);
  }

  /** A call found nobody there: it is asked soon. */
  missed(): void {
    const { watch, chance } = this.options;
    if (!this.#open || this.#asking || watch === undefined || this.#state === 'down') return;
    this.#askIn(Math.min(watch.everyMs, soonMs) * (1 + chance()) * 0.5);
  }

  #askIn(delayMs: number): void {
    if (this.options.watch === undefined || !this.#open) return;
    this.#timer?.cancel();
    this.#timer = this.options.clock.after(delayMs, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    const { ask, watch, chance } = this.options;
    if (watch === undefined || this.#asking) return;
    this.#asking = true;
    try {
      const { status, reason } = await ask();
      const answer = `${status} ${reason}`.trim();
      if (status === 408 || status === 503) this.#silent(answer);
      else this.#alive(answer);
    } catch (thrown) {
      const { code, detail, reason } = toFailure(thrown);
      // Without an engine of ours nobody was asked.
      if (code !== 'trunk.engine_away') this.#silent(detail ?? reason);
    }
    this.#asking = false;
    this.#askIn(watch.everyMs * (0.9 + chance() * 0.2));
  }

  #alive(answer: string): void {
    this.#failures = 0;
    this.#lastAnswer = answer;
    this.#become('up', answer);
  }

  #silent(answer: string): void {
    this.#failures += 1;
    this.#lastAnswer = answer;
    if (this.#failures >= (this.options.watch?.failAfter ?? 1)) this.#become('down', answer);
  }

  #become(state: 'up' | 'down', answer: string): void {
    const before = this.#state;
    if (!this.#open || before === state) return;
    this.#state = state;
    this.#sinceMs = this.options.clock.nowMs();
    if (before !== 'unknown' || state === 'down') this.options.changed(state, answer);
  }
}
