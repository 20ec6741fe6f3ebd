import { App } from '../../gateway/app.js';
import type {
  Config,
  MediaEngineConfig,
  RouteConfig,
  RoutingConfig,
  SipConfig,
  SipTlsConfig,
  TrunkConfig,
  UserConfig,
} from '../../gateway/config/config.js';
import { Secret } from '../../gateway/config/secret.js';
import type { PageHandler } from '../../gateway/edge/http-server.js';
import { createEvents } from '../../gateway/telemetry/events.js';
import { createLogger } from '../../gateway/telemetry/logger.js';
import { Metrics } from '../../gateway/telemetry/metrics.js';
import { chosenEngine, openEngine, type EngineUnderTest } from './engine-under-test.js';

/** A whole webtrunk in the test's process, on free loopback ports. */
export interface Gateway {
  readonly app: App;
  readonly metrics: Metrics;
  /** `ws://127.0.0.1:port/ws` */
  readonly wsUrl: string;
  /** `http://127.0.0.1:port` */
  readonly pageUrl: string;
  /** Where the engine takes SIP over UDP, `127.0.0.1:port`. */
  readonly sipAddress: string;
  /** Every log line so far, parsed. */
  readonly lines: readonly Record<string, unknown>[];
  close(): Promise<void>;
}

/** What differs from the defaults: alice and bob of `localhost`, relay, no trunk, users by name. */
export interface GatewayOptions {
  readonly trunks?: readonly TrunkConfig[];
  readonly routes?: readonly RouteConfig[];
  readonly routing?: RoutingConfig;
  /** Domains beside `localhost` whose PBX knows the passwords, and the trunks to them. */
  readonly pbxDomains?: Readonly<Record<string, string>>;
  /** Those PBXs take Path. */
  readonly pbxTakesPath?: boolean;
  /** What the users show, by name. */
  readonly shown?: Readonly<Record<string, Pick<UserConfig, 'callerId' | 'callerIds'>>>;
  readonly limits?: Partial<Config['limits']>;
  readonly strangers?: 'silence' | 'refuse';
  /** The embedded engine listens on TLS too. */
  readonly tls?: SipTlsConfig;
  readonly nameServers?: readonly string[];
  /** What the embedded engine is called in Via and Contact. */
  readonly externalAddress?: string;
  readonly websocket?: Partial<Config['websocket']>;
  readonly cdrFile?: string;
  readonly cdr?: Partial<Config['cdr']>;
  readonly pages?: PageHandler;
  /** A SIP engine that runs beside the gateway; without it the one that the suite runs with. */
  readonly engine?: EngineUnderTest;
  /** File for the journal of dialogs, with such an engine. */
  readonly journal?: string;
  /** The relay when not given. */
  readonly media?: 'relay' | 'passthrough' | Extract<MediaEngineConfig, { engine: 'rtpengine' }>;
  readonly browserToBrowser?: Config['media']['browserToBrowser'];
  readonly filterPrivateCandidates?: boolean;
  readonly iceServers?: Config['ice']['servers'];
  /** Users of `localhost` bring tokens. */
  readonly jwt?: Config['jwt'];
  /** How long both sides may be silent. */
  readonly mediaTimeoutMs?: number;
  readonly mediaPorts?: { readonly min: number; readonly max: number };
  readonly mediaBrowserPort?: number;
  /** Processes of the relay; none by default, which starts faster. */
  readonly mediaProcesses?: number;
  /** URL of the Redis that outlives the gateway. */
  readonly store?: string;
  /** So that another one can take its place; any free ones by default. */
  readonly ports?: { readonly http: number; readonly sip: number };
  /** The echo number, and the trunk and route that lead to it. */
  readonly echoPort?: number;
}

/** `<user>-password` */
export const passwordOf = (user: string): string => `${user}-password`;

export const usersRoute: RouteConfig = {
  name: 'users',
  match: /^(alice|bob|carol)$/,
  fromTrunk: undefined,
  to: { kind: 'users' },
};

/** A trunk of type ip to one host. */
export function ipTrunk(name: string, uri: string, change: Partial<TrunkConfig> = {}): TrunkConfig {
  return {
    name,
    type: 'ip',
    hosts: [{ uri, priority: 10 }],
    auth: undefined,
    from: undefined,
    tls: undefined,
    inbound: { allow: undefined, numbers: undefined },
    media: { codecs: undefined, ptimeMs: undefined },
    ...change,
  };
}

