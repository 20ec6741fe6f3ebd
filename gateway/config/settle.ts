import { availableParallelism } from 'node:os';
import { dirname, parse, resolve } from 'node:path';
import type {
  AdminListen,
  CdrConfig,
  CertificateConfig,
  Config,
  DomainConfig,
  DrainConfig,
  HttpsListen,
  MediaEngineConfig,
  SipConfig,
  TrunkConfig,
} from './config.js';
import type { PairFiles, ReferencedFiles } from './referenced-files.js';
import type { ConfigFile } from './schema.js';
import { Secret } from './secret.js';
import { settleIdentity } from './settle-identity.js';
import { settleJwt } from './settle-jwt.js';
import { settleLimits } from './settle-limits.js';
import { settleUpkeep } from './settle-upkeep.js';
import { settleRoute, settleRouting } from './settle-route.js';
import { parseDurationMs, parseNgAddress, parsePortRange, parseSipListen, parseSizeBytes } from './units.js';

/** Turns a checked file into what the rest of webtrunk reads: units converted, secrets wrapped, deeply frozen. */
export function settle(written: ConfigFile, files: ReferencedFiles, file: string): Config {
  const { listen, websocket, limits } = written;
  return frozen<Config>({
    file,
    listen: {
      http: listen.http,
      https: https(written, files),
      admin: admin(written),
      proxies: { addresses: listen.trusted_proxies, header: listen.proxy_header },
    },
    websocket: {
      maxMessageBytes: parsed(parseSizeBytes(websocket.max_message)),
      origins: websocket.origins.map((origin) => origin.toLowerCase()),
      keepaliveMs: parsed(parseDurationMs(websocket.keepalive)),
      resumeGraceMs: parsed(parseDurationMs(websocket.resume_grace)),
      perMessageDeflate: websocket.per_message_deflate,
    },
    domains: written.domains.map((domain, index) => settleDomain(domain, files.htdigest[index])),
    jwt: settleJwt(written, files.jwtKeys),
    sip: settleSip(written, files, file),
    media: {
      ...settleMedia(written),
      browserToBrowser: written.media.browser_to_browser,
      timeoutMs: parsed(parseDurationMs(written.media.timeout)),
    },
    ice: {
      servers: written.ice.servers.map(({ urls, username, credential, secret, ttl }) => ({
        urls,
        username,
        credential: optional(credential),
        secret: optional(secret),
        ttlMs: parsed(parseDurationMs(ttl)),
      })),
      filterPrivateCandidates: written.ice.filter_private_candidates,
    },
    trunks: written.trunks.map((trunk, index) => ({
      ...settleTrunk(trunk, files.trunkTls[index]),
      ...settleIdentity(trunk),
      ...settleUpkeep(trunk),
    })),
    routing: settleRouting(written, file),
    routes: written.routes.map(settleRoute),
    limits: settleLimits(limits),
    cdr: settleCdr(written, file),
    drain: settleDrain(written),
    store: written.store === 'memory' ? undefined : new Secret(written.store),
    log: written.log,
    echoPhone: undefined,
  });
}

function settleDrain({ drain: { notice, limit } }: ConfigFile): DrainConfig {
  return { noticeMs: parsed(parseDurationMs(notice)), limitMs: parsed(parseDurationMs(limit)) };
}

function https({ listen }: ConfigFile, files: ReferencedFiles): HttpsListen | undefined {
  const certificate = certificateOf(files.https);
  if (listen.https === undefined || certificate === undefined) return undefined;
  const { address, port } = listen.https;
  return { address, port, ...certificate };
}

function certificateOf({ cert, key }: PairFiles): CertificateConfig | undefined {
  return cert === undefined || key === undefined ? undefined : { cert, key: new Secret(key) };
}

function admin({ listen }: ConfigFile): AdminListen {
  const { address, port, token } = listen.admin;
  return { address, port, token: optional(token) };
}

function settleDomain(
  { name, auth, trunk, contact, users }: ConfigFile['domains'][number],
  htdigest: string | undefined,
): DomainConfig {
  return {
    name: name.toLowerCase(),
    ...(auth === 'jwt' ? { usesTokens: true } : {}),
    ...(auth === 'pbx' ? { pbxTrunk: trunk, pbxTakesPath: contact === 'path' } : {}),
    users: users.map((user) => ({
      name: user.name,
      password: new Secret(user.password),
      displayName: user.display_name,
      callerId: user.caller_id,
      callerIds: user.caller_ids,
    })),
    htdigest: optional(htdigest),
  };
}

