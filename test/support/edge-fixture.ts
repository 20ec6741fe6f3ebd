import { DigestAuth } from '../../gateway/auth/digest-auth.js';
import { MemoryCredentialStore } from '../../gateway/auth/credential-store.js';
import { createEdge, defaultEdgeLimits, type Edge, type EdgeOptions } from '../../gateway/edge/edge.js';
import type { EndpointHooks } from '../../gateway/endpoint/endpoint.js';
import { EndpointTable } from '../../gateway/endpoint/endpoint-table.js';
import type { EdgeLimits } from '../../gateway/edge/edge.js';
import { MemoryLocation } from '../../gateway/location/memory-location.js';
import { Registrar } from '../../gateway/registrar/registrar.js';
import type { EdgeEvents } from '../../gateway/telemetry/edge-events.js';
import { systemClock } from '../../sip/clock.js';
import { failure } from '../../sip/failure.js';
import type { Log } from '../../sip/log.js';
import { WsSipClient, type ClientIdentity } from './ws-sip-client.js';

type EventName = keyof EdgeEvents;
type EventOf<N extends EventName> = Parameters<EdgeEvents[N]>[0];

/** Keeps the events of the browser side for a test to look at. */
export class RecordedEvents {
  readonly all: { name: EventName; event: object }[] = [];
  readonly sink: EdgeEvents;
  #waiting: (() => void)[] = [];

  constructor() {
    const record =
      (name: EventName) =>
      (event: object): void => {
        this.all.push({ name, event });
        for (const wake of this.#waiting.splice(0)) wake();
      };
    this.sink = {
      flowOpened: record('flowOpened'),
      flowClosed: record('flowClosed'),
      upgradeRefused: record('upgradeRefused'),
      connectionCut: record('connectionCut'),
      pageRefused: record('pageRefused'),
      messageRefused: record('messageRefused'),
      messageDropped: record('messageDropped'),
      challenged: record('challenged'),
      registered: record('registered'),
      unregistered: record('unregistered'),
      registrationRefused: record('registrationRefused'),
      keysFetched: record('keysFetched'),
      endpointResumed: record('endpointResumed'),
      endpointLost: record('endpointLost'),
    };
  }

  of<N extends EventName>(name: N): EventOf<N>[] {
    return this.all.filter((entry) => entry.name === name).map(({ event }) => event as EventOf<N>);
  }

  /** Resolves when `count` events of the name have come. */
  async seen<N extends EventName>(name: N, count = 1): Promise<EventOf<N>[]> {
    while (this.of(name).length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.of(name);
  }
}

/** A log that keeps what is an error, so that a test can say there was none. */
export class RecordedLog implements Log {
  readonly errors: { fields: object; message: string }[] = [];
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(fields: object, message: string): void {
    this.errors.push({ fields, message });
  }
}

export interface EdgeFixtureOptions extends Partial<
  Pick<
    EdgeOptions,
    'origins' | 'keepaliveMs' | 'anonymousOptions' | 'perMessageDeflate' | 'listen' | 'tokens' | 'proxies'
  >
> {
  readonly limits?: Partial<EdgeLimits>;
  readonly graceMs?: number;
  readonly nonceLifetimeMs?: number;
  readonly hooks?: Partial<EndpointHooks>;
  /** Users beside alice and bob. */
  readonly users?: readonly { user: string; password: string }[];
}

export interface EdgeFixture {
  readonly edge: Edge;
  readonly endpoints: EndpointTable;
  readonly location: MemoryLocation;
  readonly events: RecordedEvents;
  readonly log: RecordedLog;
  /** What the edge started with. */
  readonly limits: EdgeLimits;
  /** `ws://127.0.0.1:port/ws` */
  readonly url: string;
  connect(identity?: Partial<ClientIdentity>): Promise<WsSipClient>;
  sizes(): Record<string, number>;
  close(): Promise<void>;
}

const users = [
  { user: 'alice', password: 'wonderland' },
  { user: 'bob', password: 'builder' },
];

const defaults: Required<Omit<EdgeFixtureOptions, 'tokens' | 'proxies'>> = {
  listen: [{ address: '127.0.0.1', port: 0 }],
  origins: [],
  perMessageDeflate: false,
  keepaliveMs: 25_000,
  anonymousOptions: true,
  limits: {},
  graceMs: 30_000,
  nonceLifetimeMs: 300_000,
  hooks: {},
  users: [],
};

const refusingHooks: EndpointHooks = {
  incomingCall: (_endpoint, { leg }) => leg.reject(failure('route.no_match')),
  request: (_endpoint, request) => request.respond(200),
};

/** The whole browser side on 127.0.0.1, with the users alice and bob of the domain `localhost`. */
export async function startEdgeFixture(options: EdgeFixtureOptions = {}): Promise<EdgeFixture> {
  const clock = systemClock;
  const events = new RecordedEvents();
  const log = new RecordedLog();
  const { tokens, ...others } = options;
  const settings = { ...defaults, ...others };
  const location = new MemoryLocation({
    clock,
    expired: (binding) => events.sink.unregistered({ ...binding, cause: 'expired' }),
  });
  const endpoints = new EndpointTable({
    graceMs: settings.graceMs,
    clock,
    log,
    location,
    events: events.sink,
    hooks: { ...refusingHooks, ...settings.hooks },
  });
  const limits = {
    minExpiresSeconds: 60,
    maxExpiresSeconds: 3_600,
    defaultExpiresSeconds: 600,
    maxBindingsPerAor: 10,
  };
  const registrar = new Registrar({ location, clock, events: events.sink, limits, flowTimerSeconds: 50 });
  const store = new MemoryCredentialStore();
  for (const user of [...users, ...settings.users]) store.addUser({ ...user, domain: 'localhost' });
  const edgeLimits = { ...defaultEdgeLimits, ...settings.limits };
  const edge = await createEdge({
    ...settings,
    ...(tokens === undefined ? {} : { tokens }),
    pages: (_request, response) => response.end('page'),
    limits: edgeLimits,
    domains: ['localhost'],
    auth: new DigestAuth({ store, clock, nonceLifetimeMs: settings.nonceLifetimeMs }),
    registrar,
    endpoints,
    events: events.sink,
    clock,
    log,
  });
  const { port = 0, secure = false } = edge.servers[0] ?? {};
  const url = `${secure ? 'wss' : 'ws'}://127.0.0.1:${port}/ws`;
  return {
    edge,
    endpoints,
    location,
    events,
    log,
    limits: edgeLimits,
    url,
    connect: (identity) => WsSipClient.connect(url, { user: 'alice', password: 'wonderland', ...identity }),
    sizes: () => ({ ...edge.sizes(), ...endpoints.sizes(), bindings: location.size }),
    async close() {
      await edge.close();
      endpoints.close();
      location.close();
    },
  };
}
