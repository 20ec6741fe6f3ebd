import type { Clock } from '../../sip/clock.js';

const ignore = (): void => undefined;

/** A clock whose ticks come when the test says. */
export class LateClock implements Clock {
  periodMs = 0;
  /** For how long the event loop has waited for something to do. */
  idleMs = 0;
  private now = 1_700_000_000_000;
  private act = ignore;

  nowMs(): number {
    return this.now;
  }

  after(): { cancel(): void } {
    throw new Error('not needed');
  }

  every(periodMs: number, act: () => void): { cancel(): void } {
    this.periodMs = periodMs;
    this.act = act;
    return {
      cancel: () => {
        this.act = ignore;
      },
    };
  }

  /** So many ticks, each so late; before each the event loop had nothing to do for so long. */
  tick(count: number, lateMs: number, idleMs = 0): void {
    for (let i = 0; i < count; i++) {
      this.now += this.periodMs + lateMs;
      this.idleMs += idleMs;
      this.act();
    }
  }
}
