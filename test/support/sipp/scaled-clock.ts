import { FakeClock } from '../fake-clock.js';

const tickMs = 5;

/** A clock that stands still unless it is told to run, `speed` times as fast as real time; it can be moved on besides. */
export class ScaledClock extends FakeClock {
  isRunning = false;
  private readonly ticker: NodeJS.Timeout;

  constructor(speed: number) {
    super();
    let last = performance.now();
    this.ticker = setInterval(() => {
      const now = performance.now();
      if (this.isRunning) this.advance((now - last) * speed);
      last = now;
    }, tickMs);
    this.ticker.unref();
  }

  /** It stands still for ever. Idempotent. */
  close(): Promise<void> {
    clearInterval(this.ticker);
    return Promise.resolve();
  }
}
