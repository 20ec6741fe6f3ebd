import type { Call } from './call.js';

/** All calls that have not ended. A call is added by the controller and removed when it has ended. */
export class CallTable {
  readonly #calls = new Map<string, Call>();
  readonly #perEndpoint = new Map<string, number>();

  get size(): number {
    return this.#calls.size;
  }

  /** Calls that this endpoint has placed and that have not ended. */
  countOf(endpointId: string): number {
    return this.#perEndpoint.get(endpointId) ?? 0;
  }

  /** A browser has a new flow: its calls look for its media. */
  browserIsBack(endpointId: string): void {
    for (const call of this.#calls.values()) call.browserIsBack(endpointId);
  }

  all(): readonly Call[] {
    return [...this.#calls.values()];
  }

  add(call: Call): void {
    this.#calls.set(call.id, call);
    if (call.source.side === 'browser') this.#count(call.source.endpointId, 1);
  }

  remove(callId: string): void {
    const call = this.#calls.get(callId);
    if (call === undefined) return;
    this.#calls.delete(callId);
    if (call.source.side === 'browser') this.#count(call.source.endpointId, -1);
  }

  #count(endpointId: string, change: number): void {
    const count = this.countOf(endpointId) + change;
    if (count > 0) this.#perEndpoint.set(endpointId, count);
    else this.#perEndpoint.delete(endpointId);
  }
}
