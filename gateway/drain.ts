import type { Clock, Timer } from '../sip/clock.js';

/** What comes to rest. */
export interface DrainParts {
  /** Leaves every trunk. Not before the notice is over: some carriers take calls of who is registered only. */
  signOut(): Promise<void>;
  /** Refuses what would begin something new at the browser side. */
  closeDoor(): void;
  /** Refuses new calls; resolves when the last one has ended. */
  lastCall(): Promise<void>;
}

export interface DrainTimes {
  /** For so long everything is taken as before, so that whoever spreads the load notices first. */
  readonly noticeMs: number;
  /** How long calls may go on, from the beginning of the drain. */
  readonly limitMs: number;
}

/** Lets the gateway run out: notice, then nothing new, then the end of the last call or the limit. */
export class Drain {
  #state: 'idle' | 'notice' | 'running out' | 'over' = 'idle';
  #timers: Timer[] = [];
  #over: () => void = () => undefined;
  readonly #ended = new Promise<void>((resolve) => (this.#over = resolve));

  constructor(
    private readonly parts: DrainParts,
    private readonly clock: Clock,
  ) {}

  /** True from the beginning on. */
  get begun(): boolean {
    return this.#state !== 'idle';
  }

  /** Resolves when the last call has ended or the limit is over, and when {@link end} is called. */
  begin({ noticeMs, limitMs }: DrainTimes): Promise<void> {
    if (this.#state !== 'idle') return this.#ended;
    this.#state = 'notice';
    if (noticeMs > 0) this.#timers.push(this.clock.after(noticeMs, () => this.#runOut()));
    else this.#runOut();
    this.#timers.push(this.clock.after(Math.max(limitMs, noticeMs), () => this.end()));
    return this.#ended;
  }

  /** Nothing is waited for any more. Idempotent. */
  end(): void {
    this.#state = 'over';
    for (const timer of this.#timers.splice(0)) timer.cancel();
    this.#over();
  }

  #runOut(): void {
    this.#state = 'running out';
    void this.parts.signOut();
    this.parts.closeDoor();
    void this.parts.lastCall().then(() => this.end());
  }
}
