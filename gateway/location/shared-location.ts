import type { Clock } from '../../sip/clock.js';
import type { SipFailure } from '../../sip/failure.js';
import type { SharedStore } from '../store/shared-store.js';
import { readBindings, writeBindings } from './binding-record.js';
import type { Binding, BindingEdit, Location } from './location.js';
import { MemoryLocation } from './memory-location.js';

export interface SharedLocationOptions {
  readonly store: SharedStore;
  readonly clock: Clock;
  /** A binding ran out without being refreshed. */
  expired(binding: Binding): void;
}

/**
 * Bindings in memory, each change of which goes into the shared store too: the next process of this node begins with them.
 * Nothing waits for the store.
 */
export class SharedLocation implements Location {
  readonly #own: MemoryLocation;

  constructor(private readonly options: SharedLocationOptions) {
    this.#own = new MemoryLocation({
      clock: options.clock,
      expired: (binding) => {
        this.#publish(binding.aor, this.#own.find(binding.aor));
        options.expired(binding);
      },
    });
  }

  get size(): number {
    return this.#own.size;
  }

  all(): Iterable<Binding> {
    return this.#own.all();
  }

  find(aor: string): readonly Binding[] {
    return this.#own.find(aor);
  }

  update(aor: string, edit: BindingEdit): readonly Binding[] | SipFailure {
    const bindings = this.#own.update(aor, edit);
    if (Array.isArray(bindings)) this.#publish(aor, bindings);
    return bindings;
  }

  /**
   * Takes over the bindings that an earlier process of this node had, but for addresses-of-record that have new ones, and
   * gives them. Rejects with `store.unavailable`.
   *
   * @param isOurs whether an address-of-record still signs in here
   */
  async inherit(
    isOurs: (aor: string) => boolean,
    unusable: (aor: string) => void,
  ): Promise<readonly Binding[]> {
    const records = await this.options.store.inherit('bindings');
    const inherited: Binding[] = [];
    for (const [aor, record] of records) {
      const left = bindingsIn(record, aor);
      if (left === undefined) unusable(aor);
      const known = this.#own.find(aor);
      const bindings = known.length > 0 || !isOurs(aor) ? known : this.#alive(left ?? []);
      this.update(aor, () => bindings);
      if (bindings !== known) inherited.push(...bindings);
    }
    return inherited;
  }

  close(): void {
    this.#own.close();
  }

  #alive(bindings: readonly Binding[]): readonly Binding[] {
    const nowMs = this.options.clock.nowMs();
    return bindings.filter(({ expiresAtMs }) => expiresAtMs > nowMs);
  }

  #publish(aor: string, bindings: readonly Binding[]): void {
    if (bindings.length === 0) this.options.store.remove('bindings', aor);
    else this.options.store.put('bindings', aor, writeBindings(bindings));
  }
}

/** Undefined when the record is not one of bindings of that address-of-record. */
function bindingsIn(record: string, aor: string): readonly Binding[] | undefined {
  const bindings = readBindings(record);
  return bindings?.every((binding) => binding.aor === aor) === true ? bindings : undefined;
}
