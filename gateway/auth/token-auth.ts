import { errors, jwtVerify, type JWTPayload } from 'jose';
import type { Clock } from '../../sip/clock.js';
import { failure, SipFailure } from '../../sip/failure.js';
import { canonicalAor, parseUri, serializeBearerChallenge } from '../../sip/message/index.js';
import type { SigningKeys, TokenAlgorithm } from '../config/signing-keys.js';

export interface TokenAuthOptions {
  readonly keys: SigningKeys;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly audience: string;
  /** Undefined: any. */
  readonly issuer: string | undefined;
  /** The claim that names the user: `sip:alice@example.com`, `alice@example.com`, or `alice` of `onlyDomain`. */
  readonly aorClaim: string;
  /** The only domain with tokens; undefined when there are several, whose users then must be named with theirs. */
  readonly onlyDomain: string | undefined;
  /** How far the clocks of issuer and gateway may differ. */
  readonly leewayMs: number;
  /** Told to clients without a token. */
  readonly authzServer: string | undefined;
  readonly clock: Clock;
}

/** Who a token says that its bearer is, and until when. */
export interface TokenProof {
  /** Canonical address-of-record. */
  readonly aor: string;
  readonly untilMs: number;
}

/** Checks tokens (RFC 7519, as RFC 8725 wants it): signature, algorithm, audience, issuer, times, and whom they name. */
export class TokenAuth {
  constructor(private readonly options: TokenAuthOptions) {}

  /** The value of a WWW-Authenticate header that asks for a token for `realm`; `flaw`: what is wrong with the one that came. */
  challenge(realm: string, flaw?: string): string {
    const { authzServer } = this.options;
    return serializeBearerChallenge({
      realm,
      ...(authzServer === undefined ? {} : { authzServer }),
      ...(flaw === undefined ? {} : { error: 'invalid_token' as const, errorDescription: flaw }),
    });
  }

  /** Gives up a fetch of keys that is under way. Idempotent. */
  close(): void {
    this.options.keys.close();
  }

  /** What the token proves; the failure says why nothing. `realm` is asked for a better one. */
  async verify(token: string, realm: string): Promise<TokenProof | SipFailure> {
    const { keys, algorithms, audience, issuer, leewayMs, clock } = this.options;
    try {
      const { payload } = await jwtVerify(token, (header, jws) => keys.find(header, jws), {
        algorithms: [...algorithms],
        audience,
        ...(issuer === undefined ? {} : { issuer }),
        clockTolerance: Math.ceil(leewayMs / 1_000),
        currentDate: new Date(clock.nowMs()),
        requiredClaims: ['exp', this.options.aorClaim],
      });
      return this.#proofOf(payload) ?? this.#refused(realm, 'the token names no SIP user');
    } catch (cause) {
      return cause instanceof SipFailure ? cause : this.#refused(realm, flawOf(cause));
    }
  }

  /** The failure for a client whose token has ended, or is none. */
  #refused(realm: string, flaw: string): SipFailure {
    const headers = [['WWW-Authenticate', this.challenge(realm, flaw)]] as const;
    return failure('auth.token', { detail: flaw, headers });
  }

  /** As a token that has ended is refused. */
  ended(realm: string): SipFailure {
    return this.#refused(realm, tokenEnded);
  }

  #proofOf(payload: JWTPayload): TokenProof | undefined {
    const { aorClaim, onlyDomain, leewayMs } = this.options;
    const named = payload[aorClaim];
    const aor = typeof named === 'string' ? aorOf(named, onlyDomain) : undefined;
    return aor === undefined || payload.exp === undefined
      ? undefined
      : { aor, untilMs: payload.exp * 1_000 + leewayMs };
  }
}

/** What is said of a token whose time is over. */
export const tokenEnded = 'the token has expired';

/** `null` bytes and line ends never get this far: `parseUri` takes none. */
function aorOf(named: string, onlyDomain: string | undefined): string | undefined {
  const withDomain = named.includes('@') ? named : bareUser(named, onlyDomain);
  if (withDomain === undefined) return undefined;
  const uri = parseUri(/^sips?:/i.test(withDomain) ? withDomain : `sip:${withDomain}`);
  return uri === undefined ? undefined : canonicalAor(uri);
}

function bareUser(name: string, domain: string | undefined): string | undefined {
  return domain === undefined || name === '' ? undefined : `${encodeURIComponent(name)}@${domain}`;
}

/** In words that tell a client nothing but what it can know. */
function flawOf(cause: unknown): string {
  if (cause instanceof errors.JWTExpired) return tokenEnded;
  if (cause instanceof errors.JWTClaimValidationFailed) {
    if (cause.claim === 'aud') return 'the token is for another audience';
    if (cause.claim === 'iss') return 'the token is of another issuer';
    return cause.claim === 'nbf' ? 'the token is not valid yet' : `the token has no usable ${cause.claim}`;
  }
  if (cause instanceof errors.JOSEAlgNotAllowed)
    return 'the token is signed with an algorithm that is not allowed';
  if (cause instanceof errors.JWKSNoMatchingKey) return 'the token is signed with an unknown key';
  if (cause instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token is wrong';
  return 'the token cannot be read';
}
