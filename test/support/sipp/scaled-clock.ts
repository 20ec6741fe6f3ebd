import { FakeClock } from '../fake-clock.js';

const tickMs = 5;

/** A clock that runs `speed` times as fast as real time, and can be moved on besides. */
export class ScaledClock extends FakeClock {
  private readonly ticker: NodeJS.Timeout;

  constructor(speed: number) {
    super();
    let last = performance.now();
    this.ticker = setInterval(() => {
      const now = performance.now();
      this.advance((now - last) * speed);
      last = now;
    }, tickMs);
    this.ticker.unref();
  }

  /** It stands still from now on. Idempotent. */
  close(): Promise<void> {
    clearInterval(this.ticker);
    return Promise.resolve();
  }
}
