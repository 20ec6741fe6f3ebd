import { TokenBucket } from './limits.js';

/** How fast something may come from each of many; undefined: as fast as it likes. */
export interface BucketRate {
  readonly perSecond: number;
  /** At once. */
  readonly burst: number;
}

/** Keys that are remembered at a time. */
const defaultMaxKeys = 20_000;
const sweepEveryMs = 1_000;

/**
 * One token bucket for each key. A bucket that is full again is forgotten, since a new one would be the same. With `maxKeys`
 * others the one that was used longest ago makes room: whoever goes on sending is remembered.
 */
export class BucketTable {
  /** Used longest ago first; in the order in which they came while there is room for as many again. */
  readonly #buckets = new Map<string, TokenBucket>();
  #sweptAtMs = -Infinity;

  constructor(
    private rate: BucketRate | undefined,
    private readonly maxKeys = defaultMaxKeys,
  ) {}

  get size(): number {
    return this.#buckets.size;
  }

  /** False when the key has used up what it may have. */
  take(key: string, nowMs: number): boolean {
    if (this.rate === undefined) return true;
    const known = this.#buckets.get(key);
    if (known !== undefined && this.#buckets.size * 2 <= this.maxKeys) return known.take(nowMs);
    const bucket = known ?? new TokenBucket(this.rate.perSecond, this.rate.burst, nowMs);
    this.#buckets.delete(key);
    if (this.#buckets.size >= this.maxKeys) this.#forgetOldest();
    this.#buckets.set(key, bucket);
    return bucket.take(nowMs);
  }

  /** Gives back what was taken for nothing. */
  giveBack(key: string): void {
    this.#buckets.get(key)?.giveBack();
  }

  /** Seconds, at least one, until the next of an empty bucket. */
  get retryAfterSeconds(): number {
    return Math.max(1, Math.ceil(1 / (this.rate?.perSecond ?? 1)));
  }

  /** Forgets the buckets that are full. Does nothing within a second of the last time. */
  sweep(nowMs: number): void {
    if (nowMs - this.#sweptAtMs < sweepEveryMs) return;
    this.#sweptAtMs = nowMs;
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(nowMs)) this.#buckets.delete(key);
  }

  /** Another rate from now on; everybody begins with a full bucket. */
  renew(rate: BucketRate | undefined): void {
    if (rate?.perSecond === this.rate?.perSecond && rate?.burst === this.rate?.burst) return;
    this.rate = rate;
    this.#buckets.clear();
  }

  /** Forgets everything. */
  clear(): void {
    this.#buckets.clear();
  }

  #forgetOldest(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}

/** So many a minute, a quarter of them at once; undefined: no limit. */
export function perMinute(count: number | undefined): BucketRate | undefined {
  return count === undefined
    ? undefined
    : { perSecond: count / 60, burst: Math.max(1, Math.ceil(count / 4)) };
}

/** So many a second, four times that at once; undefined: no limit. */
export function perSecond(count: number | undefined): BucketRate | undefined {
  return count === undefined ? undefined : { perSecond: count, burst: count * 4 };
}
