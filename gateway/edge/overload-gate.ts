import type { Clock } from '../../sip/clock.js';
import { Overload } from '../../sip/engine/overload.js';
import type { SipFailure } from '../../sip/failure.js';
import type { Log } from '../../sip/log.js';
import { canonicalAor, type SipRequest } from '../../sip/message/index.js';
import type { Flow } from './flow.js';

export interface OverloadGateOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Addresses-of-record whose endpoints have a call. */
  callingAors(): ReadonlySet<string>;
}

/** Looking through all endpoints for each REGISTER would add to the overload. */
const callingAorsForMs = 1_000;

/**
 * While the event loop is late, new calls and sign-ins of browsers get 503 with Retry-After (RFC 3261 §21.5.4), so that
 * the calls that are up go on: whoever has one comes back to it, and refreshes are taken.
 */
export class OverloadGate {
  readonly #watch: Overload;
  #calling: ReadonlySet<string> = new Set();
  #callingSinceMs = -Infinity;

  constructor(private readonly options: OverloadGateOptions) {
    this.#watch = new Overload(options.clock, options.log);
  }

  /** Why a request outside any dialog is not taken now; undefined when it is. */
  refusal({ endpoint }: Pick<Flow, 'endpoint'>, { method, to }: SipRequest): SipFailure | undefined {
    if (!this.#watch.isOn) return undefined;
    if (method === 'INVITE') return this.#watch.refusal();
    if (method !== 'REGISTER' || endpoint !== undefined) return undefined;
    if (this.#callingNow().has(canonicalAor(to.uri) ?? '')) return undefined;
    return this.#watch.refusal();
  }

  /** Idempotent. */
  close(): void {
    this.#watch.close();
  }

  #callingNow(): ReadonlySet<string> {
    const nowMs = this.options.clock.nowMs();
    if (nowMs - this.#callingSinceMs < callingAorsForMs) return this.#calling;
    this.#callingSinceMs = nowMs;
    this.#calling = this.options.callingAors();
    return this.#calling;
  }
}
