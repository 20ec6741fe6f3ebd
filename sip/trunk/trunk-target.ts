import type { DigestAccount } from './digest-answer.js';

/** Where a request leaves for (DESIGN §2: target). */
export interface TrunkTarget {
  /** Goes into the request line as it is. */
  readonly requestUri: string;
  /** The hop that the request is sent to, when that is not where the Request-URI points. */
  readonly nextHop?: string;
  /** For the PBX's digest challenge. */
  readonly auth?: DigestAccount;
  /** The caller has the password: a challenge is told it as `auth.challenged`, with the PBX's own header fields. */
  readonly passesChallenge?: boolean;
}
