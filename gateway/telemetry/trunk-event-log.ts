import type { Log } from '../../sip/log.js';
import type { Metrics } from './metrics.js';
import type { TrunkEvents } from './trunk-events.js';

function trunkCounters(metrics: Metrics) {
  return {
    hostLosses: metrics.counter('trunk_host_losses_total', 'Times that a host of a trunk went out of use'),
    registrations: metrics.enumCounter(
      'trunk_registrations_total',
      'Ends of REGISTERs to trunks',
      'outcome',
      ['taken', 'failed'],
    ),
    full: metrics.enumCounter('trunk_full_total', 'Calls that found no channel of a trunk', 'direction', [
      'in',
      'out',
    ]),
  };
}

/** The events of trunks on a log and counters. */
export function createTrunkEvents(log: Log, metrics: Metrics): TrunkEvents {
  const count = trunkCounters(metrics);
  return {
    trunkHostUp(event) {
      const line = `host ${event.host} of trunk ${event.trunk} is back: ${event.answer}`;
      log.info({ event: 'trunk.host_up', ...event }, line);
    },
    trunkHostDown(event) {
      count.hostLosses.inc();
      const line = `host ${event.host} of trunk ${event.trunk} is out of use: ${event.answer}`;
      log.error({ event: 'trunk.host_down', ...event }, line);
    },
    trunkRegistered({ isNew, ...event }) {
      count.registrations.inc('taken');
      const line = `registered at ${event.trunk} for ${event.expiresSeconds} s: ${event.answer}`;
      log[isNew ? 'info' : 'debug']({ event: 'trunk.registered', ...event }, line);
    },
    trunkRegistrationFailed({ repeated, ...event }) {
      count.registrations.inc('failed');
      const line = `not registered at ${event.trunk}: ${event.answer}`;
      log[repeated ? 'debug' : 'error']({ event: 'trunk.registration_failed', ...event }, line);
    },
    trunkUnregistered(event) {
      log.info({ event: 'trunk.unregistered', ...event }, `signed out of ${event.trunk}: ${event.answer}`);
    },
    trunkFull(event) {
      count.full.inc(event.direction);
      log.warn({ event: 'trunk.full', ...event }, `no channel of ${event.trunk}: ${event.detail}`);
    },
  };
}
