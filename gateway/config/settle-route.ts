import { dirname, resolve } from 'node:path';
import type { RouteConfig, RouteTimes, RoutingConfig } from './config.js';
import { compilePattern, type Pattern } from './pattern.js';
import { parseDays, parseHours } from './route-times.js';
import type { ConfigFile } from './schema.js';
import { Secret } from './secret.js';
import { parseDurationMs } from './units.js';

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

const usualTimeoutMs = 1_000;

/** The routing hook; the names of modules start at the folder of the configuration file. */
export function settleRouting({ routing }: ConfigFile, file: string): RoutingConfig | undefined {
  if (routing === undefined) return undefined;
  const at = (path: string) => ({ kind: 'module', path: resolve(dirname(file), path) }) as const;
  if (typeof routing === 'string') {
    return { hook: at(routing), timeoutMs: usualTimeoutMs, fallback: 'routes' };
  }
  const { timeout, fallback } = routing;
  const timeoutMs = parseDurationMs(timeout) ?? usualTimeoutMs;
  if ('module' in routing) return { hook: at(routing.module), timeoutMs, fallback };
  const { url, token } = routing;
  const secret = token === undefined ? undefined : new Secret(token);
  return { hook: { kind: 'http', url, token: secret }, timeoutMs, fallback };
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
