import type { Clock, Timer } from '../clock.js';
import { failure, type SipFailure } from '../failure.js';
import { answerWithinMs } from './heartbeat.js';

interface OpenCommand {
  readonly late: Timer;
  resolve(): void;
  reject(why: unknown): void;
}

/** What the control protocol can do and srf cannot: commands that are written by hand, and the engine's answers to them. */
export class EngineCommands {
  readonly #open = new Map<string, OpenCommand>();

  /** `write` sends a frame and returns its id. */
  constructor(
    private readonly write: (frame: string) => string,
    private readonly clock: Clock,
  ) {}

  get size(): number {
    return this.#open.size;
  }

  /**
   * Sends a SIP message in a transaction that another connection has begun: CANCEL for an INVITE that went out, a response
   * to one that came in. Resolves when the engine has taken it; rejects with its refusal (`NOK|…`) as an Error, with
   * `trunk.timeout` when it has not answered in 5 s, or when it goes away.
   */
  inTransaction(transactionId: string, message: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const id = this.write(`sip|${transactionId}|\r\n${message}`);
      const late = this.clock.after(answerWithinMs, () => {
        this.#open.delete(id);
        reject(failure('trunk.timeout', { detail: 'the engine does not answer a command' }));
      });
      this.#open.set(id, { late, resolve, reject });
    });
  }

  /** Looks whether a frame from the engine, without its length, is an answer. */
  hear(frame: string): void {
    if (this.#open.size === 0) return;
    const end = frame.indexOf('\r\n');
    const [, kind, id = '', result, text] = (end < 0 ? frame : frame.slice(0, end)).split('|');
    const command = kind === 'response' ? this.#open.get(id) : undefined;
    if (command === undefined) return;
    this.#open.delete(id);
    command.late.cancel();
    if (result === 'OK') command.resolve();
    else command.reject(new Error(text ?? 'refused'));
  }

  /** The engine is gone: no answer will come. */
  abandonAll(why: SipFailure): void {
    for (const command of this.#open.values()) {
      command.late.cancel();
      command.reject(why);
    }
    this.#open.clear();
  }
}
