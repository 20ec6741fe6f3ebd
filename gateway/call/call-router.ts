import { failure, SipFailure, toFailure } from '../../sip/failure.js';
import type { IncomingCall } from '../../sip/leg.js';
import type { CallSource, CalleeTarget, RoutePlan, Router, Stage } from './ports.js';
import { redialled } from './dialled.js';
import {
  inOrder,
  matchRoute,
  type Dialled,
  type RouteMatch,
  type RouteQuestion,
  type RouteRule,
  type RouteStep,
} from './route.js';

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
  /** The reason phrase of a status. */
  reasonOf(status: number): string;
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
}

/** What the routes make of a call, told step by step. */
export interface ExplainedPlan {
  readonly question: RouteQuestion;
  readonly steps: readonly RouteStep[];
  /** The plan, or why there is none. */
  readonly plan: RoutePlan | SipFailure;
}

/** A router that can say why it decides as it does. */
export interface CallRouter extends Router {
  /** Decides as `plan` does, at `atMs`. Throws a SipFailure when the call does not get as far as the routes. */
  explain(incoming: IncomingCall, source: CallSource, atMs: number): Promise<ExplainedPlan>;
}

/** Decides by the configured routes. Nothing that was dialled is ever resolved as a host name. */
export function createCallRouter(options: CallRouterOptions): CallRouter {
  const rules = inOrder(options.rules);
  const urgent = rules.filter(({ emergency }) => emergency === true);
  return {
    isEmergency(incoming, source) {
      if (urgent.length === 0) return false;
      const question = questionOf(incoming, source, options.nowMs(), options);
      return !(question instanceof SipFailure) && matchRoute(urgent, question) !== undefined;
    },
    async plan(incoming, source) {
      const question = asked(questionOf(incoming, source, options.nowMs(), options));
      return planFor(matchRoute(rules, question), question, incoming, options);
    },
    async explain(incoming, source, atMs) {
      const question = asked(questionOf(incoming, source, atMs, options));
      const steps: RouteStep[] = [];
      const match = matchRoute(rules, question, (step) => steps.push(step));
      const plan = await planFor(match, question, incoming, options).catch(toFailure);
      return { question, steps, plan };
    },
  };
}

function asked(question: RouteQuestion | SipFailure): RouteQuestion {
  if (question instanceof SipFailure) throw question;
  return question;
}

/** Reads what the routes decide by; a failure when nothing was dialled that could be routed. */
function questionOf(
  incoming: IncomingCall,
  source: CallSource,
  atMs: number,
  options: CallRouterOptions,
): RouteQuestion | SipFailure {
  const dialled = options.readDialled(incoming.requestUri);
  if (dialled === undefined) return failure('route.no_match', { detail: 'the dialled URI has no user part' });
  if (source.side === 'trunk' && !options.trunks.accepts(source.trunk, dialled)) {
    return failure('route.no_match', {
      detail: `${dialled.user} is not in inbound.numbers of ${source.trunk}`,
    });
  }
  return { dialled, source, ...callerOf(incoming, source, dialled, options), atMs };
}

/** Who calls and for which domain, as conditions of routes see it. */
function callerOf(
  incoming: IncomingCall,
  source: CallSource,
  dialled: Dialled,
  options: CallRouterOptions,
): Pick<RouteQuestion, 'caller' | 'domain'> {
  if (source.side === 'browser') {
    const at = source.aor.lastIndexOf('@');
    return { caller: source.aor.slice(source.aor.indexOf(':') + 1, at), domain: source.aor.slice(at + 1) };
  }
  return {
    caller: options.readDialled(incoming.from.uri)?.user ?? '',
    domain: domainFor(dialled, source, options.domains),
  };
}

async function planFor(
  match: RouteMatch | undefined,
  { dialled, source }: RouteQuestion,
  incoming: IncomingCall,
  options: CallRouterOptions,
): Promise<RoutePlan> {
  if (match === undefined) throw failure('route.no_match', { detail: `no route takes ${dialled.user}` });
  const { rule, number } = match;
  if (rule.to.kind === 'reject') {
    const { status } = rule.to;
    const reason = options.reasonOf(status);
    throw failure('route.rejected', { status, reason, detail: `route ${rule.name} rejects ${dialled.user}` });
  }
  const caller = identify(incoming, source, options);
  const called = redialled(dialled, number);
  const emergency = rule.emergency === true;
  if (rule.to.kind === 'trunks') {
    const targets = rule.to.trunks.flatMap((trunk) => options.trunks.targets(trunk, called, caller));
    return { route: rule.name, emergency, stages: targets.map((target) => [target]) };
  }
  const user = rule.to.kind === 'user' ? rule.to.user : called.user;
  const domain = domainFor(called, source, options.domains);
  if (domain === undefined || !options.users.knows(user, domain)) throw failure('route.user_unknown');
  const stage = await options.users.targets(user, domain, caller);
  if (stage.length === 0) throw failure('route.user_offline');
  return { route: rule.name, emergency, stages: [stage] };
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
