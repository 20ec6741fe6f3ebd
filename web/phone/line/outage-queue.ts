const maxMessages = 64;

/** How long a SIP message is worth sending late: 64*T1, after which its transaction is over (RFC 3261 §17). */
const worthMs = 32_000;

/**
 * Messages that the calls wanted to send while there was no connection: a BYE, an answer to a re-INVITE. They go out
 * once the phone is signed in again, so that hanging up during an outage still ends the call at the other side.
 */
export class OutageQueue {
  private readonly messages = new Map<string, number>();

  constructor(private readonly nowMs: () => number) {}

  get size(): number {
    return this.messages.size;
  }

  /** Something waits that is still worth sending. */
  get isWorthSending(): boolean {
    const limit = this.nowMs() - worthMs;
    return [...this.messages.values()].some((keptAtMs) => keptAtMs >= limit);
  }

  /** Keeps a message, unless too many wait already. Retransmissions are kept once. */
  keep(message: string): void {
    if (this.messages.size >= maxMessages) return;
    if (!this.messages.has(message)) this.messages.set(message, this.nowMs());
  }

  /** Takes out what is still worth sending, oldest first. */
  drain(): string[] {
    const limit = this.nowMs() - worthMs;
    const fresh = [...this.messages].filter(([, keptAtMs]) => keptAtMs >= limit).map(([message]) => message);
    this.messages.clear();
    return fresh;
  }
}
