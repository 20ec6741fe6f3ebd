import type { Clock, Timer } from '../../sip/clock.js';
import { toFailure } from '../../sip/failure.js';
import type { RegisterAnswer } from '../../sip/trunk/trunk-registration.js';
import type { Chance } from './chance.js';
import { answerText, nextStep } from './registration-answer.js';
import { RegistrarHosts } from './registrar-hosts.js';
import { RetryPace } from './retry-pace.js';

/** `trying` until the first answer; `lost` when the binding has run out or never was. */
export type RegistrationState = 'trying' | 'registered' | 'lost' | 'ended';

/** Tells of what becomes of a registration. */
export interface RegistrationListener {
  /** `isNew`: not a mere refresh. */
  registered(told: {
    readonly host: string;
    readonly expiresSeconds: number;
    readonly answer: string;
    readonly isNew: boolean;
  }): void;
  /** `repeated`: it said the same the last time. */
  failed(told: {
    readonly host: string;
    readonly answer: string;
    readonly retryMs: number;
    readonly repeated: boolean;
  }): void;
  ended(told: { readonly answer: string }): void;
}

export interface RegistrationOptions {
  /** Sends a REGISTER; rejects with a SipFailure when there is no answer. */
  readonly send: (host: string, expiresSeconds: number, timeoutMs: number) => Promise<RegisterAnswer>;
  /** URIs of the hosts, best first. */
  readonly hosts: readonly string[];
  readonly expiresMs: number;
  /** The first wait after a failure. */
  readonly retryMs: number;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly listener: RegistrationListener;
}

/** A registrar that says nothing for so long does not answer. */
const answerWithinMs = 10_000;

/** Leaving takes no longer than this. */
const leaveWithinMs = 2_000;

/** Keeps one trunk signed in (RFC 3261 §10.2): refreshes in time, comes back after failures, signs out at the end. */
export class Registration {
  #state: RegistrationState = 'trying';
  #sinceMs: number;
  #lastAnswer: string | undefined;
  /** Until when our binding lasts at the registrar; 0: there is none. */
  #expiresAtMs = 0;
  #nextTryMs: number | undefined;
  readonly #hosts: RegistrarHosts;
  #wantedSeconds: number;
  /** A 423 has been obeyed since the last success. */
  #obeyed = false;
  #timer: Timer | undefined;
  #lapse: Timer | undefined;
  #asking = false;
  readonly #pace: RetryPace;

  constructor(private readonly options: RegistrationOptions) {
    this.#sinceMs = options.clock.nowMs();
    this.#hosts = new RegistrarHosts(options.hosts, options.clock);
    this.#wantedSeconds = Math.ceil(options.expiresMs / 1_000);
    this.#pace = new RetryPace(options.retryMs, options.chance);
  }

  get state(): RegistrationState {
    return this.#state;
  }

  /** Since when it is in its state. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** What the carrier said last, word for word; or why it said nothing. */
  get lastAnswer(): string | undefined {
    return this.#lastAnswer;
  }

  /** It has begun, whatever has become of it. */
  get isOpen(): boolean {
    return this.#nextTryMs !== undefined || this.#state !== 'trying';
  }

  /** When the binding runs out; undefined without one. */
  get expiresAtMs(): number | undefined {
    return this.#state === 'registered' ? this.#expiresAtMs : undefined;
  }

  /** When it is tried or refreshed again. */
  get nextTryMs(): number | undefined {
    return this.#nextTryMs;
  }

  /** The host that is, or is to be, signed in to. */
  get host(): string {
    return this.#hosts.current;
  }

