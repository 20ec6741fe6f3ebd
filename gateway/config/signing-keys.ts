import {
  createLocalJWKSet,
  errors,
  exportJWK,
  importSPKI,
  type CryptoKey,
  type FlattenedJWSInput,
  type JSONWebKeySet,
  type JWSHeaderParameters,
} from 'jose';

/** The algorithms that tokens may be signed with: those with a public key. `none` and shared secrets are never taken. */
export const tokenAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

export type TokenAlgorithm = (typeof tokenAlgorithms)[number];

/** Public keys of the issuer of tokens. */
export interface SigningKeys {
  /**
   * The key that the token with this header is signed with.
   * @throws {errors.JOSEError} when there is none.
   * @throws {SipFailure} `auth.keys_unavailable` when the keys cannot be had now.
   */
  find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey>;
  /** Gives up what is under way. Idempotent. */
  close(): void;
}

const kinds: ReadonlySet<unknown> = new Set(['RSA', 'EC', 'OKP']);

/**
 * The keys of a JWK set (RFC 7517 §5). Shared secrets in it are passed over: a set that is public must not let anybody sign.
 * @throws TypeError when the text is no JWK set, or has no public key.
 */
export function readKeySet(text: string): SigningKeys {
  const set: unknown = JSON.parse(text);
  if (!isKeySet(set)) throw new TypeError('it is no JWK set');
  const keys = set.keys.filter(({ kty }) => kinds.has(kty));
  if (keys.length === 0) throw new TypeError('there is no public key in it');
  const find = createLocalJWKSet({ keys });
  return { find: (header, token) => find(header, token), close: () => undefined };
}

/**
 * One public key, PEM (SubjectPublicKeyInfo), whatever `kid` a token names.
 * @throws when it cannot be read as a key for any of `algorithms`.
 */
export async function readPublicKey(
  pem: string,
  algorithms: readonly TokenAlgorithm[],
): Promise<SigningKeys> {
  for (const algorithm of algorithms) {
    const key = await importSPKI(pem, algorithm, { extractable: true }).catch(() => undefined);
    if (key === undefined) continue;
    const { kty } = await exportJWK(key);
    return {
      async find({ alg = '' }) {
        const isFit = (algorithms as readonly string[]).includes(alg) && kty === kindOf(alg);
        if (!isFit) throw new errors.JWKSNoMatchingKey();
        return importSPKI(pem, alg);
      },
      close: () => undefined,
    };
  }
  throw new TypeError(`it is no public key for ${algorithms.join(', ')}`);
}

/** Keys as a file or the configuration has them: a JWK set, or one public key. Rejects when they cannot be read. */
export async function readKeys(text: string, algorithms: readonly TokenAlgorithm[]): Promise<SigningKeys> {
  return text.trimStart().startsWith('{') ? readKeySet(text) : readPublicKey(text, algorithms);
}

function kindOf(algorithm: string): string {
  if (algorithm.startsWith('ES')) return 'EC';
  return algorithm === 'EdDSA' ? 'OKP' : 'RSA';
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys))
    return false;
  return value.keys.every((key: unknown) => typeof key === 'object' && key !== null);
}
