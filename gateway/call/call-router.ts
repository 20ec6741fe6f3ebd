import { failure } from '../../sip/failure.js';
import type { IncomingCall } from '../../sip/leg.js';
import type { CallSource, CalleeTarget, RoutePlan, Router, Stage } from './ports.js';
import { matchRoute, type Dialled, type RouteRule } from './route.js';

/** Who calls, as the callee may be told. */
export interface CallerIdentity {
  /** User part as it is to be written in a URI. */
  readonly user: string;
  readonly displayName: string | undefined;
  /** The number that is shown to trunks instead of `user`. */
  readonly callerId: string | undefined;
  /** The calling endpoint; it is not rung itself. */
  readonly endpointId: string | undefined;
}

/** Finds the devices of users. */
export interface UserDirectory {
  /** True for a configured user of a served domain. */
  knows(user: string, domain: string): boolean;
  /** One target per binding; empty when the user has no device online. */
  targets(user: string, domain: string, caller: CallerIdentity): Promise<Stage>;
  /** What the user of this address-of-record shows. */
  identityOf(aor: string): Omit<CallerIdentity, 'endpointId'>;
}

/** Finds the next hops of trunks. */
export interface TrunkDirectory {
  /** Targets of the trunk in the order in which they are to be tried. Throws `trunk.unavailable` when it has none. */
  targets(trunk: string, dialled: Dialled, caller: CallerIdentity): readonly CalleeTarget[];
  /** True when calls from the trunk to this number are wanted (`inbound.numbers`). */
  accepts(trunk: string, dialled: Dialled): boolean;
}

export interface CallRouterOptions {
  readonly rules: readonly RouteRule[];
  readonly domains: readonly string[];
  readonly users: UserDirectory;
  readonly trunks: TrunkDirectory;
  /** Reads a URI; undefined when it has no user part. */
  readDialled(uri: string): Dialled | undefined;
}

/** Decides by the configured routes. Nothing that was dialled is ever resolved as a host name. */
export function createCallRouter(options: CallRouterOptions): Router {
  return {
    async plan(incoming, source) {
      const dialled = options.readDialled(incoming.requestUri);
      if (dialled === undefined)
        throw failure('route.no_match', { detail: 'the dialled URI has no user part' });
      if (source.side === 'trunk' && !options.trunks.accepts(source.trunk, dialled)) {
        throw failure('route.no_match', {
          detail: `${dialled.user} is not in inbound.numbers of ${source.trunk}`,
        });
      }
      const rule = matchRoute(options.rules, dialled, source);
      if (rule === undefined) throw failure('route.no_match', { detail: `no route takes ${dialled.user}` });
      return planFor(rule, dialled, incoming, source, options);
    },
  };
}

async function planFor(
  rule: RouteRule,
  dialled: Dialled,
  incoming: IncomingCall,
  source: CallSource,
  options: CallRouterOptions,
): Promise<RoutePlan> {
  const caller = identify(incoming, source, options);
  if (rule.to.kind === 'trunks') {
    const targets = rule.to.trunks.flatMap((trunk) => options.trunks.targets(trunk, dialled, caller));
    return { route: rule.name, stages: targets.map((target) => [target]) };
  }
  const user = rule.to.kind === 'user' ? rule.to.user : dialled.user;
  const domain = domainFor(dialled, source, options.domains);
  if (domain === undefined || !options.users.knows(user, domain)) throw failure('route.user_unknown');
  const stage = await options.users.targets(user, domain, caller);
  if (stage.length === 0) throw failure('route.user_offline');
  return { route: rule.name, stages: [stage] };
}

/** The domain in which a user is looked up: the dialled one when it is ours, the caller's own, or the first. */
function domainFor(dialled: Dialled, source: CallSource, domains: readonly string[]): string | undefined {
  if (dialled.host !== undefined && domains.includes(dialled.host)) return dialled.host;
  if (source.side === 'trunk') return domains[0];
  return dialled.host === undefined ? source.aor.slice(source.aor.indexOf('@') + 1) : undefined;
}

/** A browser is who it signed in as; a trunk is believed in what it says of its caller. */
function identify(incoming: IncomingCall, source: CallSource, options: CallRouterOptions): CallerIdentity {
  if (source.side === 'browser') {
    return { ...options.users.identityOf(source.aor), endpointId: source.endpointId };
  }
  const user = options.readDialled(incoming.from.uri)?.escapedUser ?? 'anonymous';
  return { user, displayName: incoming.from.displayName, callerId: undefined, endpointId: undefined };
}
