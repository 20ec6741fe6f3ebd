import type { Log } from '../../sip/log.js';
import type { Metrics } from './metrics.js';

/** The events of routing, each logged as one line and counted once. */
export interface RoutingEvents {
  /** The routing hook gave no answer that can be used: the routes decide, or the call is refused. */
  routingHookFailed(event: { readonly why: string; readonly fallback: 'routes' | 'reject' }): void;
}

/** The events of routing on a log and counters. */
export function createRoutingEvents(log: Log, metrics: Metrics): RoutingEvents {
  const failed = metrics.enumCounter(
    'routing_hook_failures_total',
    'Calls for which the routing hook gave no answer that could be used',
    'fallback',
    ['routes', 'reject'],
  );
  return {
    routingHookFailed(event) {
      failed.inc(event.fallback);
      const then = event.fallback === 'routes' ? 'the routes decide' : 'the call is refused';
      log.error({ event: 'routing.hook_failed', ...event }, `the routing hook failed, ${then}: ${event.why}`);
    },
  };
}