  /** Begins, or begins anew at once: for the start, and for the return of the engine. A host that wants to be left in peace is. */
  open(): void {
    if (this.#state === 'ended') return;
    this.#pace.reset();
    this.#askIn(this.#hosts.beginAnew());
  }

  /** Signs out, and does nothing any more. Resolves when the carrier has answered, or did not in time. Idempotent. */
  async close(): Promise<void> {
    if (this.#state === 'ended') return;
    const isBound = this.#state === 'registered' || this.#asking;
    this.#timer?.cancel();
    this.#lapse?.cancel();
    this.#nextTryMs = undefined;
    this.#become('ended');
    if (!isBound) return;
    try {
      this.#lastAnswer = answerText(await this.options.send(this.host, 0, leaveWithinMs));
    } catch (thrown) {
      this.#lastAnswer = wordsOf(thrown);
    }
    this.options.listener.ended({ answer: this.#lastAnswer });
  }

  #askIn(delayMs: number): void {
    const { clock } = this.options;
    this.#timer?.cancel();
    this.#nextTryMs = clock.nowMs() + delayMs;
    this.#timer = clock.after(delayMs, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const answer = await this.options.send(this.host, this.#wantedSeconds, answerWithinMs);
      this.#asking = false;
      if (this.#state !== 'ended') this.#take(answer);
    } catch (thrown) {
      this.#asking = false;
      if (this.#state !== 'ended') this.#unanswered(thrown);
    }
  }

  #take(answer: RegisterAnswer): void {
    const step = nextStep(answer, this.#wantedSeconds);
    if (step.kind === 'registered') return this.#registered(step.expiresSeconds, answerText(answer));
    if (step.kind === 'ask_longer' && !this.#obeyed) {
      this.#obeyed = true;
      this.#wantedSeconds = step.expiresSeconds;
      this.#note(answerText(answer), 0);
      return this.#askIn(0);
    }
    if (step.kind === 'wait') return this.#failed(answerText(answer), this.#pace.after(step.seconds));
    if (step.kind === 'elsewhere') return this.#tryElsewhere(answerText(answer), step.notForSeconds);
    this.#failed(answerText(answer), step.kind === 'slow' ? this.#pace.slow() : this.#pace.next());
  }

  #unanswered(thrown: unknown): void {
    const { code } = toFailure(thrown);
    if (code === 'trunk.engine_away') return this.#failed(wordsOf(thrown), this.#pace.next());
    this.#tryElsewhere(wordsOf(thrown));
  }

  /** The next host at once; when all have been asked the first again, but later. */
  #tryElsewhere(answer: string, notForSeconds?: number): void {
    const { host } = this;
    if (notForSeconds !== undefined) this.#hosts.postpone(this.#pace.after(notForSeconds));
    const waitMs = this.#hosts.goOn(() => this.#pace.next());
    this.#note(answer, waitMs, host);
    this.#askIn(waitMs);
  }

  #registered(expiresSeconds: number, answer: string): void {
    const { clock, chance, listener } = this.options;
    const isNew = this.#state !== 'registered';
    this.#pace.reset();
    this.#hosts.succeeded();
    this.#obeyed = false;
    this.#lastAnswer = answer;
    this.#expiresAtMs = clock.nowMs() + expiresSeconds * 1_000;
    this.#become('registered');
    this.#lapse?.cancel();
    this.#lapse = clock.after(expiresSeconds * 1_000, () => this.#become('lost'));
    this.#askIn(Math.max(expiresSeconds * 1_000 * (0.9 - 0.1 * chance()), 500));
    listener.registered({ host: this.host, expiresSeconds, answer, isNew });
  }

  #failed(answer: string, waitMs: number): void {
    this.#note(answer, waitMs);
    this.#askIn(waitMs);
  }

  /** While an earlier binding lasts, calls still come. */
  #note(answer: string, retryMs: number, host = this.host): void {
    const repeated = this.#lastAnswer === answer;
    this.#lastAnswer = answer;
    if (this.#state === 'trying') this.#become('lost');
    this.options.listener.failed({ host, answer, retryMs, repeated });
  }

  #become(state: RegistrationState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#sinceMs = this.options.clock.nowMs();
  }
}

function wordsOf(thrown: unknown): string {
  const { detail, reason } = toFailure(thrown);
  return detail ?? reason;
}
