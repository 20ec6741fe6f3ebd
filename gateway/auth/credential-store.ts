import { ha1, type DigestAlgorithm } from '../../sip/message/index.js';
import type { Awaitable } from '../awaitable.js';

/** Algorithms that we challenge with. */
export type ChallengeAlgorithm = Extract<DigestAlgorithm, 'MD5' | 'SHA-256'>;

/** What proves that somebody is `user` of `domain`. Holds no password. */
export interface Credential {
  readonly user: string;
  readonly domain: string;
  /** Hash of `user:domain:password` (RFC 7616 §3.4.2) per algorithm. */
  readonly ha1: Readonly<Partial<Record<ChallengeAlgorithm, string>>>;
  readonly displayName?: string;
}

/** Finds credentials; undefined when there is no such user. */
export interface CredentialStore {
  find(user: string, domain: string): Awaitable<Credential | undefined>;
}

/** A user as configured. */
export interface ConfiguredUser {
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly displayName?: string;
}

const htdigestHash = /^[0-9a-f]{32}$/i;

/** Credentials held in memory, from the configuration and from htdigest files. */
export class MemoryCredentialStore implements CredentialStore {
  #byName = new Map<string, Credential>();

  get size(): number {
    return this.#byName.size;
  }

  find(user: string, domain: string): Credential | undefined {
    return this.#byName.get(keyOf(user, domain));
  }

  /** Adds or replaces a user; the password itself is forgotten. */
  addUser({ user, domain, password, displayName }: ConfiguredUser): void {
    this.#add({
      user,
      domain,
      ha1: {
        MD5: ha1(user, domain, password, 'MD5'),
        'SHA-256': ha1(user, domain, password, 'SHA-256'),
      },
      ...(displayName === undefined ? {} : { displayName }),
    });
  }

  /**
   * Adds the lines `user:realm:HA1` of an htdigest file whose realm is `domain`; others, empty lines and `#` comments are
   * passed over. Gives the numbers (from 1) of lines that cannot be read. Such users have an MD5 hash only.
   */
  addHtdigest(text: string, domain: string): number[] {
    const unreadable: number[] = [];
    for (const [index, line] of text.split(/\r?\n/).entries()) {
      if (line === '' || line.startsWith('#')) continue;
      const [user = '', realm = '', hash = '', ...rest] = line.split(':');
      if (user === '' || realm === '' || rest.length > 0 || !htdigestHash.test(hash))
        unreadable.push(index + 1);
      else if (realm === domain) this.#add({ user, domain, ha1: { MD5: hash.toLowerCase() } });
    }
    return unreadable;
  }

  /** Takes over everything that `other` holds, and forgets the rest. */
  replaceBy(other: MemoryCredentialStore): void {
    this.#byName = new Map(other.#byName);
  }

  #add(credential: Credential): void {
    this.#byName.set(keyOf(credential.user, credential.domain), credential);
  }
}

function keyOf(user: string, domain: string): string {
  return `${user}@${domain}`;
}
