import { randomInt } from 'node:crypto';
import { AnswerRetransmission } from '../dialog/answer-retransmission.js';
import type { Core } from './core.js';

interface Provisional {
  readonly rseq: number;
  readonly sequence: number;
  readonly bytes: Buffer;
}

/** The reliable provisional responses of one INVITE, sent one at a time (RFC 3262 §3). */
export class ReliableProvisionals {
  private rseq: number;
  /** In the order of sending; the first is on the wire until its PRACK comes. */
  private readonly queue: Provisional[] = [];
  private retransmission: AnswerRetransmission | undefined;

  constructor(
    private readonly core: Core,
    private readonly transmit: (bytes: Buffer) => void,
    private readonly expired: () => void,
  ) {
    this.rseq = randomInt(1, 2 ** 31);
  }

  /** The RSeq that the next response is to carry. */
  nextSequence(): number {
    this.rseq += 1;
    return this.rseq;
  }

  /** Sends a response written with the last {@link nextSequence}, after those before it are acknowledged. */
  send(bytes: Buffer, sequence: number): void {
    this.queue.push({ rseq: this.rseq, sequence, bytes });
    if (this.queue.length === 1) this.start();
  }

  /** Takes a RAck (`rseq cseq method`). Returns false when it matches nothing that was sent (RFC 3262 §3: 481). */
  acknowledge(rack: string): boolean {
    const [rseq, sequence, method] = rack.trim().split(/\s+/);
    const [first] = this.queue;
    if (first === undefined || Number(rseq) !== first.rseq || Number(sequence) !== first.sequence)
      return false;
    if (method?.toUpperCase() !== 'INVITE') return false;
    this.retransmission?.stop();
    this.queue.shift();
    if (this.queue.length > 0) this.start();
    return true;
  }

  /** The INVITE has its final response. Idempotent. */
  stop(): void {
    this.retransmission?.stop();
    this.retransmission = undefined;
  }

  private start(): void {
    const [first] = this.queue;
    if (first === undefined) return;
    const { clock, timers } = this.core;
    this.transmit(first.bytes);
    this.retransmission = new AnswerRetransmission(
      clock,
      timers,
      timers.lifetimeMs,
      () => this.transmit(first.bytes),
      this.expired,
    );
  }
}
