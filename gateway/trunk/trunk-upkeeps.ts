import { isDeepStrictEqual } from 'node:util';
import type { Trunk } from './trunk.js';
import { TrunkUpkeep, type TrunkStatus, type UpkeepOptions } from './trunk-upkeep.js';

interface Kept {
  readonly trunk: Trunk;
  readonly upkeep: TrunkUpkeep;
}

/**
 * The upkeep of all trunks. What a reload does not touch stays: the registration of a trunk, and what is known of each of its
 * hosts.
 */
export class TrunkUpkeeps {
  readonly #kept = new Map<string, Kept>();
  /** Sign-outs of what has been replaced or removed, by trunk; each goes when it is over. */
  readonly #leaving = new Map<string, Promise<void>>();
  #state: 'idle' | 'open' | 'leaving' = 'idle';

  constructor(
    trunks: readonly Trunk[],
    private readonly options: UpkeepOptions,
  ) {
    this.renew(trunks);
  }

  /** Takes these trunks in place of those before. Calls that are up keep their channels. */
  renew(trunks: readonly Trunk[]): void {
    const before = new Map(this.#kept);
    this.#kept.clear();
    for (const trunk of trunks) {
      const old = before.get(trunk.name);
      before.delete(trunk.name);
      const isSame = old !== undefined && isDeepStrictEqual(old.trunk, trunk);
      this.#kept.set(trunk.name, isSame ? old : this.#make(trunk, old));
    }
    for (const [name, { upkeep }] of before) this.#leave(name, upkeep);
  }

  /** Undefined when there is no such trunk. */
  of(name: string): TrunkUpkeep | undefined {
    return this.#kept.get(name)?.upkeep;
  }

  /** How each trunk is, by name. */
  get statuses(): ReadonlyMap<string, TrunkStatus> {
    return new Map([...this.#kept].map(([name, { upkeep }]) => [name, upkeep.status]));
  }

  /** Channels of all trunks that are in use. */
  get channelsInUse(): number {
    return [...this.#kept.values()].reduce((sum, { upkeep }) => sum + upkeep.channels.size, 0);
  }

  /** Begins to ask hosts, and signs in. */
  open(): void {
    this.#state = 'open';
    for (const { upkeep } of this.#kept.values()) upkeep.open();
  }

  /** The SIP engine is there, perhaps again. */
  engineUp(): void {
    if (this.#state !== 'open') return;
    for (const { upkeep } of this.#kept.values()) upkeep.engineUp();
  }

  /** Signs out of every trunk. */
  async signOut(): Promise<void> {
    this.#state = 'leaving';
    await Promise.all([...this.#kept.values()].map(({ upkeep }) => upkeep.signOut()));
  }

  /** Signs out, and asks nobody any more. Idempotent. */
  async close(): Promise<void> {
    this.#state = 'leaving';
    const closing = [...this.#kept.values()].map(({ upkeep }) => upkeep.close());
    await Promise.all([...closing, ...this.#leaving.values()]);
  }

  /** The old one signs out before the new one signs in: their bindings may be the same. */
  #make(trunk: Trunk, old: Kept | undefined): Kept {
    const upkeep = new TrunkUpkeep(trunk, this.options, old?.upkeep);
    if (old !== undefined) this.#leave(trunk.name, old.upkeep);
    const left = this.#leaving.get(trunk.name) ?? Promise.resolve();
    void left.then(() => {
      if (this.#state === 'open' && this.#kept.get(trunk.name)?.upkeep === upkeep) upkeep.open();
    });
    return { trunk, upkeep };
  }

  #leave(name: string, upkeep: TrunkUpkeep): void {
    const left = Promise.all([this.#leaving.get(name), upkeep.close()]).then(() => {
      if (this.#leaving.get(name) === left) this.#leaving.delete(name);
    });
    this.#leaving.set(name, left);
  }
}
