import { BucketTable, perMinute, perSecond } from './bucket-table.js';
import { networkOf } from './network-of.js';

/** How fast clients may be, beside what each flow may send; undefined: no limit. */
export interface EdgeRateLimits {
  /** WebSockets that one address may try to open. */
  readonly connectsPerMinute?: number | undefined;
  /** HTTP requests of one address that are no WebSockets. */
  readonly httpRequestsPerMinute?: number | undefined;
  /** Messages of all flows of one address that have not signed in. */
  readonly addressMessagesPerSecond?: number | undefined;
  /** Messages of all flows of one user. */
  readonly userMessagesPerSecond?: number | undefined;
  /** REGISTERs of one user who has signed in. */
  readonly registersPerMinute?: number | undefined;
}

/** What clients have used up of their rates, by address and by user. */
export class EdgeRates {
  readonly #connects: BucketTable;
  readonly #requests: BucketTable;
  readonly #strangers: BucketTable;
  readonly #users: BucketTable;
  readonly #registers: BucketTable;

  constructor(limits: EdgeRateLimits) {
    this.#connects = new BucketTable(perMinute(limits.connectsPerMinute));
    this.#requests = new BucketTable(perMinute(limits.httpRequestsPerMinute));
    this.#strangers = new BucketTable(perSecond(limits.addressMessagesPerSecond));
    this.#users = new BucketTable(perSecond(limits.userMessagesPerSecond));
    this.#registers = new BucketTable(perMinute(limits.registersPerMinute));
  }

  /** False when the address opens WebSockets too fast. */
  takeConnect(address: string, nowMs: number): boolean {
    return this.#connects.take(networkOf(address), nowMs);
  }

  /** Seconds until the address may send the next HTTP request; 0: now. */
  takeRequest(address: string, nowMs: number): number {
    return this.#requests.take(networkOf(address), nowMs) ? 0 : this.#requests.retryAfterSeconds;
  }

  /** Who sends too much: the address, with flows that have not signed in, or the user of the flow. */
  takeMessage(
    address: string,
    aor: string | undefined,
    nowMs: number,
  ): 'address_rate' | 'user_rate' | undefined {
    if (aor === undefined) {
      return this.#strangers.take(networkOf(address), nowMs) ? undefined : 'address_rate';
    }
    return this.#users.take(aor, nowMs) ? undefined : 'user_rate';
  }

  /** Seconds until the user may send the next REGISTER; 0: now. */
  takeRegister(aor: string, nowMs: number): number {
    return this.#registers.take(aor, nowMs) ? 0 : this.#registers.retryAfterSeconds;
  }

  renew(limits: EdgeRateLimits): void {
    this.#connects.renew(perMinute(limits.connectsPerMinute));
    this.#requests.renew(perMinute(limits.httpRequestsPerMinute));
    this.#strangers.renew(perSecond(limits.addressMessagesPerSecond));
    this.#users.renew(perSecond(limits.userMessagesPerSecond));
    this.#registers.renew(perMinute(limits.registersPerMinute));
  }

  /** Forgets who may have everything again. */
  sweep(nowMs: number): void {
    for (const table of this.#tables) table.sweep(nowMs);
  }

  sizes(): Record<string, number> {
    return {
      connectRates: this.#connects.size,
      requestRates: this.#requests.size,
      strangerRates: this.#strangers.size,
      userRates: this.#users.size,
      registerRates: this.#registers.size,
    };
  }

  /** Forgets everything. */
  clear(): void {
    for (const table of this.#tables) table.clear();
  }

  get #tables(): readonly BucketTable[] {
    return [this.#connects, this.#requests, this.#strangers, this.#users, this.#registers];
  }
}
