import { randomInt } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { Clock, Timer } from '../../sip/clock.js';
import type { Spool, SpooledLine } from './spool.js';
import { endTornLine } from './line-ends.js';

export interface WebhookOptions {
  readonly url: string;
  /** Sent as bearer token. */
  readonly token: string | undefined;
  readonly timeoutMs: number;
  readonly spool: Spool;
  /** Gets the records that the receiver will never take. */
  readonly rejectedPath: string;
  readonly clock: Clock;
  readonly events: WebhookEvents;
}

export interface WebhookEvents {
  /** The receiver takes nothing, or the disk of the queue does not; records wait. Told once until both do again. */
  down(cause: string, waiting: number): void;
  up(waiting: number): void;
  /** The receiver refused this record for good. */
  rejected(status: number): void;
}

/** Requests that are under way at a time. */
const window = 8;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
/** A receiver may ask for as much. */
const longestRetryAfterMs = 300_000;

type Outcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'later'; readonly why: string; readonly retryAfterMs: number | undefined };

/**
 * Posts each record to a URL, at least once: until the receiver answers 2xx, with growing pauses, also after a restart.
 * `Idempotency-Key` is the id of the call, so that a receiver can pass over what it has.
 */
export class Webhook {
  readonly #aborter = new AbortController();
  #pauseMs = firstPauseMs;
  #pause: { readonly timer: Timer; readonly end: () => void } | undefined;
  #isDown = false;
  #isClosed = false;
  #running: Promise<void> | undefined;

  constructor(private readonly options: WebhookOptions) {}

  /** There is something to post. */
  wake(): void {
    if (this.#isClosed) return;
    this.#running ??= this.#run();
  }

  /** Breaks off; what was not taken stays in the queue. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#aborter.abort();
    this.#pause?.timer.cancel();
    this.#pause?.end();
    await this.#running;
  }

  async #run(): Promise<void> {
    let mayGoOn = true;
    while (mayGoOn && !this.#isClosed) {
      try {
        mayGoOn = await this.#round();
      } catch (cause) {
        await this.#wait(`its queue fails: ${whyOf(cause)}`, undefined);
      }
    }
    this.#running = undefined;
    if (!this.#isClosed && this.options.spool.waiting > 0) this.wake();
  }

  /** Deals with the oldest records; resolves with false when there are none. Rejects when the disk fails. */
  async #round(): Promise<boolean> {
    const { spool } = this.options;
    const lines = await spool.peek(window);
    const last = lines.at(-1);
    if (last === undefined) return false;
    if (!(await this.#deliver(lines))) return false;
    await spool.done(last.endsAt, lines.length);
    this.#succeeded();
    return true;
  }

  /** Resolves when all are dealt with; with false when it is closed meanwhile. Rejects when a refused one cannot be kept. */
  async #deliver(lines: readonly SpooledLine[]): Promise<boolean> {
    let left = lines.map(({ text }) => text).filter(isRecord);
    while (left.length > 0) {
      const outcomes = await Promise.all(left.map((text) => this.#post(text)));
      const again: string[] = [];
      for (const [index, text] of left.entries()) {
        const outcome = outcomes[index];
        if (outcome?.kind === 'refused') await this.#reject(text, outcome.status);
        if (outcome?.kind === 'later') again.push(text);
      }
      left = again;
      const failed = outcomes.find((outcome) => outcome.kind === 'later');
      if (failed !== undefined) await this.#wait(failed.why, failed.retryAfterMs);
      if (this.#isClosed) return left.length === 0;
    }
    return true;
  }

  async #post(text: string): Promise<Outcome> {
    const { url, token, timeoutMs } = this.options;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': callIdOf(text),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: text,
        redirect: 'error',
        signal: AbortSignal.any([this.#aborter.signal, AbortSignal.timeout(timeoutMs)]),
      });
      await response.body?.cancel();
      return outcomeOf(response);
    } catch (cause) {
      return { kind: 'later', why: whyOf(cause), retryAfterMs: undefined };
    }
  }

  #succeeded(): void {
    this.#pauseMs = firstPauseMs;
    if (!this.#isDown) return;
    this.#isDown = false;
    this.options.events.up(this.options.spool.waiting);
  }

  async #reject(text: string, status: number): Promise<void> {
    const file = await open(this.options.rejectedPath, 'a+', 0o640);
    try {
      await endTornLine(file);
      await file.appendFile(`${text}\n`);
    } finally {
      await file.close();
    }
    this.options.events.rejected(status);
  }

  async #wait(why: string, retryAfterMs: number | undefined): Promise<void> {
    if (this.#isClosed) return;
    const { clock, events, spool } = this.options;
    if (!this.#isDown) events.down(why, spool.waiting);
    this.#isDown = true;
    const jittered = randomInt(this.#pauseMs / 2, this.#pauseMs + 1);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
    await new Promise<void>((resolve) => {
      const timer = clock.after(retryAfterMs ?? jittered, resolve);
      this.#pause = { timer, end: resolve };
    });
  }
}

/** 4xx that mean "not now" are tried again; others would be answered the same again. */
function outcomeOf({ ok, status, headers }: Response): Outcome {
  if (ok) return { kind: 'taken' };
  const isPassing = status >= 500 || [408, 425, 429].includes(status);
  if (!isPassing) return { kind: 'refused', status };
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = seconds > 0 ? Math.min(seconds * 1_000, longestRetryAfterMs) : undefined;
  return { kind: 'later', why: `it answers ${status}`, retryAfterMs };
}

function whyOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}

/** A line that a crash has cut short is none. */
function isRecord(text: string): boolean {
  return callIdOf(text) !== '';
}

function callIdOf(text: string): string {
  try {
    const record: unknown = JSON.parse(text);
    const isObject = typeof record === 'object' && record !== null && 'callId' in record;
    return isObject && typeof record.callId === 'string' ? record.callId : '';
  } catch {
    return '';
  }
}