/** What `startGateway` runs with. `engine`: one beside it; undefined: embedded. */
export function testConfig(options: GatewayOptions, engine?: EngineUnderTest): Config {
  const loopback = { address: '127.0.0.1', port: 0 };
  const user = (name: string, displayName: string) => ({
    name,
    password: new Secret(passwordOf(name)),
    displayName,
    callerId: undefined,
    ...options.shown?.[name],
  });
  const echo = options.echoPort;
  const echoTrunk = echo === undefined ? [] : [ipTrunk('echo', `sip:127.0.0.1:${echo};transport=udp`)];
  const echoRoute: RouteConfig[] =
    echo === undefined
      ? []
      : [{ name: 'echo', match: /^600$/, fromTrunk: undefined, to: { kind: 'trunks', trunks: ['echo'] } }];
  return {
    file: undefined,
    listen: {
      http: { ...loopback, port: options.ports?.http ?? 0 },
      https: undefined,
      admin: { ...loopback, token: undefined },
    },
    websocket: {
      maxMessageBytes: 65_536,
      origins: ['*'],
      keepaliveMs: 25_000,
      resumeGraceMs: 30_000,
      perMessageDeflate: false,
      ...options.websocket,
    },
    domains: [
      ...Object.entries(options.pbxDomains ?? {}).map(([name, pbxTrunk]) => ({
        name,
        pbxTrunk,
        pbxTakesPath: options.pbxTakesPath,
        users: [],
        htdigest: undefined,
      })),
      {
        name: 'localhost',
        usesTokens: options.jwt !== undefined,
        users: [user('alice', 'Alice'), user('bob', 'Bob'), user('carol', 'Carol')],
        htdigest: undefined,
      },
    ],
    jwt: options.jwt,
    sip: engine === undefined ? embedded(options) : beside(engine, options.journal),
    media: {
      ...mediaOf(options),
      browserToBrowser: options.browserToBrowser ?? 'direct',
      ...(options.mediaTimeoutMs === undefined ? {} : { timeoutMs: options.mediaTimeoutMs }),
    },
    ice: {
      servers: options.iceServers ?? [],
      filterPrivateCandidates: options.filterPrivateCandidates ?? false,
    },
    trunks: [...(options.trunks ?? []), ...echoTrunk],
    routing: options.routing,
    routes: options.routes ?? [usersRoute, ...echoRoute],
    limits: {
      connectionsPerIp: 1_000,
      messagesPerSecond: 500,
      registerFailuresPerMinute: 100,
      callsPerEndpoint: 8,
      ...options.limits,
    },
    cdr: {
      file: options.cdrFile === undefined ? undefined : { path: options.cdrFile, maxBytes: 0, keep: 1 },
      webhook: undefined,
      ...options.cdr,
    },
    drain: { noticeMs: 0, limitMs: 60_000 },
    store: options.store === undefined ? undefined : new Secret(options.store),
    log: { level: 'debug', format: 'json' },
    echoPhone: echo === undefined ? undefined : { number: '600', address: '127.0.0.1', port: echo },
  };
}

function embedded({
  strangers = 'silence',
  tls,
  nameServers,
  externalAddress,
  ports,
}: GatewayOptions): SipConfig {
  const loopback = { address: '127.0.0.1', port: 0 };
  const at = { ...loopback, port: ports?.sip ?? 0 };
  const listen = [
    { transport: 'udp' as const, ...at },
    { transport: 'tcp' as const, ...at },
  ];
  return {
    engine: 'embedded',
    listen: tls === undefined ? listen : [...listen, { transport: 'tls', ...loopback }],
    externalAddress,
    tls,
    nameServers,
    strangers,
  };
}

function beside({ host, controlPort, secret }: EngineUnderTest, journal: string | undefined): SipConfig {
  return { engine: 'drachtio', host, port: controlPort, secret: new Secret(secret), tls: undefined, journal };
}

const readyWithinMs = 10_000;
function mediaOf({
  media,
  mediaPorts,
  mediaBrowserPort,
  mediaProcesses = 0,
}: GatewayOptions): MediaEngineConfig {
  if (typeof media === 'object') return media;
  if (media === 'passthrough') return { engine: 'passthrough' };
  return {
    engine: 'relay',
    address: '127.0.0.1',
    ports: mediaPorts ?? { min: 21_000, max: 21_999 },
    browserPort: mediaBrowserPort,
    processes: mediaProcesses,
  };
}

const noPages: PageHandler = (_request, response) => void response.writeHead(404).end();

/** Starts a gateway; the test closes it. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const lines: Record<string, unknown>[] = [];
  const log = createLogger({
    level: 'debug',
    format: 'json',
    output: { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const metrics = new Metrics();
  const chosen =
    chosenEngine() === 'drachtio' && options.engine === undefined ? await openEngine() : undefined;
  const engine = options.engine ?? chosen;
  const config = testConfig(options, engine);
  const events = createEvents(log, metrics);
  const app = await App.start(config, { log, events, pages: options.pages ?? noPages });
  const pageUrl = app.addresses.pages[0] ?? '';
  const own = app.addresses.sip.find((address) => address.startsWith('udp:'))?.slice('udp:'.length);
  const untilMs = Date.now() + readyWithinMs;
  while (!app.ready && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 5));
  return {
    app,
    metrics,
    pageUrl,
    wsUrl: `${pageUrl.replace('http:', 'ws:')}/ws`,
    sipAddress: own ?? `127.0.0.1:${engine?.ports.udp ?? 0}`,
    lines,
    close: async () => {
      await app.close();
      await chosen?.close();
    },
  };
}
