/** Lets through `perSecond` on average and `burst` at once. */
export class TokenBucket {
  #tokens: number;

  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    private atMs: number,
  ) {
    this.#tokens = burst;
  }

  /** False when the bucket is empty: the limit is exceeded. */
  take(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** What was taken has come to nothing. */
  giveBack(): void {
    this.#tokens = Math.min(this.burst, this.#tokens + 1);
  }

  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.burst;
  }

  #fill(nowMs: number): void {
    const elapsedMs = nowMs - this.atMs;
    if (elapsedMs <= 0) return;
    this.#tokens = Math.min(this.burst, this.#tokens + (elapsedMs * this.perSecond) / 1_000);
    this.atMs = nowMs;
  }
}

interface FailureCount {
  count: number;
  readonly untilMs: number;
}

const minuteMs = 60_000;

/**
 * Counts failures by key in windows, of a minute unless told otherwise. A key that has too many is refused for the rest of
 * its window. With `maxKeys` others the window that ends first is forgotten.
 */
export class FailureWindow {
  /** In the order in which the windows end. */
  readonly #byKey = new Map<string, FailureCount>();

  constructor(
    private perWindow: number,
    private readonly maxKeys = 20_000,
    private readonly windowMs = minuteMs,
  ) {}

  get size(): number {
    return this.#byKey.size;
  }

  /** Seconds until the key may try again; 0 when it may now. */
  retryAfterSeconds(key: string, nowMs: number): number {
    const failures = this.#byKey.get(key);
    if (failures === undefined || failures.count < this.perWindow || failures.untilMs <= nowMs) return 0;
    return Math.ceil((failures.untilMs - nowMs) / 1_000);
  }

  /** The failures of the key in its window, this one included. */
  note(key: string, nowMs: number): number {
    this.sweep(nowMs);
    const failures = this.#byKey.get(key);
    if (failures !== undefined) {
      failures.count += 1;
      return failures.count;
    }
    if (this.#byKey.size >= this.maxKeys) this.#forgetOldest();
    this.#byKey.set(key, { count: 1, untilMs: nowMs + this.windowMs });
    return 1;
  }

  /** Forgets the windows that are over. */
  sweep(nowMs: number): void {
    for (const [key, { untilMs }] of this.#byKey) {
      if (untilMs > nowMs) return;
      this.#byKey.delete(key);
    }
  }

  /** From now on so many failures are too many. */
  renew(perWindow: number): void {
    this.perWindow = perWindow;
  }

  /** Forgets everything. */
  clear(): void {
    this.#byKey.clear();
  }

  #forgetOldest(): void {
    for (const key of this.#byKey.keys()) {
      this.#byKey.delete(key);
      return;
    }
  }
}
