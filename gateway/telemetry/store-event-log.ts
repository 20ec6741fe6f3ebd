import type { Log } from '../../sip/log.js';
import type { Metrics } from './metrics.js';
import type { StoreEvents } from './store-events.js';

function storeCounters(metrics: Metrics) {
  return {
    up: metrics.gauge('store_up', '1 while the shared store answers'),
    losses: metrics.counter('store_losses_total', 'Times that the shared store stopped answering'),
    unusable: metrics.counter(
      'store_records_unusable_total',
      'Records of the shared store that cannot be used',
    ),
    takenOver: metrics.counter('calls_taken_over_total', 'Calls of earlier processes that went on here'),
    notTakenOver: metrics.counter(
      'calls_not_taken_over_total',
      'Calls of earlier processes that could not go on',
    ),
  };
}

/** The events of the shared store on a log and counters. */
export function createStoreEvents(log: Log, metrics: Metrics): StoreEvents {
  const count = storeCounters(metrics);
  return {
    storeUp(event) {
      count.up.set(1);
      log.info(
        { event: 'store.up', ...event },
        `the shared store answers; records to write: ${event.waiting}`,
      );
    },
    storeDown(event) {
      count.up.set(0);
      count.losses.inc();
      log.error({ event: 'store.down', ...event }, `the shared store cannot be used: ${event.cause}`);
    },
    storeRecordUnusable(event) {
      count.unusable.inc();
      const line = `record ${event.kind} ${event.key} of the shared store cannot be used: ${event.why}`;
      log.warn({ event: 'store.record_unusable', ...event }, line);
    },
    bindingsInherited(event) {
      log.info(
        { event: 'store.bindings_inherited', ...event },
        `bindings from before the restart: ${event.bindings}`,
      );
    },
    callTakenOver(event) {
      count.takenOver.inc();
      log.info({ event: 'call.taken_over', ...event }, `call ${event.callId} goes on in this process`);
    },
    callNotTakenOver(event) {
      count.notTakenOver.inc();
      log.warn({ event: 'call.not_taken_over', ...event }, `call ${event.callId} cannot go on: ${event.why}`);
    },
  };
}
