import type { Clock, Timer } from '../../sip/clock.js';
import type { Flow } from './flow.js';
import { networkOf } from './network-of.js';

export interface FlowTableOptions {
  readonly clock: Clock;
  /** How often each flow is asked for a sign of life. */
  readonly keepaliveMs: number;
  /** How long a flow may stay without signing in. */
  readonly authenticateWithinMs: () => number;
  /** Called with every tick of the shared timer. */
  readonly tick: (nowMs: number) => void;
}

const maxTickMs = 1_000;
const slotsWanted = 25;

/**
 * Every open flow. One timer serves all of them: with each tick it visits one slot, so that every flow is visited once in
 * `keepaliveMs` and the pings are spread evenly.
 */
export class FlowTable {
  readonly #slots: Set<Flow>[];
  readonly #slotOf = new Map<Flow, Set<Flow>>();
  readonly #byAddress = new Map<string, number>();
  readonly #unauthenticatedByAddress = new Map<string, number>();
  /** The longest waiting first. */
  readonly #unauthenticated = new Set<Flow>();
  readonly #sweep: Timer;
  #added = 0;
  #visiting = 0;
  #drained: (() => void)[] = [];

  constructor(private readonly options: FlowTableOptions) {
    const tickMs = Math.min(maxTickMs, Math.max(1, Math.floor(options.keepaliveMs / slotsWanted)));
    const slots = Math.max(1, Math.round(options.keepaliveMs / tickMs));
    this.#slots = Array.from({ length: slots }, () => new Set());
    this.#sweep = options.clock.every(tickMs, () => this.#tick());
  }

  get size(): number {
    return this.#slotOf.size;
  }

  /** Flows of an address. */
  countOf(address: string): number {
    return this.#byAddress.get(networkOf(address)) ?? 0;
  }

  /** Flows that have not signed in. */
  get unauthenticated(): number {
    return this.#unauthenticated.size;
  }

  /** Flows of an address that have not signed in. */
  unauthenticatedOf(address: string): number {
    return this.#unauthenticatedByAddress.get(networkOf(address)) ?? 0;
  }

  add(flow: Flow): void {
    const slot = this.#slots[this.#added++ % this.#slots.length];
    if (slot === undefined) return;
    slot.add(flow);
    this.#slotOf.set(flow, slot);
    this.#unauthenticated.add(flow);
    const network = networkOf(flow.origin.address);
    increase(this.#byAddress, network);
    increase(this.#unauthenticatedByAddress, network);
  }

  /** The flow has signed in. */
  authenticated(flow: Flow): void {
    if (!this.#unauthenticated.delete(flow)) return;
    decrease(this.#unauthenticatedByAddress, networkOf(flow.origin.address));
  }

  remove(flow: Flow): void {
    const slot = this.#slotOf.get(flow);
    if (slot === undefined) return;
    slot.delete(flow);
    this.#slotOf.delete(flow);
    this.authenticated(flow);
    decrease(this.#byAddress, networkOf(flow.origin.address));
    if (this.size === 0) for (const resolve of this.#drained.splice(0)) resolve();
  }

  all(): Iterable<Flow> {
    return this.#slotOf.keys();
  }

  /** Resolves when the last flow has gone. */
  emptied(): Promise<void> {
    if (this.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  sizes(): { flows: number; unauthenticatedFlows: number; addresses: number } {
    return {
      flows: this.size,
      unauthenticatedFlows: this.#unauthenticated.size,
      addresses: this.#byAddress.size,
    };
  }

  /** Stops the shared timer. Idempotent. */
  close(): void {
    this.#sweep.cancel();
  }

  #tick(): void {
    const nowMs = this.options.clock.nowMs();
    for (const flow of this.#unauthenticated) {
      if (nowMs - flow.openedAtMs < this.options.authenticateWithinMs()) break;
      this.authenticated(flow);
      flow.close('unauthenticated');
    }
    this.#visiting = (this.#visiting + 1) % this.#slots.length;
    for (const flow of this.#slots[this.#visiting] ?? []) flow.probe();
    this.options.tick(nowMs);
  }
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function decrease(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 0) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}
