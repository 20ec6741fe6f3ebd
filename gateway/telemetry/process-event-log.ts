import type { Log } from '../../sip/log.js';
import type { Metrics } from './metrics.js';
import type { DefectSource, ProcessEvents } from './process-events.js';

const defectSources: readonly DefectSource[] = [
  'uncaught_exception',
  'unhandled_rejection',
  'admin_api',
  'other',
];

function processCounters(metrics: Metrics) {
  return {
    engine: metrics.gauge('engine_up', '1 while the SIP engine is connected'),
    engineLosses: metrics.counter(
      'engine_losses_total',
      'Times that the connection to the SIP engine was lost',
    ),
    unresolved: metrics.counter('trunk_hosts_unresolved_total', 'Trunk hosts whose name does not resolve'),
    sourcesRefused: metrics.counter('trunk_sources_refused_total', 'Requests from addresses of no trunk'),
    cdrFailures: metrics.counter('cdr_failures_total', 'Call data records that could not be written'),
    defects: metrics.enumCounter('defects_total', 'Unexpected errors', 'source', defectSources),
    draining: metrics.gauge('draining', '1 while nothing new is taken'),
    ready: metrics.gauge('started', '1 from the end of start-up until the stop'),
  };
}

/** The events of the process on a log and counters. */
export function createProcessEvents(log: Log, metrics: Metrics): ProcessEvents {
  const count = processCounters(metrics);
  return { ...lifeEvents(log, count), ...surroundingEvents(log, count) };
}

type ProcessCounters = ReturnType<typeof processCounters>;

function lifeEvents(
  log: Log,
  count: ProcessCounters,
): Pick<ProcessEvents, 'started' | 'draining' | 'stopped' | 'defect'> {
  return {
    started({ addresses, startMs }) {
      count.ready.set(1);
      log.info({ event: 'started', ...addresses }, `webtrunk is up after ${Math.round(startMs)} ms`);
    },
    draining(event) {
      count.draining.set(1);
      const waiting =
        event.calls === 0 ? '' : `; calls may end by themselves (${event.calls}), a second signal ends them`;
      const line = `${event.cause}: nothing new is taken${waiting}`;
      log.info({ event: 'draining', ...event }, line);
    },
    stopped(event) {
      count.ready.set(0);
      log.info({ event: 'stopped', ...event }, 'webtrunk is down');
    },
    defect({ source, error }) {
      count.defects.inc(source);
      log.error({ event: 'defect', source, err: asError(error) }, 'unexpected error: this is a defect');
    },
  };
}

function surroundingEvents(
  log: Log,
  count: ProcessCounters,
): Pick<ProcessEvents, 'engineUp' | 'engineDown' | 'trunkUnresolved' | 'trunkSourceRefused' | 'cdrFailed'> {
  return {
    engineUp(event) {
      count.engine.set(1);
      log.info({ event: 'engine.up', ...event }, `SIP engine (${event.engine}) is connected`);
    },
    engineDown(event) {
      count.engine.set(0);
      count.engineLosses.inc();
      log.error({ event: 'engine.down', ...event }, `SIP engine (${event.engine}) is gone`);
    },
    trunkUnresolved({ trunk, host, cause }) {
      count.unresolved.inc();
      const line = `host ${host} of trunk ${trunk} does not resolve; it cannot call in`;
      log.warn({ event: 'trunk.unresolved', trunk, host, cause: asError(cause).message }, line);
    },
    trunkSourceRefused(event) {
      count.sourcesRefused.inc();
      log.warn(
        { event: 'trunk.source_refused', ...event },
        `${event.method} from ${event.remote} refused: no trunk`,
      );
    },
    cdrFailed({ cause }) {
      count.cdrFailures.inc();
      log.error({ event: 'cdr.failed', cause: asError(cause).message }, 'call data record was not written');
    },
  };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
