import type { Pattern } from '../config/pattern.js';
import { isWithin, type TimeWindow } from '../routing/time-window.js';
import type { CallSource } from './ports.js';

/** What was dialled, read from the Request-URI. */
export interface Dialled {
  /** User part without escapes, or the number of a tel URI. */
  readonly user: string;
  /** User part as it is to be written in a URI. */
  readonly escapedUser: string;
  /** Lower-case; undefined for a tel URI. */
  readonly host: string | undefined;
}

/** Where a rule sends a call. `users`: the dialled user of the caller's domain. */
export type RouteDestination =
  | { readonly kind: 'users' }
  | { readonly kind: 'user'; readonly user: string }
  | { readonly kind: 'trunks'; readonly trunks: readonly string[] }
  | { readonly kind: 'reject'; readonly status: number };

/** One entry of `routes:` in the configuration. A call has to meet every condition that is there. */
export interface RouteRule {
  readonly name: string;
  /** Matched against the dialled user. */
  readonly match: Pattern;
  /** Only calls that came from this trunk. Without it only calls of our own users. */
  readonly fromTrunk: string | undefined;
  /** Only calls of this domain: the caller's own, or the one that a trunk dialled. Lower-case. */
  readonly domain?: string | undefined;
  /** Matched against the calling user or number. */
  readonly caller?: Pattern | undefined;
  readonly when?: TimeWindow | undefined;
  /** Tried before all other rules; no limit applies to the call. */
  readonly emergency?: boolean;
  /** The number that is called instead of the dialled one, with `$1` for what the first group of `match` took. */
  readonly rewrite?: string | undefined;
  readonly to: RouteDestination;
}

/** A call that wants a route: all that the decision depends on. */
export interface RouteQuestion {
  readonly dialled: Dialled;
  readonly source: CallSource;
  /** The calling user, or the number that a trunk says is calling. */
  readonly caller: string;
  readonly domain: string | undefined;
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
}

/** The condition of a rule that a call does not meet. */
export type Mismatch = 'direction' | 'from_trunk' | 'domain' | 'match' | 'caller' | 'when';

/** The rule that takes a call, and what is called by it. */
export interface RouteMatch {
  readonly rule: RouteRule;
  /** The dialled number, rewritten where the rule says so. */
  readonly number: string;
}

/** What the decision made of one rule; rules behind the one that was taken are not looked at. */
export interface RouteStep {
  readonly rule: RouteRule;
  /** Undefined: the rule took the call. */
  readonly mismatch: Mismatch | undefined;
}

/** Longer dialled strings match no rule: no number or user name is as long. */
const maxDialledLength = 128;

/** The rules in the order in which they are tried: emergency routes first. */
export function inOrder(rules: readonly RouteRule[]): readonly RouteRule[] {
  const isUrgent = ({ emergency }: RouteRule): boolean => emergency === true;
  return [...rules.filter(isUrgent), ...rules.filter((rule) => !isUrgent(rule))];
}

/** The first rule that takes the call; `rules` as {@link inOrder} gives them. `traced` hears of every rule that was tried. */
export function matchRoute(
  rules: readonly RouteRule[],
  question: RouteQuestion,
  traced?: (step: RouteStep) => void,
): RouteMatch | undefined {
  if (question.dialled.user.length > maxDialledLength) return undefined;
  for (const rule of rules) {
    const misplaced = misplacedBy(rule, question.source);
    const groups = misplaced === undefined ? rule.match.exec(question.dialled.user) : null;
    const mismatch = misplaced ?? (groups === null ? 'match' : unmetBy(rule, question));
    traced?.({ rule, mismatch });
    if (mismatch === undefined && groups !== null) {
      return { rule, number: rewritten(rule, question.dialled.user, groups) };
    }
  }
  return undefined;
}

/** A call from a trunk never leaves by another trunk unless a rule names that trunk as its source (toll fraud). */
function misplacedBy({ fromTrunk, to }: RouteRule, source: CallSource): Mismatch | undefined {
  if (fromTrunk === undefined) {
    return source.side === 'trunk' && to.kind === 'trunks' ? 'direction' : undefined;
  }
  return source.side === 'trunk' && source.trunk === fromTrunk ? undefined : 'from_trunk';
}

/** The first other condition that the call does not meet. */
function unmetBy(rule: RouteRule, { domain, caller, atMs }: RouteQuestion): Mismatch | undefined {
  if (rule.domain !== undefined && rule.domain !== domain) return 'domain';
  if (rule.caller !== undefined && rule.caller.exec(caller) === null) return 'caller';
  return rule.when === undefined || isWithin(rule.when, atMs) ? undefined : 'when';
}

function rewritten({ rewrite }: RouteRule, dialled: string, groups: readonly (string | undefined)[]): string {
  if (rewrite === undefined) return dialled;
  return rewrite.replace(/\$([0-9])/g, (_, group: string) => groups[Number(group)] ?? '');
}
