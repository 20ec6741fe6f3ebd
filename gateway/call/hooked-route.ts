import type { RoutingAnswer, RoutingQuestion } from '../routing/routing-hook.js';
import type { RouteDestination, RouteMatch, RouteQuestion } from './route.js';

/** What a routing hook is asked about a call. */
export function askedOf(
  { dialled, source, caller, domain, atMs }: RouteQuestion,
  requestUri: string,
): RoutingQuestion {
  return {
    dialled: dialled.user,
    requestUri,
    from: source.side === 'trunk' ? 'trunk' : 'user',
    caller,
    ...(source.side === 'trunk' ? { trunk: source.trunk } : {}),
    ...(domain === undefined ? {} : { domain }),
    at: new Date(atMs).toISOString(),
  };
}

/** Takes any number: the hook has looked at it. */
const anything = { source: 'routing hook', exec: (text: string) => [text] };

/** What a hook answered, as if a route had taken the call. */
export function answeredMatch({ to, number, name = 'hook' }: RoutingAnswer, dialled: string): RouteMatch {
  const rule = { name, match: anything, fromTrunk: undefined, to: destinationOf(to) };
  return { rule, number: number ?? dialled };
}

function destinationOf(to: RoutingAnswer['to']): RouteDestination {
  if (to === 'users') return { kind: 'users' };
  if ('reject' in to) return { kind: 'reject', status: to.reject };
  return 'user' in to ? { kind: 'user', user: to.user } : { kind: 'trunks', trunks: to.trunks };
}
