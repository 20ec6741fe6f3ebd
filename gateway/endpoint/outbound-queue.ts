const maxMessages = 32;
const maxBytes = 256 * 1_024;

/** Messages that wait, in order, for an endpoint's next flow. */
export class OutboundQueue {
  readonly #messages: string[] = [];
  #bytes = 0;

  get size(): number {
    return this.#messages.length;
  }

  /** False when the queue is full: the message is lost. */
  add(text: string): boolean {
    if (this.#messages.length === maxMessages || this.#bytes + text.length > maxBytes) return false;
    this.#messages.push(text);
    this.#bytes += text.length;
    return true;
  }

  /** Empties the queue. */
  takeAll(): string[] {
    this.#bytes = 0;
    return this.#messages.splice(0);
  }
}
