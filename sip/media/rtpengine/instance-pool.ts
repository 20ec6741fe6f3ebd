import type { Instance } from './instance.js';

interface Share {
  readonly instance: Instance;
  credit: number;
}

/** Chooses an instance for each new call: in turn, each as often as its weight says, never one that is down. */
export class InstancePool {
  readonly #shares: readonly Share[];

  constructor(readonly instances: readonly Instance[]) {
    this.#shares = instances.map((instance) => ({ instance, credit: 0 }));
  }

  /** How many are known to answer. */
  get upCount(): number {
    return this.instances.filter(({ isUp }) => isUp).length;
  }

  /** Undefined when all are down or in `tried`. Smooth weighted round robin: an instance's turns are spread evenly. */
  choose(tried: ReadonlySet<Instance>): Instance | undefined {
    const usable = this.#shares.filter(({ instance }) => !instance.isDown && !tried.has(instance));
    let best: Share | undefined;
    let total = 0;
    for (const share of usable) {
      share.credit += share.instance.weight;
      total += share.instance.weight;
      if (best === undefined || share.credit > best.credit) best = share;
    }
    if (best === undefined) return undefined;
    best.credit -= total;
    return best.instance;
  }

  close(): void {
    for (const instance of this.instances) instance.close();
  }
}
