import type { Clock } from '../../sip/clock.js';

const ignore = (): void => undefined;

/** A clock whose ticks come when the test says. */
export class LateClock implements Clock {
  periodMs = 0;
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

  /** So many ticks, each so late. */
  tick(count: number, lateMs: number): void {
    for (let i = 0; i < count; i++) {
      this.now += this.periodMs + lateMs;
      this.act();
    }
  }
}
