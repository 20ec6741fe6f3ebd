import type { JwtConfig } from './config.js';
import type { ConfigFile } from './schema.js';
import { parseDurationMs } from './units.js';

/** The section `jwt:`; `keysFile` is the text of the file that it names. */
export function settleJwt({ jwt }: ConfigFile, keysFile: string | undefined): JwtConfig | undefined {
  if (jwt === undefined) return undefined;
  const { jwks_url: url, public_key: key = keysFile } = jwt;
  const keys =
    key === undefined ? { kind: 'url' as const, url: url ?? '' } : { kind: 'text' as const, text: key };
  return {
    keys,
    algorithms: jwt.algorithms,
    audience: jwt.audience,
    issuer: jwt.issuer,
    aorClaim: jwt.aor_claim,
    leewayMs: parseDurationMs(jwt.leeway) ?? 0,
    cookie: jwt.cookie,
    authzServer: jwt.authz_server,
    loginUrl: jwt.login_url,
  };
}
