import { App } from '../../gateway/app.js';
import type { Config, RouteConfig, TrunkConfig } from '../../gateway/config/config.js';
import { Secret } from '../../gateway/config/secret.js';
import type { PageHandler } from '../../gateway/edge/http-server.js';
import { createEvents } from '../../gateway/telemetry/events.js';
import { createLogger } from '../../gateway/telemetry/logger.js';
import { Metrics } from '../../gateway/telemetry/metrics.js';

/** A whole webtrunk in the test's process, on free loopback ports. */
export interface Gateway {
  readonly app: App;
  readonly metrics: Metrics;
  /** `ws://127.0.0.1:port/ws` */
  readonly wsUrl: string;
  /** `http://127.0.0.1:port` */
  readonly pageUrl: string;
  /** Where the embedded engine takes SIP over UDP, `127.0.0.1:port`. */
  readonly sipAddress: string;
  /** Every log line so far, parsed. */
  readonly lines: readonly Record<string, unknown>[];
  close(): Promise<void>;
}

/** What differs from the defaults: alice and bob of `localhost`, relay, no trunk, users by name. */
export interface GatewayOptions {
  readonly trunks?: readonly TrunkConfig[];
  readonly routes?: readonly RouteConfig[];
  readonly limits?: Partial<Config['limits']>;
  readonly strangers?: 'silence' | 'refuse';
  readonly websocket?: Partial<Config['websocket']>;
  readonly cdrFile?: string;
  readonly pages?: PageHandler;
  readonly mediaPorts?: { readonly min: number; readonly max: number };
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
    inbound: { allow: undefined, numbers: undefined },
    media: { codecs: undefined, ptimeMs: undefined },
    ...change,
  };
}

export function testConfig(options: GatewayOptions): Config {
  const loopback = { address: '127.0.0.1', port: 0 };
  const user = (name: string, displayName: string) => ({
    name,
    password: new Secret(passwordOf(name)),
    displayName,
    callerId: undefined,
  });
  const echo = options.echoPort;
  const echoTrunk = echo === undefined ? [] : [ipTrunk('echo', `sip:127.0.0.1:${echo};transport=udp`)];
  const echoRoute: RouteConfig[] =
    echo === undefined
      ? []
      : [{ name: 'echo', match: /^600$/, fromTrunk: undefined, to: { kind: 'trunks', trunks: ['echo'] } }];
  return {
    file: undefined,
    listen: { http: loopback, https: undefined, admin: { ...loopback, token: undefined } },
    websocket: {
      maxMessageBytes: 65_536,
      origins: ['*'],
      keepaliveMs: 25_000,
      resumeGraceMs: 30_000,
      perMessageDeflate: false,
      ...options.websocket,
    },
    domains: [
      {
        name: 'localhost',
        users: [user('alice', 'Alice'), user('bob', 'Bob'), user('carol', 'Carol')],
        htdigest: undefined,
      },
    ],
    sip: {
      engine: 'embedded',
      listen: [
        { transport: 'udp', ...loopback },
        { transport: 'tcp', ...loopback },
      ],
      externalAddress: undefined,
      strangers: options.strangers ?? 'silence',
    },
    media: {
      engine: 'relay',
      address: '127.0.0.1',
      ports: options.mediaPorts ?? { min: 21_000, max: 21_999 },
    },
    ice: { servers: [] },
    trunks: [...(options.trunks ?? []), ...echoTrunk],
    routes: options.routes ?? [usersRoute, ...echoRoute],
    limits: {
      connectionsPerIp: 1_000,
      messagesPerSecond: 500,
      registerFailuresPerMinute: 100,
      callsPerEndpoint: 8,
      ...options.limits,
    },
    cdr: { file: options.cdrFile },
    log: { level: 'debug', format: 'json' },
    echoPhone: echo === undefined ? undefined : { number: '600', address: '127.0.0.1', port: echo },
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
  const config = testConfig(options);
  const events = createEvents(log, metrics);
  const app = await App.start(config, { log, events, pages: options.pages ?? noPages });
  const pageUrl = app.addresses.pages[0] ?? '';
  const sip = app.addresses.sip.find((address) => address.startsWith('udp:')) ?? '';
  return {
    app,
    metrics,
    pageUrl,
    wsUrl: `${pageUrl.replace('http:', 'ws:')}/ws`,
    sipAddress: sip.slice('udp:'.length),
    lines,
    close: () => app.close(),
  };
}
