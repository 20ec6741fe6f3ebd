import { BlockList, isIP } from 'node:net';
import type { CrossFinding } from './problem.js';
import type { ConfigFile } from './schema.js';

type Sections = Partial<ConfigFile>;

/** Domains with tokens need keys; keys must not be forged on their way, nor cookies be used by foreign pages. */
export function checkJwt(sections: Sections): CrossFinding[] {
  return [...checkTokenDomains(sections), ...checkKeys(sections), ...checkCookie(sections)];
}

function checkTokenDomains(sections: Sections): CrossFinding[] {
  const { domains = [], jwt } = sections;
  const isWrong = !('jwt' in sections);
  return domains.flatMap(({ auth, users, users_file: usersFile }, index) => {
    if (auth !== 'jwt') return [];
    const path = ['domains', index];
    const found: CrossFinding[] = [];
    if (jwt === undefined && !isWrong) {
      const fix = 'add jwt: { jwks_url: "https://id.example.com/jwks.json", audience: webtrunk }';
      found.push({ path, problem: 'auth: jwt needs to know whose tokens', fix });
    }
    if (users.length > 0 || usersFile !== undefined) {
      const fix = 'remove users and users_file, or write auth: local';
      found.push({ path, problem: 'tokens name the users of this domain', fix });
    }
    return found;
  });
}

function checkKeys({ jwt }: Sections): CrossFinding[] {
  if (jwt === undefined) return [];
  const { jwks_url: url, keys_file: file, public_key: key } = jwt;
  const path = ['jwt'];
  const sources = [url, file, key].filter((source) => source !== undefined).length;
  if (sources !== 1) {
    const fix = 'write one of jwks_url, keys_file and public_key';
    const problem =
      sources === 0 ? 'there are no keys to check tokens with' : 'keys come from several places';
    return [{ path, problem, fix }];
  }
  if (url === undefined || isSafe(url)) return [];
  const problem = 'over http anybody on the way can put in keys of their own';
  return [{ path: [...path, 'jwks_url'], problem, fix: 'use https' }];
}

function checkCookie({ jwt, websocket }: Sections): CrossFinding[] {
  if (jwt?.cookie === undefined || websocket?.origins.includes('*') !== true) return [];
  const problem = 'every page on the web could open a WebSocket with the cookie of whoever looks at it';
  return [{ path: ['jwt', 'cookie'], problem, fix: 'list the pages in websocket.origins, or remove cookie' }];
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:' || hostname === 'localhost') return true;
  const address = hostname.replace(/^\[|\]$/g, '');
  return isIP(address) !== 0 && loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}
