import type { Timer } from '../clock.js';
import type { EndpointContext } from './endpoint-context.js';
import { deferred } from './deferred.js';
import { failureFor, type EndReason } from './end-reason.js';
import type { InviteServer } from './server-request.js';
import { t1Ms, t2Ms, transactionTimeoutMs } from './timing.js';

/**
 * Sends a 2xx again and again until its ACK arrives or 64·T1 have passed (RFC 3261 §13.3.1.4). This holds over a
 * reliable transport too, and rescues an answer that was given while the browser had lost its socket.
 */
export class AckWait {
  private readonly outcome = deferred<string | undefined>();
  private readonly deadline: Timer;
  private retransmission: Timer;
  private intervalMs = t1Ms;

  /**
   * @param text - the 2xx
   * @param expired - called after the promise has been rejected for want of an ACK
   */
  constructor(
    private readonly context: EndpointContext,
    private readonly server: InviteServer,
    private readonly text: string,
    expired: () => void,
  ) {
    this.retransmission = context.after(t1Ms, () => this.retransmit());
    this.deadline = context.after(transactionTimeoutMs, () => {
      this.close('call.ack_timeout');
      expired();
    });
  }

  /** The SDP in the ACK; rejects when the wait ends otherwise. */
  get acknowledged(): Promise<string | undefined> {
    return this.outcome.promise;
  }

  isFor(cseq: number): boolean {
    return this.server.request.cseq.number === cseq;
  }

  acknowledge(sdp: string | undefined): void {
    this.stop();
    this.outcome.resolve(sdp);
  }

  /** Gives up. */
  close(reason: EndReason): void {
    this.stop();
    this.outcome.reject(failureFor(reason));
  }

  private retransmit(): void {
    void this.context.core.transport.send(this.text);
    this.intervalMs = Math.min(this.intervalMs * 2, t2Ms);
    this.retransmission = this.context.after(this.intervalMs, () => this.retransmit());
  }

  private stop(): void {
    this.retransmission.cancel();
    this.deadline.cancel();
    this.server.finish();
  }
}
