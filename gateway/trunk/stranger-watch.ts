import type { Clock, Timer } from '../../sip/clock.js';
import {
  strangerMethods,
  strangerTransports,
  type ProcessEvents,
  type StrangerMethod,
} from '../telemetry/process-events.js';

/** A request from an address of no trunk; without a method it could not be read. */
export interface TurnedAway {
  readonly method: string | undefined;
  readonly transport: string;
  readonly remote: { readonly address: string; readonly port: number };
}

interface Minute {
  untilMs: number;
  unreported: number;
}

const windowMs = 60_000;

/**
 * Tells of strangers without letting them fill the log: of each address the first request at once, then once a minute how
 * many more there were. Addresses beyond `maxAddresses` are told of together.
 */
export class StrangerWatch {
  /** In the order in which their minutes end; an address leaves after a minute without a request. */
  readonly #byAddress = new Map<string, Minute>();
  readonly #elsewhere = { requests: 0, untilMs: 0 };
  #sweep: Timer | undefined;

  constructor(
    private readonly events: Pick<ProcessEvents, 'strangerTurnedAway' | 'strangerPersists'>,
    private readonly clock: Clock,
    private readonly answer: 'silence' | 'refuse',
    private readonly maxAddresses = 100,
  ) {}

  /** Addresses that were heard of in the last minute. */
  get size(): number {
    return this.#byAddress.size;
  }

  note({ method, transport, remote: { address, port } }: TurnedAway): void {
    this.events.strangerTurnedAway({
      remote: `${address.includes(':') ? `[${address}]` : address}:${port}`,
      method: methodLabel(method),
      transport: strangerTransports.find((name) => name === transport) ?? 'other',
      answer: this.answer,
      reported: this.#isFirst(address),
    });
  }

  /** Tells what is still untold and forgets everything. Idempotent. */
  close(): void {
    this.#sweep?.cancel();
    this.#sweep = undefined;
    for (const [address, { unreported }] of this.#byAddress) this.#tell(address, unreported);
    this.#byAddress.clear();
    this.#tellOfElsewhere();
  }

  #isFirst(address: string): boolean {
    const minute = this.#byAddress.get(address);
    if (minute !== undefined) {
      minute.unreported += 1;
      return false;
    }
    if (this.#byAddress.size >= this.maxAddresses) {
      if (this.#elsewhere.requests === 0) this.#elsewhere.untilMs = this.clock.nowMs() + windowMs;
      this.#elsewhere.requests += 1;
      return false;
    }
    this.#byAddress.set(address, { untilMs: this.clock.nowMs() + windowMs, unreported: 0 });
    this.#sweep ??= this.clock.after(windowMs, () => this.#endMinutes());
    return true;
  }

  #endMinutes(): void {
    const nowMs = this.clock.nowMs();
    for (const [address, { untilMs, unreported }] of this.#byAddress) {
      if (untilMs > nowMs) break;
      this.#byAddress.delete(address);
      if (unreported === 0) continue;
      this.#tell(address, unreported);
      this.#byAddress.set(address, { untilMs: nowMs + windowMs, unreported: 0 });
    }
    const [next] = this.#byAddress.values();
    if (next === undefined || this.#elsewhere.untilMs <= nowMs) this.#tellOfElsewhere();
    this.#sweep =
      next === undefined ? undefined : this.clock.after(next.untilMs - nowMs, () => this.#endMinutes());
  }

  #tell(address: string, requests: number): void {
    if (requests > 0) this.events.strangerPersists({ address, requests });
  }

  #tellOfElsewhere(): void {
    const { requests } = this.#elsewhere;
    this.#elsewhere.requests = 0;
    if (requests > 0) this.events.strangerPersists({ address: undefined, requests });
  }
}

function methodLabel(method: string | undefined): StrangerMethod {
  if (method === undefined) return 'unreadable';
  return strangerMethods.find((name) => name === method) ?? 'other';
}
