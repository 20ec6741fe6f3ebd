import type { NonceClaim } from './nonce.js';

const remembered = 8;

interface IssuedNonce extends NonceClaim {
  readonly nonce: string;
  readonly realm: string;
}

interface UsedNonce {
  readonly serial: number;
  count: number;
}

/**
 * Replay check of one flow (RFC 7616 §5.12): numbers the nonces issued to it and remembers how far the latest used ones
 * were counted. A nonce older than all remembered ones is stale, so that memory is bounded and nothing is accepted twice.
 */
export class NonceWindow {
  #issued = 0;
  #latest: IssuedNonce | undefined;
  #used: UsedNonce[] | undefined;
  /** Serials up to here are no longer remembered. */
  #floor = 0;

  /** Serial number of the next nonce, from 1. */
  nextSerial(): number {
    this.#issued = (this.#issued % 0xffff_ffff) + 1;
    return this.#issued;
  }

  /** Remembers the nonce that was just issued, whose signature need not be checked again. */
  noteIssued(issued: IssuedNonce): void {
    this.#latest = issued;
  }

  /** What the nonce says, when it is the one that was issued last for `realm`. */
  recall(nonce: string, realm: string): NonceClaim | undefined {
    const latest = this.#latest;
    return latest?.nonce === nonce && latest.realm === realm ? latest : undefined;
  }

  /** Notes that the nonce was used with nonce-count `count`. `replayed` and `stale` ones must not be accepted. */
  use(serial: number, count: number): 'fresh' | 'replayed' | 'stale' {
    const known = this.#used?.find((used) => used.serial === serial);
    if (known !== undefined) {
      if (count <= known.count) return 'replayed';
      known.count = count;
      return 'fresh';
    }
    if (serial <= this.#floor) return 'stale';
    this.#remember({ serial, count });
    return 'fresh';
  }

  #remember(nonce: UsedNonce): void {
    this.#used ??= [];
    this.#used.push(nonce);
    if (this.#used.length <= remembered) return;
    this.#used.sort((a, b) => a.serial - b.serial);
    this.#floor = this.#used.shift()?.serial ?? this.#floor;
  }
}
