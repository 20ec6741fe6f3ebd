import { randomInt } from 'node:crypto';
import type { Timer } from '../clock.js';
import type { HeaderList } from '../leg.js';
import type { EndpointContext } from './endpoint-context.js';
import type { InviteServer } from './server-request.js';
import { t1Ms, transactionTimeoutMs } from './timing.js';

interface Provisional {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  readonly sdp: string | undefined;
}

interface Outstanding {
  readonly rseq: number;
  readonly hasSdp: boolean;
  readonly text: string;
  readonly deadline: Timer;
  retransmission: Timer;
}

const firstRSeqLimit = 2 ** 31 - 1;

/** Provisional responses to one INVITE that are sent until a PRACK names them (RFC 3262 §3), one at a time. */
export class ReliableProvisionals {
  private nextRSeq = randomInt(1, firstRSeqLimit);
  private outstanding: Outstanding | undefined;
  private waiting: Provisional[] = [];
  /** The response whose PRACK crosses our final response. */
  private overtakenRSeq: number | undefined;

  /**
   * @param acknowledged - called after each PRACK that names the outstanding response
   * @param expired - called when no PRACK came in 64·T1
   */
  constructor(
    private readonly context: EndpointContext,
    private readonly server: InviteServer,
    private readonly acknowledged: (hadSdp: boolean) => void,
    private readonly expired: () => void,
  ) {}

  /** RFC 3262 §3: no 2xx may be sent while SDP in a provisional response is unacknowledged. */
  get holdsAnswer(): boolean {
    return this.outstanding?.hasSdp === true;
  }

  send(provisional: Provisional): void {
    if (this.outstanding === undefined) this.transmit(provisional);
    else this.waiting.push(provisional);
  }

  /** Takes the RAck header of a PRACK (RFC 3262 §7.2); false when it names no outstanding response. */
  acknowledge(rack: string | undefined): boolean {
    const { outstanding } = this;
    const [rseq, cseq, method] = (rack ?? '').trim().split(/\s+/);
    if (Number(cseq) !== this.server.request.cseq.number || method !== 'INVITE') return false;
    if (outstanding === undefined) return Number(rseq) === this.overtakenRSeq;
    if (Number(rseq) !== outstanding.rseq) return false;
    this.stop();
    const next = this.waiting.shift();
    if (next !== undefined) this.transmit(next);
    this.acknowledged(outstanding.hasSdp);
    return true;
  }

  /** A final response is decided on: what has not been sent never will be. */
  dropWaiting(): void {
    this.waiting = [];
  }

  /** A final response is sent: nothing more is. */
  close(): void {
    this.dropWaiting();
    this.overtakenRSeq = this.outstanding?.rseq;
    this.stop();
  }

  private transmit({ status, reason, headers, sdp }: Provisional): void {
    const rseq = this.nextRSeq++;
    const text = this.server.respond(status, {
      reason,
      headers: [...headers, ['Require', '100rel'], ['RSeq', String(rseq)]],
      ...(sdp === undefined ? {} : { sdp }),
    });
    if (text === undefined) return;
    this.outstanding = {
      rseq,
      hasSdp: sdp !== undefined,
      text,
      deadline: this.context.after(transactionTimeoutMs, () => {
        this.close();
        this.expired();
      }),
      retransmission: this.context.after(t1Ms, () => this.retransmit(t1Ms)),
    };
  }

  private retransmit(intervalMs: number): void {
    const { outstanding } = this;
    if (outstanding === undefined) return;
    void this.context.core.transport.send(outstanding.text);
    // RFC 3262 §3: the interval doubles without the bound T2.
    outstanding.retransmission = this.context.after(intervalMs * 2, () => this.retransmit(intervalMs * 2));
  }

  private stop(): void {
    this.outstanding?.deadline.cancel();
    this.outstanding?.retransmission.cancel();
    this.outstanding = undefined;
  }
}
