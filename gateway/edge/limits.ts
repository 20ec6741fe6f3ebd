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
    const elapsedMs = nowMs - this.atMs;
    if (elapsedMs > 0) {
      this.#tokens = Math.min(this.burst, this.#tokens + (elapsedMs * this.perSecond) / 1_000);
      this.atMs = nowMs;
    }
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

interface FailureCount {
  count: number;
  readonly untilMs: number;
}

const windowMs = 60_000;

/**
 * Counts failed sign-ins per address in windows of a minute. An address that has too many is refused for the rest of its
 * window; the same user from another address is not.
 */
export class FailureWindow {
  /** In the order in which the windows end. */
  readonly #byAddress = new Map<string, FailureCount>();

  constructor(
    private perMinute: number,
    private readonly maxAddresses = 20_000,
  ) {}

  get size(): number {
    return this.#byAddress.size;
  }

  /** Seconds until the address may try again; 0 when it may now. */
  retryAfterSeconds(address: string, nowMs: number): number {
    const failures = this.#byAddress.get(address);
    if (failures === undefined || failures.count < this.perMinute || failures.untilMs <= nowMs) return 0;
    return Math.ceil((failures.untilMs - nowMs) / 1_000);
  }

  note(address: string, nowMs: number): void {
    this.sweep(nowMs);
    const failures = this.#byAddress.get(address);
    if (failures !== undefined) {
      failures.count += 1;
      return;
    }
    if (this.#byAddress.size >= this.maxAddresses) this.#forgetOldest();
    this.#byAddress.set(address, { count: 1, untilMs: nowMs + windowMs });
  }

  /** Forgets the windows that are over. */
  sweep(nowMs: number): void {
    for (const [address, { untilMs }] of this.#byAddress) {
      if (untilMs > nowMs) return;
      this.#byAddress.delete(address);
    }
  }

  /** From now on so many failures a minute are too many. */
  renew(perMinute: number): void {
    this.perMinute = perMinute;
  }

  /** Forgets everything. */
  clear(): void {
    this.#byAddress.clear();
  }

  #forgetOldest(): void {
    for (const address of this.#byAddress.keys()) {
      this.#byAddress.delete(address);
      return;
    }
  }
}
