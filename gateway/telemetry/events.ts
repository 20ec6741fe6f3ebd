import type { Log } from '../../sip/log.js';
import { createCallEvents } from './call-event-log.js';
import type { CallEvents } from './call-events.js';
import { createEdgeEvents } from './edge-event-log.js';
import type { EdgeEvents } from './edge-events.js';
import { createMediaEvents } from './media-event-log.js';
import type { MediaEvents } from './media-events.js';
import type { Metrics } from './metrics.js';
import { createProcessEvents } from './process-event-log.js';
import type { ProcessEvents } from './process-events.js';
import { createRoutingEvents, type RoutingEvents } from './routing-event-log.js';
import { createStoreEvents } from './store-event-log.js';
import type { StoreEvents } from './store-events.js';
import { createTrunkEvents } from './trunk-event-log.js';
import type { TrunkEvents } from './trunk-events.js';

/** Everything that webtrunk tells its operator: one function per business event (DESIGN §9 rule 8). */
export interface Events
  extends EdgeEvents, CallEvents, MediaEvents, ProcessEvents, RoutingEvents, StoreEvents, TrunkEvents {}

/** Events that write one line each to `log` and move a metric in `metrics`. */
export function createEvents(log: Log, metrics: Metrics): Events {
  return {
    ...createEdgeEvents(log, metrics),
    ...createCallEvents(log, metrics),
    ...createMediaEvents(log, metrics),
    ...createProcessEvents(log, metrics),
    ...createRoutingEvents(log, metrics),
    ...createStoreEvents(log, metrics),
    ...createTrunkEvents(log, metrics),
  };
}
