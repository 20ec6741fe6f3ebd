import { BlockList } from 'node:net';
import { isIP } from 'node:net';
import type { CrossFinding, Path } from './problem.js';
import type { ConfigFile } from './schema.js';
import { nearest } from './nearest.js';
import { checkDtmf } from './dtmf-checks.js';
import { checkVideo } from './video-checks.js';
import { checkSrtp } from './srtp-checks.js';
import { checkIce } from './ice-checks.js';
import { checkDrain } from './drain-checks.js';
import { checkIdentity } from './identity-checks.js';
import { checkJwt } from './jwt-checks.js';
import { checkPbxDomains } from './pbx-domain-checks.js';
import { parsePortRange } from './units.js';

/** The sections that are right by themselves. */
type Sections = Partial<ConfigFile>;

const checks: readonly ((sections: Sections) => CrossFinding[])[] = [
  checkListen,
  checkDomains,
  checkSip,
  checkMedia,
  checkBrowserPort,
  checkTrunks,
  checkTrunkAuth,
  checkSipTls,
  checkTrunkTls,
  checkRoutes,
  checkRouteTargets,
  checkRouteDomains,
  checkIdentity,
  checkDtmf,
  checkVideo,
  checkSrtp,
  checkPbxDomains,
  checkJwt,
  checkIce,
  checkDrain,
];

/** Names that occur twice, references that lead nowhere, and settings that need others. */
export function crossCheck(sections: Sections): readonly CrossFinding[] {
  return checks.flatMap((check) => check(sections));
}

function checkListen({ listen }: Sections): CrossFinding[] {
  if (listen === undefined) return [];
  const found: CrossFinding[] = [];
  if (listen.http === undefined && listen.https === undefined) {
    const fix = 'add for example http: { address: 0.0.0.0, port: 8080 }';
    found.push({ path: ['listen'], problem: 'nothing that browsers can connect to', fix });
  }
  if (!isLoopback(listen.admin.address) && listen.admin.token === undefined) {
    const problem = `everybody who reaches ${listen.admin.address} could read the API`;
    found.push({ path: ['listen', 'admin'], problem, fix: 'add a token, or listen on 127.0.0.1' });
  }
  const taken = new Map<string, string>();
  for (const name of ['http', 'https', 'admin'] as const) {
    const place = listen[name];
    if (place === undefined || place.port === 0) continue;
    const other = [...taken].find(([key]) => overlap(key, `${place.address} ${place.port}`))?.[1];
    if (other !== undefined) {
      const problem = `port ${place.port} is already that of listen.${other}`;
      found.push({ path: ['listen', name], problem, fix: 'give each its own port' });
    }
    taken.set(`${place.address} ${place.port}`, name);
  }
  return found;
}

