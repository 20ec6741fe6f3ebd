import type { Clock } from '../sip/clock.js';
import type { Party } from '../sip/leg.js';
import { parseNameAddrList, parseUri, reasonPhrase, serializeUri } from '../sip/message/index.js';
import type { MemoryCredentialStore } from './auth/credential-store.js';
import { createCallRouter, type CallRouter } from './call/call-router.js';
import { dialledOf } from './call/dialled.js';
import { createUserDirectory, type EndpointFinder } from './call/user-directory.js';
import type { Config } from './config/config.js';
import type { Location } from './location/location.js';
import { openDecider, type RoutingDecider } from './routing/routing-decider.js';
import type { RoutingEvents } from './telemetry/routing-event-log.js';
import type { TrunkTable } from './trunk/trunk-table.js';

/** What a router looks things up in. */
export interface RouterSurroundings {
  readonly trunks: TrunkTable;
  readonly credentials: MemoryCredentialStore;
  readonly location: Pick<Location, 'find'>;
  readonly endpoints: EndpointFinder;
  readonly clock: Clock;
  /** The routing hook; undefined: the routes decide alone. */
  readonly decider: RoutingDecider | undefined;
}

/** The router of a configuration. */
export function createRouter({ domains, routes }: Config, around: RouterSurroundings): CallRouter {
  const { trunks, credentials, location, endpoints, clock, decider } = around;
  const users = domains.flatMap(({ name, users: listed }) =>
    listed.map((user) => ({ ...user, user: user.name, domain: name })),
  );
  // Whom tokens may name we do not know: there everybody may be.
  const tokenDomains = new Set(
    domains.filter(({ usesTokens }) => usesTokens === true).map(({ name }) => name),
  );
  return createCallRouter({
    rules: routes,
    domains: domains.filter(({ pbxTrunk }) => pbxTrunk === undefined).map(({ name }) => name),
    users: createUserDirectory({
      users,
      hasCredential: (user, domain) =>
        tokenDomains.has(domain) || credentials.find(user, domain) !== undefined,
      location,
      endpoints,
    }),
    trunks,
    decider,
    readDialled: (uri) => dialledOf(parseUri(uri)),
    readParties: partiesIn,
    reasonOf: reasonPhrase,
    nowMs: () => clock.nowMs(),
  });
}

/** Loads the routing hook of a configuration; undefined when it has none. Rejects when a module cannot be loaded. */
export async function createDecider(
  { routing }: Config,
  events: RoutingEvents,
  clock: Clock,
): Promise<RoutingDecider | undefined> {
  if (routing === undefined) return undefined;
  return openDecider({
    routing,
    failed: (why, fallback) => events.routingHookFailed({ why, fallback }),
    clock,
  });
}

/** The values of a header such as P-Asserted-Identity; those that cannot be read are left out. */
function partiesIn(values: readonly string[]): readonly Party[] {
  return (parseNameAddrList(values) ?? []).map(({ uri, displayName }) =>
    displayName === undefined ? { uri: serializeUri(uri) } : { uri: serializeUri(uri), displayName },
  );
}
