import type { Clock } from '../sip/clock.js';
import type { Log } from '../sip/log.js';
import type { CredentialStore } from './auth/credential-store.js';
import { DigestAuth } from './auth/digest-auth.js';
import type { Config } from './config/config.js';
import { edgeLimitsOf } from './edge-limits.js';
import type { EdgeOptions, TokenOptions } from './edge/edge.js';
import type { PageHandler } from './edge/http-server.js';
import type { EndpointTable } from './endpoint/endpoint-table.js';
import { IceAccess } from './ice-access.js';
import { listeners } from './listen-options.js';
import type { Location } from './location/location.js';
import type { PbxRegistrar } from './pbx-domain/pbx-registrar.js';
import { Registrar } from './registrar/registrar.js';
import type { EdgeEvents } from './telemetry/edge-events.js';

/** What the edge shares with the other parts of the application. */
export interface EdgeSurroundings {
  readonly pages: PageHandler;
  readonly credentials: CredentialStore;
  readonly location: Location;
  readonly endpoints: EndpointTable;
  readonly pbx: PbxRegistrar | undefined;
  readonly tokens: TokenOptions | undefined;
  /** As the configuration is now. */
  ice(): Config['ice'];
  readonly events: EdgeEvents;
  readonly clock: Clock;
  readonly log: Log;
}

const registrationLimits = {
  minExpiresSeconds: 60,
  maxExpiresSeconds: 3_600,
  defaultExpiresSeconds: 600,
  maxBindingsPerAor: 10,
};

/** The browser side's door as the configuration wants it. */
export function edgeOptions(config: Config, around: EdgeSurroundings): EdgeOptions {
  const { websocket } = config;
  const iceAccess = new IceAccess(() => around.ice(), around.clock);
  const { pages, credentials, location, endpoints, pbx, tokens, events, clock, log } = around;
  return {
    listen: listeners(config),
    pages,
    origins: websocket.origins,
    ...(config.listen.proxies === undefined ? {} : { proxies: config.listen.proxies }),
    perMessageDeflate: websocket.perMessageDeflate,
    keepaliveMs: websocket.keepaliveMs,
    limits: edgeLimitsOf(config),
    domains: config.domains.map(({ name }) => name),
    anonymousOptions: true,
    auth: new DigestAuth({ store: credentials, clock }),
    registrar: new Registrar({
      location,
      clock,
      events,
      limits: registrationLimits,
      flowTimerSeconds: Math.ceil((websocket.keepaliveMs * 2) / 1_000),
    }),
    ...(pbx === undefined ? {} : { pbx }),
    ...(tokens === undefined ? {} : { tokens }),
    ticketFor: (aor, untilMs) => iceAccess.ticketFor(aor, untilMs),
    endpoints,
    events,
    clock,
    log,
  };
}
