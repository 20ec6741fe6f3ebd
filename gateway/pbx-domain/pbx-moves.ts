import type { Clock, Timer } from '../../sip/clock.js';
import type { Endpoint } from '../endpoint/endpoint.js';

export interface PbxMovesOptions {
  readonly clock: Clock;
  findEndpoint(endpointId: string): Pick<Endpoint, 'calling' | 'flow'> | undefined;
}

/** One browser in so many milliseconds, so that the hosts that live are not flooded. */
const everyMs = 20;

/**
 * Browsers whose PBX host has died. Only they can register anew, for only they have the password; what makes every client do
 * that is a WebSocket that closes (RFC 5626 §4.4). Those that are in a call are left alone: their next refresh finds the other host.
 */
export class PbxMoves {
  readonly #waiting = new Set<string>();
  #timer: Timer | undefined;

  constructor(private readonly options: PbxMovesOptions) {}

  /** Browsers that will be asked to come back. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Asks these endpoints (`e_…`) to come back, one after the other. */
  ask(endpointIds: Iterable<string>): void {
    for (const endpointId of endpointIds) this.#waiting.add(endpointId);
    if (this.#waiting.size > 0) this.#timer ??= this.options.clock.after(everyMs, () => this.#next());
  }

  /** Asks nobody any more. Idempotent. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waiting.clear();
  }

  #next(): void {
    this.#timer = undefined;
    const [endpointId] = this.#waiting;
    if (endpointId === undefined) return;
    this.#waiting.delete(endpointId);
    const endpoint = this.options.findEndpoint(endpointId);
    if (endpoint?.calling === false) endpoint.flow?.moved();
    this.ask([]);
  }
}
