import type { Config } from '../config/config.js';
import type { PageConfig } from '../contract/page-config.js';

const websocketPath = '/ws';

/** What the pages are told of the configuration. Throws when there is no domain, which no configuration allows. */
export function pageConfigOf({ domains, ice }: Pick<Config, 'domains' | 'ice'>): PageConfig {
  const [domain] = domains;
  if (domain === undefined) throw new TypeError('a configuration has at least one domain');
  return {
    domain: domain.name,
    websocketPath,
    iceServers: ice.servers.map(({ urls, username, credential }) => ({
      urls: [...urls],
      ...(username === undefined ? {} : { username }),
      ...(credential === undefined ? {} : { credential: credential.reveal() }),
    })),
  };
}
