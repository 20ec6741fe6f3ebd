import { randomInt } from 'node:crypto';
import type { Clock } from '../../clock.js';

export interface PortRangeOptions {
  readonly min: number;
  readonly max: number;
  /** A port that was given back is not lent again for so long: late packets of the old call must not reach a new one. */
  readonly quarantineMs: number;
}

/** An even port for RTP and the next one for RTCP (RFC 3550 §11). */
export interface PortPair {
  readonly rtp: number;
  readonly rtcp: number;
}

/** Lends pairs of media ports. The order is shuffled, so that the next call's port cannot be guessed from the last one's. */
export class PortRange {
  readonly #free: number[];
  readonly #quarantine: { readonly rtp: number; readonly untilMs: number }[] = [];
  readonly #lent = new Set<number>();
  readonly #waiting: (() => void)[] = [];

  /** Throws a RangeError when the range holds no pair: the configuration is wrong. */
  constructor(
    private readonly options: PortRangeOptions,
    private readonly clock: Clock,
  ) {
    const { min, max } = options;
    if (!(min >= 1 && max <= 65_535))
      throw new RangeError(`media ports ${min}-${max} are not within 1-65535`);
    this.#free = shuffledPairs(min + (min % 2), max);
    if (this.#free.length === 0)
      throw new RangeError(`media ports ${min}-${max} hold no even port with its odd neighbour`);
  }

  /** Undefined when all pairs are lent or in quarantine. */
  take(): PortPair | undefined {
    this.#endQuarantine();
    const rtp = this.#free.pop();
    if (rtp === undefined) return undefined;
    this.#lent.add(rtp);
    return { rtp, rtcp: rtp + 1 };
  }

  /** Puts a lent pair into quarantine. Idempotent. */
  giveBack(pair: PortPair): void {
    if (!this.#lent.delete(pair.rtp)) return;
    this.#quarantine.push({ rtp: pair.rtp, untilMs: this.clock.nowMs() + this.options.quarantineMs });
    if (this.#lent.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when no pair is lent. */
  async allBack(): Promise<void> {
    if (this.#lent.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Number of pairs in use. */
  get lent(): number {
    return this.#lent.size;
  }

  /** Number of pairs that can be had at once. */
  get free(): number {
    this.#endQuarantine();
    return this.#free.length;
  }

  #endQuarantine(): void {
    const nowMs = this.clock.nowMs();
    const count = this.#quarantine.findIndex((entry) => entry.untilMs > nowMs);
    const ended = this.#quarantine.splice(0, count === -1 ? this.#quarantine.length : count);
    // To the far end of the stack: ports rest as long as others are free.
    if (ended.length > 0) this.#free.unshift(...ended.map((entry) => entry.rtp));
  }
}

function shuffledPairs(first: number, max: number): number[] {
  const pairs: number[] = [];
  for (let rtp = first; rtp + 1 <= max; rtp += 2) {
    const at = randomInt(pairs.length + 1);
    const moved = pairs[at];
    if (moved === undefined) {
      pairs.push(rtp);
    } else {
      pairs.push(moved);
      pairs[at] = rtp;
    }
  }
  return pairs;
}
