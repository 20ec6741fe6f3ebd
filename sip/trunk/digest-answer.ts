import type { HeaderList, HeaderView } from '../leg.js';
import {
  digestResponse,
  ha1,
  newTag,
  parseChallenge,
  serializeAuthorization,
  type DigestAlgorithm,
  type DigestChallenge,
} from '../message/index.js';

/** Whose password is asked for, and for which request. */
export interface DigestAccount {
  readonly username: string;
  readonly password: string;
  /** The one realm that gets an answer; undefined: any. */
  readonly realm?: string | undefined;
}

/** What the answer is made for. */
export interface ChallengedRequest {
  readonly method: string;
  readonly uri: string;
}

/** Strongest first (RFC 8760 §2.4). */
const preferred: readonly DigestAlgorithm[] = ['SHA-256', 'SHA-256-sess', 'MD5', 'MD5-sess'];

const answeredBy: Readonly<Record<number, readonly [challenge: string, answer: string]>> = {
  401: ['WWW-Authenticate', 'Authorization'],
  407: ['Proxy-Authenticate', 'Proxy-Authorization'],
};

/**
 * Credentials for a 401 or 407 by the strongest algorithm that it offers (RFC 7616, RFC 8760), where drachtio-srf knows MD5
 * only. A text says why there are none.
 */
export function answerChallenge(
  status: number,
  headers: HeaderView,
  request: ChallengedRequest,
  account: DigestAccount,
): HeaderList | string {
  const [challengeName, answerName] = answeredBy[status] ?? [];
  if (challengeName === undefined || answerName === undefined) return `${status} is no challenge`;
  const offered = headers.getAll(challengeName).flatMap((value) => parseChallenge(value) ?? []);
  if (offered.length === 0) return 'it challenges with something else than Digest';
  const wanted = offered.filter(({ realm }) => account.realm === undefined || realm === account.realm);
  if (wanted.length === 0) {
    return `it asks for the realm ${offered[0]?.realm ?? ''}, not ${account.realm ?? ''}`;
  }
  const [challenge] = wanted
    .filter(({ algorithm, qop }) => algorithm !== undefined && isQopKnown(qop))
    .sort((one, other) => rankOf(one) - rankOf(other));
  if (challenge === undefined) return 'it offers no digest algorithm or protection that is known here';
  return [[answerName, credentials(challenge, request, account)]];
}

/** Whether the challenge only says that its last nonce is too old (RFC 7616 §3.3). */
export function isStale(status: number, headers: HeaderView): boolean {
  const [name = ''] = answeredBy[status] ?? [];
  return headers.getAll(name).some((value) => parseChallenge(value)?.stale === true);
}

const isQopKnown = (qop: readonly string[]): boolean => qop.length === 0 || qop.includes('auth');

const rankOf = ({ algorithm }: DigestChallenge): number =>
  algorithm === undefined ? preferred.length : preferred.indexOf(algorithm);

function credentials(
  { algorithm = 'MD5', realm, nonce, opaque, qop: offered }: DigestChallenge,
  { method, uri }: ChallengedRequest,
  { username, password }: DigestAccount,
): string {
  const isSession = algorithm.endsWith('-sess');
  const protection = offered.length === 0 ? {} : { qop: 'auth', nc: '00000001' };
  const once = offered.length > 0 || isSession ? { cnonce: newTag() } : {};
  const response = digestResponse({
    ha1: ha1(username, realm, password, algorithm),
    algorithm,
    nonce,
    method,
    uri,
    ...protection,
    ...once,
  });
  return serializeAuthorization({
    username,
    realm,
    nonce,
    uri,
    response,
    algorithm,
    opaque,
    ...protection,
    ...once,
  });
}
