import { failure, SipFailure, toFailure } from '../../sip/failure.js';
import type { Party } from '../../sip/leg.js';
import type { RoutingDecider } from '../routing/routing-decider.js';
import { askedOf, answeredMatch } from './hooked-route.js';
import { offeredHeaders, type HeaderRule, type OfferedHeaders } from '../routing/header-rule.js';
import { identify, type BelievedTrunks, type CallerIdentity, type UserIdentity } from './identity.js';
import type { CallSource, CalleeTarget, RoutableCall, RoutePlan, Router, Stage } from './ports.js';
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

/** Finds the devices of users. */
export interface UserDirectory {
  /** True for a configured user of a served domain. */
  knows(user: string, domain: string): boolean;
  /** One target per binding; empty when the user has no device online. */
  targets(user: string, domain: string, caller: CallerIdentity): Promise<Stage>;
  /** What the user of this address-of-record shows. */
  identityOf(aor: string): UserIdentity;
}

/** Finds the next hops of trunks, and knows what is believed of them. */
export interface TrunkDirectory extends BelievedTrunks {
  readonly names: readonly string[];
  /** Targets of the trunk in the order in which they are to be tried. Throws `trunk.unavailable` when it has none. */
  targets(
    trunk: string,
    dialled: Dialled,
    caller: CallerIdentity,
    extras: { readonly offered: OfferedHeaders; readonly emergency: boolean },
  ): readonly CalleeTarget[];
  /** True when calls from the trunk to this number are wanted (`inbound.numbers`). */
  accepts(trunk: string, dialled: Dialled): boolean;
  /** Which header fields of the trunk cross. */
  headersOf(trunk: string): HeaderRule | undefined;
}

export interface CallRouterOptions {
  readonly rules: readonly RouteRule[];
  readonly domains: readonly string[];
  readonly users: UserDirectory;
  readonly trunks: TrunkDirectory;
  /** Reads a URI; undefined when it has no user part. */
  readDialled(uri: string): Dialled | undefined;
  /** Reads the values of a header that names parties; those that cannot be read are left out. */
  readParties(values: readonly string[]): readonly Party[];
  /** Asked before the routes; undefined: nobody is. */
  readonly decider?: Pick<RoutingDecider, 'decide'> | undefined;
  /** The reason phrase of a status. */
  reasonOf(status: number): string;
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
}

/** What the routes make of a call, told step by step. */
export interface ExplainedPlan {
  readonly question: RouteQuestion;
  readonly caller: CallerIdentity;
  /** What decides beside the routes. */
  readonly notes?: readonly string[];
  readonly steps: readonly RouteStep[];
  /** The plan, or why there is none. */
  readonly plan: RoutePlan | SipFailure;
}

/** A router that can say why it decides as it does. */
export interface CallRouter extends Router {
  /** Decides as `plan` does, at `atMs`. Throws a SipFailure when the call does not get as far as the routes. */
  explain(incoming: RoutableCall, source: CallSource, atMs: number): Promise<ExplainedPlan>;
}

/** Decides by the configured routes. Nothing that was dialled is ever resolved as a host name. */
export function createCallRouter(options: CallRouterOptions): CallRouter {
  const rules = inOrder(options.rules);
  const urgent = rules.filter(({ emergency }) => emergency === true);
  const usual = rules.filter(({ emergency }) => emergency !== true);
  /** Nobody is asked about an emergency. */
  const decide = async (
    question: RouteQuestion,
    requestUri: string,
    trace?: (step: RouteStep) => void,
  ): Promise<RouteMatch | undefined> => {
    const { decider } = options;
    if (decider === undefined) return matchRoute(rules, question, trace);
    const first = matchRoute(urgent, question, trace);
    if (first !== undefined) return first;
    const answer = await decider.decide(askedOf(question, requestUri), options.trunks.names);
    if (answer === undefined) return matchRoute(usual, question, trace);
    const match = answeredMatch(answer, question.dialled.user);
    trace?.({ rule: match.rule, mismatch: undefined });
    return match;
  };
  return {
    isEmergency(incoming, source) {
      if (urgent.length === 0) return false;
      const call = readCall(incoming, source, options.nowMs(), options);
      return !(call instanceof SipFailure) && matchRoute(urgent, call.question) !== undefined;
    },
    async plan(incoming, source) {
      const call = wellRead(readCall(incoming, source, options.nowMs(), options));
      const match = await decide(call.question, incoming.requestUri);
      return planFor(match, call, incoming, options);
    },
    async explain(incoming, source, atMs) {
      const call = wellRead(readCall(incoming, source, atMs, options));
      const steps: RouteStep[] = [];
      const trace = (step: RouteStep): void => void steps.push(step);
      const plan = await decide(call.question, incoming.requestUri, trace)
        .then((match) => planFor(match, call, incoming, options))
        .catch(toFailure);
      return { ...call, steps, plan };
    },
  };
}

