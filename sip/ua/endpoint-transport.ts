import type { Transport } from 'sip.js/lib/core/index.js';
import type { Clock } from '../clock.js';
import type { Log } from '../log.js';
import { transactionTimeoutMs } from './timing.js';

interface Unsent {
  readonly text: string;
  readonly atMs: number;
}

const unsentLimit = 64;
/** Requests of ours leave room for the answers that only a flow that is there can ask for. */
const requestLimit = 48;
const sent = Promise.resolve();

export interface EndpointTransportOptions {
  readonly protocol: 'WS' | 'WSS';
  /** Writes to the current flow; false when there is none. */
  send(text: string): boolean;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * The one transport object of an endpoint for life: sip.js's transactions keep the transport that they were born with,
 * and flows come and go. What cannot be sent waits for the next flow as long as its transaction can live, because over
 * a reliable transport nobody retransmits it (RFC 3261 §17.1.1.2).
 */
export class EndpointTransport implements Transport {
  private readonly unsent: Unsent[] = [];

  constructor(private readonly options: EndpointTransportOptions) {}

  get protocol(): string {
    return this.options.protocol;
  }

  /** Number of messages that wait for a flow. */
  get size(): number {
    return this.unsent.length;
  }

  /** So much waits for a flow that requests are better refused at once. */
  get isFull(): boolean {
    return this.unsent.length >= requestLimit;
  }

  /** Never rejects: a transaction does not fail because a flow is away for a moment. */
  send(text: string): Promise<void> {
    if (this.unsent.length > 0) this.flush();
    if (this.unsent.length > 0 || !this.write(text)) this.keep(text);
    return sent;
  }

  /** Sends what waits, in order, as far as the flow takes it. */
  flush(): void {
    const oldestMs = this.options.clock.nowMs() - transactionTimeoutMs;
    for (;;) {
      const first = this.unsent[0];
      if (first === undefined) return;
      if (first.atMs >= oldestMs && !this.write(first.text)) return;
      this.unsent.shift();
    }
  }

  /** Sends these again, except those that still wait, and then what waits. */
  resend(texts: readonly string[]): void {
    const atMs = this.options.clock.nowMs();
    const waiting = new Set(this.unsent.map(({ text }) => text));
    const lost = texts.filter((text) => !waiting.has(text)).slice(0, unsentLimit - waiting.size);
    this.unsent.unshift(...lost.map((text) => ({ text, atMs })));
    this.flush();
  }

  close(): void {
    this.unsent.length = 0;
  }

  private write(text: string): boolean {
    try {
      return this.options.send(text);
    } catch (err) {
      this.options.log.warn({ err }, 'The flow failed while a SIP message was written to it');
      return false;
    }
  }

  private keep(text: string): void {
    if (this.unsent.some((message) => message.text === text)) return;
    if (this.unsent.length >= unsentLimit) {
      this.unsent.shift();
      this.options.log.warn({ unsentLimit }, 'The oldest SIP message that waits for a flow is dropped');
    }
    this.unsent.push({ text, atMs: this.options.clock.nowMs() });
  }
}
