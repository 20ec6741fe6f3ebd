import type { Clock, Timer } from '../../sip/clock.js';
import type { EndpointTable } from '../endpoint/endpoint-table.js';
import type { Flow } from './flow.js';

export interface TokenTermsOptions {
  readonly clock: Clock;
  readonly endpoints: Pick<EndpointTable, 'signOut'>;
}

interface Term {
  readonly untilMs: number;
  timer: Timer;
  ended: boolean;
}

/** How often a flow whose token has ended is looked at while its calls go on. */
const lookAgainMs = 1_000;

/**
 * Until when each flow is signed in that was by a token. When the token ends without a REGISTER with a fresh one the
 * bindings go and the flow is closed; calls that are up go on, and the flow with them until the last has ended.
 */
export class TokenTerms {
  readonly #terms = new Map<Flow, Term>();

  constructor(private readonly options: TokenTermsOptions) {}

  get size(): number {
    return this.#terms.size;
  }

  /** The flow is signed in until then, whatever was before. */
  extend(flow: Flow, untilMs: number): void {
    this.forget(flow);
    if (!flow.open) return;
    this.#terms.set(flow, { untilMs, timer: this.#wake(flow, untilMs), ended: false });
  }

  /** When the token of the flow ends; Infinity without one. */
  untilMs(flow: Flow): number {
    return this.#terms.get(flow)?.untilMs ?? Infinity;
  }

  /** The token of the flow has ended, and no fresh one has come. */
  hasEnded(flow: Flow): boolean {
    return this.#terms.get(flow)?.ended === true;
  }

  /** The flow has gone. */
  forget(flow: Flow): void {
    this.#terms.get(flow)?.timer.cancel();
    this.#terms.delete(flow);
  }

  /** Forgets every flow. Idempotent. */
  close(): void {
    for (const flow of [...this.#terms.keys()]) this.forget(flow);
  }

  #wake(flow: Flow, atMs: number): Timer {
    const { clock } = this.options;
    return clock.after(Math.max(0, atMs - clock.nowMs()), () => this.#look(flow));
  }

  #look(flow: Flow): void {
    const term = this.#terms.get(flow);
    if (term === undefined) return;
    const nowMs = this.options.clock.nowMs();
    // A timer has its longest delay.
    if (nowMs < term.untilMs) return void (term.timer = this.#wake(flow, term.untilMs));
    const { endpoint } = flow;
    if (!term.ended && endpoint !== undefined) this.options.endpoints.signOut(endpoint, 'token_expired');
    term.ended = true;
    if (endpoint?.calling !== true) return flow.close('token_expired');
    term.timer = this.#wake(flow, nowMs + lookAgainMs);
  }
}
