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
  | { readonly kind: 'trunks'; readonly trunks: readonly string[] };

/** One entry of `routes:` in the configuration. */
export interface RouteRule {
  readonly name: string;
  /** Matched against the dialled user. */
  readonly match: RegExp;
  /** Only calls that came from this trunk. Without it only calls of our own users. */
  readonly fromTrunk: string | undefined;
  readonly to: RouteDestination;
}

/** Longer dialled strings match no rule: no number or user name is as long, and a match costs time. */
const maxDialledLength = 128;

/** The first rule that takes what was dialled. Rules without `fromTrunk` are for browsers only, unless they lead to users. */
export function matchRoute(
  rules: readonly RouteRule[],
  dialled: Dialled,
  source: CallSource,
): RouteRule | undefined {
  if (dialled.user.length > maxDialledLength) return undefined;
  return rules.find((rule) => isMeantFor(rule, source) && rule.match.test(dialled.user));
}

/** A call from a trunk never leaves by another trunk unless a rule names that trunk as its source (toll fraud). */
function isMeantFor(rule: RouteRule, source: CallSource): boolean {
  if (rule.fromTrunk !== undefined) return source.side === 'trunk' && source.trunk === rule.fromTrunk;
  return source.side === 'browser' || rule.to.kind !== 'trunks';
}
