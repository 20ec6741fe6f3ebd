import type { SipFailure } from '../failure.js';

interface OpenCommand {
  resolve(): void;
  reject(why: unknown): void;
}

/** What the control protocol can do and srf cannot: commands that are written by hand, and the engine's answers to them. */
export class EngineCommands {
  readonly #open = new Map<string, OpenCommand>();

  /** `write` sends a frame and returns its id. */
  constructor(private readonly write: (frame: string) => string) {}

  get size(): number {
    return this.#open.size;
  }

  /**
   * Sends a SIP message in a transaction that another connection has begun: CANCEL for an INVITE that went out, a response
   * to one that came in. Resolves when the engine has taken it; rejects with its refusal (`NOK|…`) as an Error, or when it
   * goes away.
   */
  inTransaction(transactionId: string, message: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#open.set(this.write(`sip|${transactionId}|\r\n${message}`), { resolve, reject });
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
    if (result === 'OK') command.resolve();
    else command.reject(new Error(text ?? 'refused'));
  }

  /** The engine is gone: no answer will come. */
  abandonAll(why: SipFailure): void {
    for (const command of this.#open.values()) command.reject(why);
    this.#open.clear();
  }
}
