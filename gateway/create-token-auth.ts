import type { Clock } from '../sip/clock.js';
import { RemoteKeys } from './auth/remote-keys.js';
import { readKeys, type SigningKeys } from './config/signing-keys.js';
import { TokenAuth } from './auth/token-auth.js';
import type { Config, JwtConfig } from './config/config.js';
import type { TokenOptions } from './edge/edge.js';
import type { EdgeEvents } from './telemetry/edge-events.js';

/** How users of the domains with `auth: jwt` sign in; undefined when there is no such domain. Rejects when the keys are none. */
export async function createTokenOptions(
  { domains, jwt }: Pick<Config, 'domains' | 'jwt'>,
  events: Pick<EdgeEvents, 'keysFetched'>,
  clock: Clock,
): Promise<TokenOptions | undefined> {
  const names = domains.filter(({ usesTokens }) => usesTokens === true).map(({ name }) => name);
  const [only] = names;
  if (jwt === undefined || only === undefined) return undefined;
  const { algorithms, audience, issuer, aorClaim, leewayMs, authzServer, cookie } = jwt;
  const auth = new TokenAuth({
    keys: await keysOf(jwt, events, clock),
    algorithms,
    audience,
    issuer,
    aorClaim,
    onlyDomain: names.length === 1 ? only : undefined,
    leewayMs,
    authzServer,
    clock,
  });
  return { auth, domains: new Set(names), cookie };
}

async function keysOf(
  { keys, algorithms }: JwtConfig,
  events: Pick<EdgeEvents, 'keysFetched'>,
  clock: Clock,
): Promise<SigningKeys> {
  if (keys.kind === 'text') return readKeys(keys.text, algorithms);
  const { url } = keys;
  // A query may hold a secret.
  const shown = url.replace(/\?.*$/s, '');
  return new RemoteKeys({ url, clock, fetched: (why) => events.keysFetched({ url: shown, why }) });
}