function wellRead(call: ReadCall | SipFailure): ReadCall {
  if (call instanceof SipFailure) throw call;
  return call;
}

/** A call that has been read: what the routes decide by, and who calls. */
interface ReadCall {
  readonly question: RouteQuestion;
  readonly caller: CallerIdentity;
}

/** Reads a call; a failure when nothing was dialled that could be routed. */
function readCall(
  incoming: RoutableCall,
  source: CallSource,
  atMs: number,
  options: CallRouterOptions,
): ReadCall | SipFailure {
  const written = options.readDialled(incoming.requestUri);
  if (written === undefined) return failure('route.no_match', { detail: 'the dialled URI has no user part' });
  const dialled =
    source.side === 'browser'
      ? written
      : redialled(written, options.trunks.received(source.trunk, written.user));
  if (source.side === 'trunk' && !options.trunks.accepts(source.trunk, dialled)) {
    return failure('route.no_match', {
      detail: `${dialled.user} is not in inbound.numbers of ${source.trunk}`,
    });
  }
  const caller = identify(incoming, source, options);
  const domain =
    source.side === 'browser' ? domainOf(source.aor) : domainFor(dialled, source, options.domains);
  return { question: { dialled, source, caller: caller.user, domain, atMs }, caller };
}

const domainOf = (aor: string): string => aor.slice(aor.lastIndexOf('@') + 1);

async function planFor(
  match: RouteMatch | undefined,
  { question: { dialled, source }, caller }: ReadCall,
  incoming: RoutableCall,
  options: CallRouterOptions,
): Promise<RoutePlan> {
  if (match === undefined) throw failure('route.no_match', { detail: `no route takes ${dialled.user}` });
  const { rule, number } = match;
  if (rule.to.kind === 'reject') {
    const { status } = rule.to;
    const reason = options.reasonOf(status);
    throw failure('route.rejected', { status, reason, detail: `route ${rule.name} rejects ${dialled.user}` });
  }
  const called = redialled(dialled, number);
  const emergency = rule.emergency === true;
  const from = source.side === 'trunk' ? options.trunks.headersOf(source.trunk) : undefined;
  const offered = offeredHeaders(incoming.headers, source.side, from);
  if (rule.to.kind === 'trunks') {
    const extras = { offered, emergency };
    const targets = rule.to.trunks.flatMap((trunk) => options.trunks.targets(trunk, called, caller, extras));
    return { route: rule.name, emergency, stages: targets.map((target) => [target]) };
  }
  const user = rule.to.kind === 'user' ? rule.to.user : called.user;
  const domain = domainFor(called, source, options.domains);
  if (domain === undefined || !options.users.knows(user, domain)) throw failure('route.user_unknown');
  const stage = await options.users.targets(user, domain, caller);
  if (stage.length === 0) throw failure('route.user_offline');
  const passed = offered.forBrowser();
  const targets = stage.map((target) => ({ ...target, headers: [...target.headers, ...passed] }));
  return { route: rule.name, emergency, stages: [targets] };
}

/** The domain in which a user is looked up: the dialled one when it is ours, the caller's own, or the first. */
function domainFor(dialled: Dialled, source: CallSource, domains: readonly string[]): string | undefined {
  if (dialled.host !== undefined && domains.includes(dialled.host)) return dialled.host;
  if (source.side === 'trunk') return domains[0];
  return dialled.host === undefined ? source.aor.slice(source.aor.indexOf('@') + 1) : undefined;
}
