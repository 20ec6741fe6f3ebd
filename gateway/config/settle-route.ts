import type { RouteConfig, RouteTimes } from './config.js';
import { compilePattern, type Pattern } from './pattern.js';
import { parseDays, parseHours } from './route-times.js';
import type { ConfigFile } from './schema.js';

type WrittenRoute = ConfigFile['routes'][number];

/** Turns one of `routes:` into what routing reads. */
export function settleRoute(route: WrittenRoute): RouteConfig {
  const { name, match, from_trunk: fromTrunk, domain, caller, when, emergency, rewrite, to } = route;
  return {
    name,
    match: patternOf(match),
    fromTrunk,
    domain: domain?.toLowerCase(),
    caller: caller === undefined ? undefined : patternOf(caller),
    when: when === undefined ? undefined : settleTimes(when),
    emergency,
    rewrite,
    to: settleTarget(to),
  };
}

function settleTarget(to: WrittenRoute['to']): RouteConfig['to'] {
  if (to === 'users') return { kind: 'users' };
  if ('reject' in to) return { kind: 'reject', status: to.reject };
  return 'user' in to ? { kind: 'user', user: to.user } : { kind: 'trunks', trunks: to.trunks };
}

function settleTimes({ timezone, days, dates, hours }: NonNullable<WrittenRoute['when']>): RouteTimes {
  const spans = typeof hours === 'string' ? [hours] : hours;
  return {
    timezone,
    days: days?.flatMap((text) => parseDays(text) ?? []),
    dates,
    hours: spans?.flatMap((text) => parseHours(text) ?? []),
  };
}

/** The schema has compiled the same text already. */
function patternOf(source: string): Pattern {
  const pattern = compilePattern(source);
  if (pattern === undefined) throw new TypeError('the schema let a pattern pass that cannot be compiled');
  return pattern;
}
