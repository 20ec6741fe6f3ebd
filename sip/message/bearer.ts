/** Bearer tokens in SIP (RFC 8898) and in HTTP (RFC 6750): the credentials and the challenge are the same text. */

/** Longer credentials are nobody's: more than twice what identity providers issue. */
const maxTokenChars = 8_192;
const credentials = /^Bearer[ \t]+([A-Za-z0-9._~+/-]+=*)[ \t]*$/i;

/** What a Bearer challenge says. */
export interface BearerChallenge {
  readonly realm: string;
  /** Where tokens are got (RFC 8898 §4). */
  readonly authzServer?: string;
  /** Why the token that came was not taken (RFC 6750 §3.1). */
  readonly error?: 'invalid_token';
  readonly errorDescription?: string;
}

/** The token of the first `Bearer` among values of Authorization; undefined when there is none that can be read. */
export function parseBearer(values: readonly string[]): string | undefined {
  for (const value of values) {
    const token = value.length <= maxTokenChars ? credentials.exec(value)?.[1] : undefined;
    if (token !== undefined) return token;
  }
  return undefined;
}

/** The value of a WWW-Authenticate header that asks for a token. */
export function serializeBearerChallenge({
  realm,
  authzServer,
  error,
  errorDescription,
}: BearerChallenge): string {
  const params = [
    ['realm', realm],
    ['authz_server', authzServer],
    ['error', error],
    ['error_description', errorDescription],
  ] as const;
  const shown = params.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(value)}`]));
  return `Bearer ${shown.join(', ')}`;
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/[\r\n]+/g, ' ')}"`;
}
