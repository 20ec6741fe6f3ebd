import type { Config, JwtConfig } from '../config/config.js';
import type { PageConfig } from '../contract/page-config.js';

const websocketPath = '/ws';

/** What the pages are told of the configuration. Throws when there is no domain, which no configuration allows. */
export function pageConfigOf({
  domains,
  ice,
  jwt,
  media,
}: Pick<Config, 'domains' | 'ice' | 'jwt' | 'media'>): PageConfig {
  const [domain] = domains;
  if (domain === undefined) throw new TypeError('a configuration has at least one domain');
  const shared = ice.servers.filter(({ secret }) => secret === undefined);
  return {
    domain: domain.name,
    websocketPath,
    ...(domain.usesTokens !== true || jwt === undefined ? {} : { token: tokenOf(jwt) }),
    ...(media.engine === 'passthrough' || media.browserToBrowser === 'direct' ? { directMedia: true } : {}),
    ...(ice.servers.some(({ secret }) => secret !== undefined) ? { moreIceServers: true } : {}),
    iceServers: shared.map(({ urls, username, credential }) => ({
      urls: [...urls],
      ...(username === undefined ? {} : { username }),
      ...(credential === undefined ? {} : { credential: credential.reveal() }),
    })),
  };
}

function tokenOf({ aorClaim, loginUrl }: JwtConfig): NonNullable<PageConfig['token']> {
  return { aorClaim, ...(loginUrl === undefined ? {} : { loginUrl }) };
}