/** `webtrunk.dialogs.ndjson` beside `webtrunk.yaml`: two configurations in one folder have two journals. */
function journalOf(file: string, named: string | undefined): string {
  return resolve(dirname(file), named ?? `${parse(file).name}.dialogs.ndjson`);
}

function settleSip({ sip }: ConfigFile, { sipTls, drachtioCa }: ReferencedFiles, file: string): SipConfig {
  if (sip.engine === 'drachtio' && sip.drachtio !== undefined) {
    const { host, port, secret, journal, tls } = sip.drachtio;
    return {
      engine: 'drachtio',
      host,
      port,
      secret: new Secret(secret),
      tls: tls === undefined ? undefined : { ca: drachtioCa, serverName: tls.server_name },
      journal: journalOf(file, journal),
    };
  }
  const listen = sip.embedded.listen.map((text) => parsed(parseSipListen(text)));
  const { external_address: externalAddress, name_servers: nameServers } = sip.embedded;
  const certificate = certificateOf(sipTls);
  const tls = certificate === undefined ? undefined : { ...certificate, clientCa: sipTls.clientCa };
  const strangers = sip.strangers ?? 'silence';
  return { engine: 'embedded', listen, externalAddress, tls, nameServers, strangers };
}

function settleCdr({ cdr }: ConfigFile, file: string): CdrConfig {
  const { rotate, webhook } = cdr;
  const beside = (name: string): string => resolve(dirname(file), name);
  const asked = typeof webhook === 'string' ? { url: webhook, token: undefined, timeout: '10s' } : webhook;
  return {
    file:
      cdr.file === undefined
        ? undefined
        : { path: beside(cdr.file), maxBytes: parsed(parseSizeBytes(rotate.size)), keep: rotate.keep },
    webhook:
      asked === undefined
        ? undefined
        : {
            url: asked.url,
            token: optional(asked.token),
            timeoutMs: parsed(parseDurationMs(asked.timeout)),
            queue: beside(cdr.queue ?? `${parse(file).name}.cdr-queue.ndjson`),
          },
  };
}

function settleMedia({ media }: ConfigFile): MediaEngineConfig {
  if (media.engine === 'rtpengine' && media.rtpengine !== undefined) {
    const instances = media.rtpengine.map(({ ng, weight }) => ({
      address: parsed(parseNgAddress(ng)),
      weight,
    }));
    return { engine: 'rtpengine', instances };
  }
  if (media.engine !== 'relay' || media.relay === undefined) return { engine: 'passthrough' };
  const { address, ports, browser_port: browserPort, processes } = media.relay;
  const usual = browserPort === undefined ? usualMediaProcesses() : 1;
  const count = processes === 'auto' ? usual : processes;
  return { engine: 'relay', address, ports: parsed(parsePortRange(ports)), browserPort, processes: count };
}

/** One per processor but the one that the signalling has, at most four. */
export function usualMediaProcesses(): number {
  return Math.min(Math.max(availableParallelism() - 1, 1), 4);
}

function settleTrunk(
  { name, type, hosts, auth, from, tls, inbound, media }: ConfigFile['trunks'][number],
  files: ReferencedFiles['trunkTls'][number] | undefined,
): TrunkConfig {
  return {
    name,
    type,
    hosts,
    auth:
      auth === undefined
        ? undefined
        : { username: auth.username, password: new Secret(auth.password), realm: auth.realm },
    from: from === undefined ? undefined : { user: from.user, domain: from.domain },
    tls:
      tls === undefined || files === undefined
        ? undefined
        : {
            ca: files.ca,
            fingerprint: tls.fingerprint,
            serverName: tls.server_name,
            certificate: certificateOf(files),
          },
    inbound: {
      allow: inbound.allow,
      numbers: inbound.numbers,
      trustIdentity: inbound.trust_identity,
      numberFrom: inbound.number_from,
    },
    media: {
      codecs: media.codecs,
      ptimeMs: media.ptime,
      video: media.video,
      dtmf: media.dtmf,
      srtp: media.srtp,
    },
  };
}

function optional(text: string | undefined): Secret | undefined {
  return text === undefined ? undefined : new Secret(text);
}

/** The schema has already parsed the same text with the same function. */
function parsed<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('the schema let a value pass that cannot be parsed');
  return value;
}

/** Freezes `value` and everything below it. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part);
  return value;
}
