import type { Events } from '../../../gateway/telemetry/events.js';

/** One call of every event of the shared store, with the metric that it moves. */
export const storeOccurrences: readonly (readonly [metric: string, happen: (events: Events) => void])[] = [
  ['webtrunk_store_up 1', (events) => events.storeUp({ waiting: 2 })],
  ['webtrunk_store_losses_total 1', (events) => events.storeDown({ cause: 'connect ECONNREFUSED' })],
  [
    'webtrunk_store_records_unusable_total 1',
    (events) => events.storeRecordUnusable({ kind: 'call', key: 'c_1', why: 'of another version' }),
  ],
  ['webtrunk_store_losses_total 0', (events) => events.bindingsInherited({ bindings: 3 })],
  [
    'webtrunk_calls_taken_over_total 1',
    (events) => events.callTakenOver({ callId: 'c_1', from: 'earlier_process' }),
  ],
  [
    'webtrunk_calls_not_taken_over_total 1',
    (events) => events.callNotTakenOver({ callId: 'c_1', why: 'the media engine has forgotten it' }),
  ],
];
