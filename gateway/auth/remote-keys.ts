import { errors, type CryptoKey, type FlattenedJWSInput, type JWSHeaderParameters } from 'jose';
import type { Clock } from '../../sip/clock.js';
import { failure, type SipFailure } from '../../sip/failure.js';
import { boundedText } from '../bounded-text.js';
import { readKeySet, type SigningKeys } from '../config/signing-keys.js';

export interface RemoteKeysOptions {
  readonly url: string;
  readonly clock: Clock;
  /** Told of each fetch; `why` when it failed. */
  readonly fetched: (why: string | undefined) => void;
  readonly times?: Partial<RemoteKeysTimes>;
}

/** In milliseconds. */
export interface RemoteKeysTimes {
  /** Keys that are older are fetched again, while they serve on. */
  readonly maxAgeMs: number;
  /** At least so long between two fetches that tokens with unknown keys cause. */
  readonly cooldownMs: number;
  /** At least so long after one that failed. */
  readonly retryMs: number;
  readonly timeoutMs: number;
}

const defaultTimes: RemoteKeysTimes = {
  maxAgeMs: 600_000,
  cooldownMs: 30_000,
  retryMs: 5_000,
  timeoutMs: 5_000,
};
const maxAnswerBytes = 262_144;

/**
 * A JWK set behind a URL. It is fetched when the first token comes; keys that are new there are found by a token with an
 * unknown `kid`, one fetch for all of them. A server that is down takes nothing away: what was fetched last serves on.
 */
export class RemoteKeys implements SigningKeys {
  readonly #times: RemoteKeysTimes;
  readonly #closing = new AbortController();
  #keys: SigningKeys | undefined;
  #fetchedMs = 0;
  #nextTryMs = 0;
  #lastFailed = false;
  #fetching: Promise<void> | undefined;

  constructor(private readonly options: RemoteKeysOptions) {
    this.#times = { ...defaultTimes, ...options.times };
  }

  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    const nowMs = this.options.clock.nowMs();
    if (this.#keys === undefined) await this.#fetchNow(nowMs);
    else if (nowMs - this.#fetchedMs > this.#times.maxAgeMs && nowMs >= this.#nextTryMs) void this.#fetch();
    const known = this.#keys;
    if (known === undefined) throw this.#unavailable();
    try {
      return await known.find(header, token);
    } catch (cause) {
      if (!(cause instanceof errors.JWKSNoMatchingKey)) throw cause;
    }
    await this.#fetchNow(nowMs);
    if (this.#lastFailed) throw this.#unavailable();
    return (this.#keys ?? known).find(header, token);
  }

  close(): void {
    this.#closing.abort();
  }

  /** Waits for the fetch that is under way, or for a new one when it is time. */
  async #fetchNow(nowMs: number): Promise<void> {
    if (this.#fetching === undefined && nowMs < this.#nextTryMs) return;
    await this.#fetch();
  }

  /** Never rejects: what came of it is in the fields. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#load().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #load(): Promise<void> {
    const { clock, fetched, url } = this.options;
    const late = new AbortController();
    const limit = clock.after(this.#times.timeoutMs, () => late.abort(new Error('no answer in time')));
    try {
      this.#keys = readKeySet(await textAt(url, AbortSignal.any([late.signal, this.#closing.signal])));
      this.#fetchedMs = clock.nowMs();
      this.#lastFailed = false;
      fetched(undefined);
    } catch (cause) {
      this.#lastFailed = true;
      if (!this.#closing.signal.aborted) fetched(wordsOf(cause));
    } finally {
      limit.cancel();
      const { cooldownMs, retryMs } = this.#times;
      this.#nextTryMs = clock.nowMs() + (this.#lastFailed ? retryMs : cooldownMs);
    }
  }

  #unavailable(): SipFailure {
    const seconds = Math.max(1, Math.ceil((this.#nextTryMs - this.options.clock.nowMs()) / 1_000));
    return failure('auth.keys_unavailable', { headers: [['Retry-After', String(seconds)]] });
  }
}

async function textAt(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { headers: { accept: 'application/json' }, redirect: 'error', signal });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`answered ${response.status}`);
  }
  return boundedText(response, maxAnswerBytes);
}

/** `fetch failed` says nothing: the cause does. */
function wordsOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? thrown.cause.message : thrown.message;
}
