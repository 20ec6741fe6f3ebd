import type { Clock, Timer } from '../../clock.js';
import type { Timers } from '../timers.js';

/**
 * Repeats a 2xx to INVITE, or a reliable provisional response, until it is acknowledged: after T1, doubling, for 64·T1
 * in all (RFC 3261 §13.3.1.4, RFC 3262 §3). A 2xx is repeated over every transport, as there may be UDP further on.
 */
export class AnswerRetransmission {
  private timer: Timer | undefined;
  private readonly deadline: Timer;
  private intervalMs: number;

  /** `maxIntervalMs` caps the doubling. */
  constructor(
    private readonly clock: Clock,
    timers: Timers,
    private readonly maxIntervalMs: number,
    private readonly repeat: () => void,
    expired: () => void,
  ) {
    this.intervalMs = timers.base.t1Ms;
    this.deadline = clock.after(timers.lifetimeMs, () => {
      this.stop();
      expired();
    });
    this.arm();
  }

  /** Stops it. Idempotent. */
  stop(): void {
    this.timer?.cancel();
    this.deadline.cancel();
  }

  private arm(): void {
    this.timer = this.clock.after(this.intervalMs, () => {
      this.intervalMs = Math.min(this.intervalMs * 2, this.maxIntervalMs);
      this.arm();
      this.repeat();
    });
  }
}
