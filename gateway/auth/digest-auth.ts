import { randomBytes } from 'node:crypto';
import type { Clock } from '../../sip/clock.js';
import { failure, type SipFailure } from '../../sip/failure.js';
import {
  digestResponse,
  parseAuthorization,
  parseUri,
  safeEqual,
  sameUri,
  serializeChallenge,
  type DigestCredentials,
  type SipRequest,
} from '../../sip/message/index.js';
import { whenReady, type Awaitable } from '../awaitable.js';
import type { Credential, CredentialStore, ChallengeAlgorithm } from './credential-store.js';
import { NonceSigner } from './nonce.js';
import type { NonceWindow } from './nonce-window.js';

export interface DigestAuthOptions {
  readonly store: CredentialStore;
  readonly clock: Clock;
  /** MD5 by default: sip.js and JsSIP know no other, and read one challenge only. */
  readonly algorithm?: ChallengeAlgorithm;
  readonly nonceLifetimeMs?: number;
  /** Signs the nonces; random by default. */
  readonly secret?: Buffer;
}

/** To whom nonces are issued: a flow. */
export interface NonceHolder {
  readonly id: string;
  readonly nonces: NonceWindow;
}

/** `challenge`: ask (again) for credentials; `stale` when they were right but their nonce is too old. */
export type AuthVerdict =
  | { readonly kind: 'accepted'; readonly credential: Credential }
  | { readonly kind: 'challenge'; readonly stale: boolean }
  | { readonly kind: 'rejected'; readonly failure: SipFailure };

const defaultNonceLifetimeMs = 300_000;

/**
 * Digest authentication (RFC 3261 §22, RFC 7616) without state before success: nonces are signed, bound to the flow and to
 * the realm, and only nonces that were used with the right password are remembered, on the flow.
 */
export class DigestAuth {
  readonly #signer: NonceSigner;
  readonly #algorithm: ChallengeAlgorithm;
  readonly #nonceLifetimeMs: number;
  /** Stands in for the hash of an unknown user, so that it takes as long to be refused as a wrong password. */
  readonly #nobody = randomBytes(16).toString('hex');

  constructor(private readonly options: DigestAuthOptions) {
    this.#signer = new NonceSigner(options.secret);
    this.#algorithm = options.algorithm ?? 'MD5';
    this.#nonceLifetimeMs = options.nonceLifetimeMs ?? defaultNonceLifetimeMs;
  }

  /** The value of a WWW-Authenticate header that asks for a user of `realm`. */
  challenge(holder: NonceHolder, realm: string, stale: boolean): string {
    const issuedAtMs = this.options.clock.nowMs();
    const serial = holder.nonces.nextSerial();
    const nonce = this.#signer.issue(issuedAtMs, serial, scopeOf(holder, realm));
    holder.nonces.noteIssued({ nonce, realm, issuedAtMs, serial });
    return serializeChallenge({
      realm,
      nonce,
      algorithm: this.#algorithm,
      qop: ['auth'],
      ...(stale ? { stale } : {}),
    });
  }

  /** The user name in the request's credentials for `realm`; undefined without such credentials. Proves nothing. */
  claimedUser(request: SipRequest, realm: string): string | undefined {
    return credentialsFor(request, realm)?.username;
  }

  /** Checks that the request was sent by `user` of `realm`. */
  verify(request: SipRequest, holder: NonceHolder, user: string, realm: string): Awaitable<AuthVerdict> {
    const given = credentialsFor(request, realm);
    if (given === undefined) return { kind: 'challenge', stale: false };
    const flaw = this.#flawOf(given, request);
    if (flaw !== undefined) return { kind: 'rejected', failure: flaw };
    return whenReady(this.options.store.find(given.username, realm), (credential) =>
      this.#judge(given, credential, { request, holder, user, realm }),
    );
  }

  #flawOf(given: DigestCredentials, request: SipRequest): SipFailure | undefined {
    if (given.algorithm !== this.#algorithm) {
      return failure('message.malformed', { detail: `digest algorithm is not ${this.#algorithm}` });
    }
    if (given.qop?.toLowerCase() !== 'auth' || given.nc === undefined || given.cnonce === undefined) {
      return failure('message.malformed', { detail: 'digest without qop=auth' });
    }
    if (!/^[0-9a-f]{8}$/i.test(given.nc)) return failure('message.malformed', { detail: 'digest nc' });
    if (!namesSameResource(given.uri, request.requestUri)) {
      return failure('message.malformed', { detail: 'digest uri is not the Request-URI' });
    }
    return undefined;
  }

  #judge(
    given: DigestCredentials,
    credential: Credential | undefined,
    {
      request,
      holder,
      user,
      realm,
    }: { request: SipRequest; holder: NonceHolder; user: string; realm: string },
  ): AuthVerdict {
    const known = credential?.ha1[this.#algorithm];
    const expected = digestResponse({
      algorithm: this.#algorithm,
      ha1: known ?? this.#nobody,
      method: request.method,
      uri: given.uri,
      nonce: given.nonce,
      nc: given.nc,
      cnonce: given.cnonce,
      qop: given.qop,
    });
    const right = safeEqual(expected, given.response);
    if (!right || credential === undefined || known === undefined || given.username !== user) {
      return { kind: 'rejected', failure: failure('auth.rejected') };
    }
    return this.#judgeNonce(given, credential, holder, realm);
  }

  /** The password is right; whether the nonce may still be used. */
  #judgeNonce(
    given: DigestCredentials,
    credential: Credential,
    holder: NonceHolder,
    realm: string,
  ): AuthVerdict {
    const stale: AuthVerdict = { kind: 'challenge', stale: true };
    const claim =
      holder.nonces.recall(given.nonce, realm) ?? this.#signer.check(given.nonce, scopeOf(holder, realm));
    if (claim === undefined) return stale;
    if (this.options.clock.nowMs() - claim.issuedAtMs > this.#nonceLifetimeMs) return stale;
    const use = holder.nonces.use(claim.serial, Number.parseInt(given.nc ?? '', 16));
    return use === 'fresh' ? { kind: 'accepted', credential } : stale;
  }
}

function scopeOf(holder: NonceHolder, realm: string): string {
  return `${holder.id} ${realm}`;
}

/** The credentials among the request's Authorization headers that are meant for `realm` (RFC 3261 §22.4). */
function credentialsFor(request: SipRequest, realm: string): DigestCredentials | undefined {
  for (const value of request.headers.getAll('authorization')) {
    const credentials = parseAuthorization(value);
    if (credentials?.realm === realm) return credentials;
  }
  return undefined;
}

function namesSameResource(given: string, requestUri: string): boolean {
  if (given === requestUri) return true;
  const a = parseUri(given);
  const b = parseUri(requestUri);
  if (a === undefined || b === undefined) return false;
  if (a.scheme === 'tel' || a.scheme === 'other' || b.scheme === 'tel' || b.scheme === 'other') return false;
  return sameUri(a, b);
}
