import { createHash } from 'node:crypto';
import { FailureWindow } from './limits.js';
import { networkOf } from './network-of.js';

export interface SignInFailureLimits {
  /** Of one user from one address. */
  readonly registerFailuresPerMinute: number;
  /**
   * Users whose sign-ins fail from one address in ten minutes, each counted once a minute: a phone with an old password does
   * not lock out the house that it stands in.
   */
  readonly failingUsersPerAddress?: number | undefined;
}

const addressWindowMs = 600_000;

/**
 * Failed sign-ins by user and address, and more slowly by address alone. Nothing is counted by user alone: whoever guesses
 * passwords locks himself out, never the user at another address.
 */
export class SignInFailures {
  readonly #pairs: FailureWindow;
  readonly #addresses: FailureWindow;

  constructor({ registerFailuresPerMinute, failingUsersPerAddress = Infinity }: SignInFailureLimits) {
    this.#pairs = new FailureWindow(registerFailuresPerMinute);
    this.#addresses = new FailureWindow(failingUsersPerAddress, undefined, addressWindowMs);
  }

  sizes(): { failureWindows: number; failingAddresses: number } {
    return { failureWindows: this.#pairs.size, failingAddresses: this.#addresses.size };
  }

  /** Seconds until `aor` may be tried from there again; 0 when it may now. */
  retryAfterSeconds(address: string, aor: string, nowMs: number): number {
    const network = networkOf(address);
    return Math.max(
      this.#pairs.retryAfterSeconds(pairOf(network, aor), nowMs),
      this.#addresses.retryAfterSeconds(network, nowMs),
    );
  }

  /** `aor` was tried from there, with the wrong password or none that is known. */
  note(address: string, aor: string, nowMs: number): void {
    const network = networkOf(address);
    if (this.#pairs.note(pairOf(network, aor), nowMs) === 1) this.#addresses.note(network, nowMs);
  }

  /** Forgets the windows that are over. */
  sweep(nowMs: number): void {
    this.#pairs.sweep(nowMs);
    this.#addresses.sweep(nowMs);
  }

  /** Other limits from now on. */
  renew({ registerFailuresPerMinute, failingUsersPerAddress = Infinity }: SignInFailureLimits): void {
    this.#pairs.renew(registerFailuresPerMinute);
    this.#addresses.renew(failingUsersPerAddress);
  }

  /** Forgets everything. */
  clear(): void {
    this.#pairs.clear();
    this.#addresses.clear();
  }
}

/** As long for every name, and no part of a message that was sent: names cost an attacker nothing, and memory costs us. */
function pairOf(network: string, aor: string): string {
  return createHash('sha1').update(`${network} ${aor}`).digest('base64');
}
