import type { Clock } from '../../sip/clock.js';
import type { ProcessEvents } from '../telemetry/process-events.js';

/** What is stopped. */
export interface Stoppable {
  /** Takes nothing new; resolves when the last call has ended, or has had its time. */
  drain(): Promise<void>;
  /** Ends everything. Idempotent. */
  close(): Promise<void>;
  /** Calls that have not ended. */
  readonly calls: number;
}

export interface StoppingOptions {
  readonly stoppable: Stoppable;
  readonly events: Pick<ProcessEvents, 'draining' | 'stopped' | 'defect'>;
  readonly clock: Clock;
  /** How long calls may go on. */
  readonly drainLimitMs: () => number;
  /** How long closing may take before the process ends anyway. */
  readonly closeLimitMs: number;
  /** Ends the process; called once, last. */
  exit(code: number): void;
}

/** npm passes on the Ctrl-C that the terminal has already sent to the whole process group. */
const sameSignalMs = 500;
/** Defects while calls may still end; more than these and nothing can be relied on. */
const maxDefects = 10;

/** Stops the process once: drains at the first reason, cuts at the second. */
export class Stopping {
  #cause: string | undefined;
  #sinceMs = 0;
  #exitCode = 0;
  #defects = 0;
  #closing = false;
  #exited = false;

  constructor(private readonly options: StoppingOptions) {}

  /** SIGTERM or SIGINT: the first drains, the second cuts. */
  signal(name: string): void {
    if (this.#cause === undefined) return this.#drain(name);
    if (this.options.clock.nowMs() - this.#sinceMs >= sameSignalMs) this.#close();
  }

  /** Something was thrown that nobody expected: lets calls end, takes nothing new. */
  defect(source: 'uncaught_exception' | 'unhandled_rejection', error: unknown): void {
    this.options.events.defect({ source, error });
    this.#exitCode = 1;
    this.#defects += 1;
    if (this.#defects > maxDefects) return this.#close();
    if (this.#cause === undefined) this.#drain('defect');
  }

  #drain(cause: string): void {
    const { stoppable, events, clock, drainLimitMs } = this.options;
    this.#cause = cause;
    this.#sinceMs = clock.nowMs();
    events.draining({ cause, calls: stoppable.calls, limitMs: drainLimitMs() });
    stoppable.drain().then(
      () => this.#close(),
      (error: unknown) => this.defect('unhandled_rejection', error),
    );
  }

  #close(): void {
    if (this.#closing) return;
    this.#closing = true;
    const { stoppable, clock, closeLimitMs } = this.options;
    const limit = clock.after(closeLimitMs, () => {
      this.#exitCode = 1;
      this.#exit();
    });
    stoppable
      .close()
      .catch((error: unknown) => {
        this.#exitCode = 1;
        this.options.events.defect({ source: 'unhandled_rejection', error });
      })
      .finally(() => {
        limit.cancel();
        this.#exit();
      });
  }

  #exit(): void {
    if (this.#exited) return;
    this.#exited = true;
    this.options.events.stopped({ cause: this.#cause ?? 'defect' });
    this.options.exit(this.#exitCode);
  }
}