function overlap(one: string, other: string): boolean {
  const [address = '', port] = one.split(' ');
  const [otherAddress = '', otherPort] = other.split(' ');
  const everywhere = ['0.0.0.0', '::'];
  return (
    port === otherPort &&
    (address === otherAddress || everywhere.includes(address) || everywhere.includes(otherAddress))
  );
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopback(address: string): boolean {
  return loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function checkDomains({ domains = [] }: Sections): CrossFinding[] {
  const found = duplicates(
    domains.map(({ name }) => name.toLowerCase()),
    (index) => ['domains', index, 'name'],
  );
  for (const [index, { auth, users, users_file: usersFile }] of domains.entries()) {
    if (auth !== 'local') continue;
    found.push(
      ...duplicates(
        users.map(({ name }) => name),
        (at) => ['domains', index, 'users', at, 'name'],
      ),
    );
    if (users.length === 0 && usersFile === undefined) {
      found.push({ path: ['domains', index], problem: 'nobody can sign in', fix: 'add users or users_file' });
    }
  }
  return found;
}

function checkSip({ sip }: Sections): CrossFinding[] {
  if (sip?.engine !== 'drachtio') return [];
  const found: CrossFinding[] = [];
  if (sip.drachtio === undefined) {
    const fix = 'add for example drachtio: { host: 127.0.0.1, secret: ${DRACHTIO_SECRET} }';
    found.push({ path: ['sip'], problem: 'engine: drachtio needs to know the drachtio-server', fix });
  }
  if (sip.strangers === 'silence') {
    const problem = 'drachtio-server cannot be silent';
    found.push({ path: ['sip', 'strangers'], problem, fix: 'write refuse, or remove it' });
  }
  return found;
}

function checkMedia({ media }: Sections): CrossFinding[] {
  if (media === undefined) return [];
  const found = duplicates(
    (media.rtpengine ?? []).map(({ ng }) => ng),
    (index) => ['media', 'rtpengine', index, 'ng'],
  );
  if (media.engine === 'rtpengine' && media.rtpengine === undefined) {
    const fix = 'add for example rtpengine: [{ ng: "udp:127.0.0.1:2223" }]';
    found.push({ path: ['media'], problem: 'engine: rtpengine needs to know the rtpengines', fix });
  }
  if (media.engine === 'passthrough' && media.browser_to_browser === 'anchored') {
    const problem = 'engine: passthrough carries no media that could be anchored';
    found.push({ path: ['media', 'browser_to_browser'], problem, fix: 'write direct, or another engine' });
  }
  if (media.engine !== 'relay' || media.relay !== undefined) return found;
  const fix = 'add for example relay: { address: 203.0.113.5 }';
  const problem = 'engine: relay needs the address that others reach it by';
  return [...found, { path: ['media'], problem, fix }];
}

/** What the range and the browsers' ports share would be lent to a phone while browsers have it. */
function checkBrowserPort({ media }: Sections): CrossFinding[] {
  const { browser_port: first, processes = 'auto', ports = '' } = media?.relay ?? {};
  if (first === undefined) return [];
  const path = ['media', 'relay', 'browser_port'];
  const last = first + Math.max(processes === 'auto' ? 1 : processes, 1) - 1;
  if (last > 65_535) {
    const problem = `${processes} processes need as many ports from ${first} on`;
    return [{ path, problem, fix: 'write a lower port, or fewer processes' }];
  }
  const range = parsePortRange(ports);
  if (range === undefined || last < range.min || first > range.max) return [];
  const which = first === last ? `port ${first} is` : `ports ${first} to ${last} are`;
  return [{ path, problem: `${which} in the range of media.relay.ports`, fix: 'take one outside of it' }];
}

function checkTrunks({ trunks = [] }: Sections): CrossFinding[] {
  return duplicates(
    trunks.map(({ name }) => name),
    (index) => ['trunks', index, 'name'],
  );
}

function checkTrunkAuth({ trunks = [] }: Sections): CrossFinding[] {
  const found: CrossFinding[] = [];
  for (const [index, { type, auth, register }] of trunks.entries()) {
    if (type !== 'ip' && auth === undefined) {
      const fix = 'add for example auth: { username: gw, password: ${PBX_PASSWORD} }';
      found.push({ path: ['trunks', index], problem: `type: ${type} needs a user name and password`, fix });
    }
    if (type !== 'register' && register !== undefined) {
      const problem = `a trunk of type ${type} does not sign in`;
      found.push({
        path: ['trunks', index, 'register'],
        problem,
        fix: 'write type: register, or remove it',
      });
    }
    if (type === 'ip' && auth !== undefined) {
      const problem = 'a trunk of type ip sends no password';
      found.push({ path: ['trunks', index, 'auth'], problem, fix: 'write type: auth, or remove auth' });
    }
  }
  return found;
}

const overTls = (uri: string): boolean => /^sips:|;transport=tls/i.test(uri);

/** TLS needs a certificate, and a trunk over TLS needs TLS. */
function checkSipTls({ sip, trunks = [] }: Sections): CrossFinding[] {
  if (sip?.engine !== 'embedded') return [];
  const { listen, tls } = sip.embedded;
  const listens = listen.some((address) => address.startsWith('tls:'));
  if (listens && tls === undefined) {
    const fix = 'add for example tls: { cert: /etc/webtrunk/sip.crt, key: /etc/webtrunk/sip.key }';
    return [{ path: ['sip', 'embedded'], problem: 'to listen on TLS a certificate is needed', fix }];
  }
  if (listens) return [];
  return trunks.flatMap(({ hosts }, index) =>
    hosts.flatMap(({ uri }, at) => {
      if (!overTls(uri)) return [];
      const problem = 'webtrunk does not listen on TLS, so the trunk could not call back';
      const path = ['trunks', index, 'hosts', at, 'uri'];
      return [{ path, problem, fix: 'add "tls:0.0.0.0:5061" to sip.embedded.listen' }];
    }),
  );
}

function checkTrunkTls({ sip, trunks = [] }: Sections): CrossFinding[] {
  const found: CrossFinding[] = [];
  const takenBy = new Map<string, string>();
  for (const [index, { name, hosts, tls }] of trunks.entries()) {
    const path = ['trunks', index, 'tls'];
    if (tls === undefined) continue;
    if (sip?.engine === 'drachtio') {
      const fix = 'remove it, and configure TLS in drachtio.conf.xml';
      found.push({ path, problem: 'drachtio-server has its own TLS settings', fix });
    }
    if ((tls.cert === undefined) !== (tls.key === undefined)) {
      found.push({ path, problem: 'certificate and key go together', fix: 'give both cert and key' });
    }
    if (tls.ca !== undefined && tls.fingerprint !== undefined) {
      const problem = 'with a fingerprint no authority is asked';
      found.push({ path: [...path, 'ca'], problem, fix: 'remove ca or fingerprint' });
    }
    for (const host of hosts.map(({ uri }) => hostOf(uri))) {
      const other = takenBy.get(host);
      takenBy.set(host, name);
      if (other === undefined || other === name) continue;
      const problem = `trunk ${other} has TLS settings for ${host} too`;
      found.push({ path, problem, fix: 'keep one of them' });
    }
  }
  return found;
}

const hostOf = (uri: string): string => (/^sips?:(\[[^\]]+\]|[^:;]+)/i.exec(uri)?.[1] ?? '').toLowerCase();

function checkRoutes({ routes = [], trunks }: Sections): CrossFinding[] {
  const found = duplicates(
    routes.map(({ name }) => name),
    (index) => ['routes', index, 'name'],
  );
  if (trunks === undefined) return found;
  const known = trunks.map(({ name }) => name);
  for (const [index, { from_trunk: fromTrunk, to }] of routes.entries()) {
    if (fromTrunk !== undefined && !known.includes(fromTrunk)) {
      found.push(unknownName(['routes', index, 'from_trunk'], 'trunk', fromTrunk, known));
    }
    if (to === 'users' || !('trunks' in to)) continue;
    for (const [at, name] of to.trunks.entries()) {
      if (known.includes(name)) continue;
      found.push(unknownName(['routes', index, 'to', 'trunks', at], 'trunk', name, known));
    }
  }
  return found;
}

/** A user of a users file is not known here: then any name may be right. */
function checkRouteTargets({ routes = [], domains }: Sections): CrossFinding[] {
  const isOpen = domains?.some(({ auth, users_file: file }) => auth === 'jwt' || file !== undefined);
  if (domains === undefined || isOpen === true) return [];
  const known = domains.flatMap(({ users }) => users.map(({ name }) => name));
  const found: CrossFinding[] = [];
  for (const [index, { to }] of routes.entries()) {
    if (to === 'users' || !('user' in to) || known.includes(to.user)) continue;
    found.push(unknownName(['routes', index, 'to', 'user'], 'user', to.user, known));
  }
  return found;
}

function checkRouteDomains({ routes = [], domains }: Sections): CrossFinding[] {
  if (domains === undefined) return [];
  const known = domains.map(({ name }) => name.toLowerCase());
  return routes.flatMap(({ domain }, index) => {
    if (domain === undefined || known.includes(domain.toLowerCase())) return [];
    return [unknownName(['routes', index, 'domain'], 'domain', domain, known)];
  });
}

function unknownName(path: Path, what: string, name: string, known: readonly string[]): CrossFinding {
  const meant = nearest(name, known);
  const list = known.length === 0 ? `there is no ${what}` : `known: ${known.slice(0, 10).join(', ')}`;
  const fix = meant === undefined ? list : `did you mean ${meant}?`;
  return { path, problem: `there is no ${what} "${name}"`, fix };
}

function duplicates(names: readonly string[], pathOf: (index: number) => Path): CrossFinding[] {
  const found: CrossFinding[] = [];
  const seen = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (seen.has(name)) {
      found.push({ path: pathOf(index), problem: `"${name}" is there twice`, fix: 'give each its own name' });
    }
    seen.add(name);
  }
  return found;
}
