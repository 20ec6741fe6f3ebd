import type { Clock, Timer } from '../../sip/clock.js';
import { SipFailure } from '../../sip/failure.js';
import type { Binding, BindingEdit, Location } from './location.js';

const sweepPeriodMs = 1_000;

export interface MemoryLocationOptions {
  readonly clock: Clock;
  /** A binding ran out without being refreshed. */
  expired(binding: Binding): void;
}

/**
 * Bindings in memory. One timer for all: each binding lies in the bucket of the second in which it expires, and a sweep
 * empties the buckets that are due.
 */
export class MemoryLocation implements Location {
  readonly #byAor = new Map<string, readonly Binding[]>();
  readonly #bySecond = new Map<number, Set<Binding>>();
  readonly #sweep: Timer;
  #size = 0;

  constructor(private readonly options: MemoryLocationOptions) {
    this.#sweep = options.clock.every(sweepPeriodMs, () => this.#expire());
  }

  get size(): number {
    return this.#size;
  }

  find(aor: string): readonly Binding[] {
    const bindings = this.#byAor.get(aor);
    if (bindings === undefined) return [];
    const nowMs = this.options.clock.nowMs();
    return bindings.every((binding) => binding.expiresAtMs > nowMs)
      ? bindings
      : bindings.filter((binding) => binding.expiresAtMs > nowMs);
  }

  /** Every binding that has not been removed. */
  *all(): Iterable<Binding> {
    for (const bindings of this.#byAor.values()) yield* bindings;
  }

  update(aor: string, edit: BindingEdit): readonly Binding[] | SipFailure {
    const next = edit(this.find(aor));
    if (next instanceof SipFailure) return next;
    this.#store(aor, next);
    return next;
  }

  close(): void {
    this.#sweep.cancel();
    this.#byAor.clear();
    this.#bySecond.clear();
    this.#size = 0;
  }

  #store(aor: string, next: readonly Binding[]): void {
    const current = this.#byAor.get(aor) ?? [];
    for (const binding of current) if (!next.includes(binding)) this.#removeFromBucket(binding);
    for (const binding of next) if (!current.includes(binding)) this.#addToBucket(binding);
    this.#size += next.length - current.length;
    if (next.length === 0) this.#byAor.delete(aor);
    else this.#byAor.set(aor, next);
  }

  #addToBucket(binding: Binding): void {
    const second = secondOf(binding);
    const bucket = this.#bySecond.get(second);
    if (bucket === undefined) this.#bySecond.set(second, new Set([binding]));
    else bucket.add(binding);
  }

  #removeFromBucket(binding: Binding): void {
    const second = secondOf(binding);
    const bucket = this.#bySecond.get(second);
    bucket?.delete(binding);
    if (bucket?.size === 0) this.#bySecond.delete(second);
  }

  #expire(): void {
    const nowMs = this.options.clock.nowMs();
    for (const [second, bucket] of this.#bySecond) {
      if (second * 1_000 > nowMs) continue;
      for (const binding of [...bucket]) {
        this.#store(
          binding.aor,
          (this.#byAor.get(binding.aor) ?? []).filter((other) => other !== binding),
        );
        this.options.expired(binding);
      }
    }
  }
}

/** The second at whose beginning the binding has expired. */
function secondOf(binding: Binding): number {
  return Math.ceil(binding.expiresAtMs / 1_000);
}
