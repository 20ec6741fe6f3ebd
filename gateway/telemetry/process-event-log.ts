import type { Log } from '../../sip/log.js';
import { because, failureCodes, failureFields } from './failure-fields.js';
import type { Metrics } from './metrics.js';
import {
  refusedTokens,
  strangerMethods,
  strangerTransports,
  type DefectSource,
  type LeftDialogOutcome,
  type ProcessEvents,
  type RefusedToken,
} from './process-events.js';

const defectSources: readonly DefectSource[] = [
  'uncaught_exception',
  'unhandled_rejection',
  'admin_api',
  'other',
];

const leftDialogOutcomes: readonly LeftDialogOutcome[] = ['ended', 'unknown', 'failed'];

function processCounters(metrics: Metrics) {
  return {
    engine: metrics.gauge('engine_up', '1 while the SIP engine is connected'),
    engineLosses: metrics.counter(
      'engine_losses_total',
      'Times that the connection to the SIP engine was lost',
    ),
    unresolved: metrics.counter('trunk_hosts_unresolved_total', 'Trunk hosts whose name does not resolve'),
    strangers: metrics.enumPairCounter(
      'strangers_total',
      'Requests from addresses of no trunk',
      ['method', strangerMethods],
      ['transport', strangerTransports],
    ),
    refused: metrics.enumCounter(
      'trunk_requests_refused_total',
      'Requests of trunks that were answered with a failure without becoming a call',
      'code',
      failureCodes,
    ),
    persistent: metrics.counter('strangers_persistent_total', 'Times that a stranger went on for a minute'),
    tokensRefused: metrics.enumCounter(
      'http_tokens_refused_total',
      'HTTP requests whose ticket or token was missing or wrong',
      'token',
      refusedTokens,
    ),
    framesRefused: metrics.counter(
      'engine_frames_refused_total',
      'Messages that were too long for drachtio-server',
    ),
    leftDialogs: metrics.enumCounter(
      'left_dialogs_total',
      'Dialogs that an earlier process or connection left behind in drachtio-server',
      'outcome',
      leftDialogOutcomes,
    ),
    journalFailures: metrics.counter(
      'dialog_journal_failures_total',
      'Times that the journal of dialogs could not be read or written',
    ),
    cdrFailures: metrics.counter('cdr_failures_total', 'Call data records that could not be written'),
    reloads: metrics.counter('reloads_total', 'Times that the configuration was read again'),
    reloadFailures: metrics.counter(
      'reload_failures_total',
      'Configurations that were wrong when they were read again',
    ),
    cdrWebhookUp: metrics.gauge('cdr_webhook_up', '0 while the CDR webhook takes nothing'),
    cdrRejected: metrics.counter('cdr_rejected_total', 'Call data records that the webhook refused for good'),
    defects: metrics.enumCounter('defects_total', 'Unexpected errors', 'source', defectSources),
    draining: metrics.gauge('draining', '1 while nothing new is taken'),
    ready: metrics.gauge('started', '1 from the end of start-up until the stop'),
  };
}

/** The events of the process on a log and counters. */
export function createProcessEvents(log: Log, metrics: Metrics): ProcessEvents {
  const count = processCounters(metrics);
  return {
    ...lifeEvents(log, count),
    ...surroundingEvents(log, count),
    ...strangerEvents(log, count),
    ...leftDialogEvents(log, count),
  };
}

type ProcessCounters = ReturnType<typeof processCounters>;

type LifeEvent = 'started' | 'draining' | 'stopped' | 'reloaded' | 'reloadFailed' | 'defect';

function lifeEvents(log: Log, count: ProcessCounters): Pick<ProcessEvents, LifeEvent> {
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
    reloaded({ applied, needsRestart }) {
      count.reloads.inc();
      const changed = applied.length === 0 ? 'nothing has changed' : `in force: ${applied.join(', ')}`;
      const waiting = needsRestart.length === 0 ? '' : `; needs a restart: ${needsRestart.join(', ')}`;
      log.info(
        { event: 'reloaded', applied, needsRestart },
        `configuration read again; ${changed}${waiting}`,
      );
    },
    reloadFailed({ cause }) {
      count.reloadFailures.inc();
      const line = 'the configuration was not read again: everything stays as it was';
      log.error({ event: 'reload.failed', cause: asError(cause).message }, line);
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
): Pick<ProcessEvents, 'engineUp' | 'engineDown' | 'engineFrameRefused' | 'trunkUnresolved' | CdrEvent> {
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
    engineFrameRefused(event) {
      count.framesRefused.inc();
      const line = `a message of ${event.sizeBytes} bytes was not sent: drachtio-server takes ${event.limitBytes}`;
      log.warn({ event: 'engine.frame_refused', ...event }, line);
    },
    trunkUnresolved({ trunk, host }) {
      count.unresolved.inc();
      const line = `host ${host} of trunk ${trunk} does not resolve; it cannot call in`;
      log.warn({ event: 'trunk.unresolved', trunk, host }, line);
    },
    ...cdrEvents(log, count),
  };
}

type CdrEvent = 'cdrFailed' | 'cdrWebhookDown' | 'cdrWebhookUp' | 'cdrRejected';

function cdrEvents(log: Log, count: ProcessCounters): Pick<ProcessEvents, CdrEvent> {
  return {
    cdrFailed({ cause, record }) {
      count.cdrFailures.inc();
      const what = { event: 'cdr.failed', cause: asError(cause).message, record };
      log.error(what, 'call data record was not written');
    },
    cdrWebhookDown(event) {
      count.cdrWebhookUp.set(0);
      const line = `the CDR webhook takes nothing: ${event.cause}; records wait on the disk`;
      log.error({ event: 'cdr.webhook_down', ...event }, line);
    },
    cdrWebhookUp(event) {
      count.cdrWebhookUp.set(1);
      log.info({ event: 'cdr.webhook_up', ...event }, 'the CDR webhook takes records again');
    },
    cdrRejected(event) {
      count.cdrRejected.inc();
      log.error({ event: 'cdr.rejected', ...event }, `the CDR webhook refused a record: ${event.status}`);
    },
  };
}

const tokenWords: Readonly<Record<RefusedToken, (remote: string) => string>> = {
  turn_ticket: (remote) => `the ticket for TURN passwords from ${remote} is missing or wrong`,
  admin: (remote) => `the token of operators from ${remote} is missing or wrong`,
  admin_locked: (remote) => `too many wrong tokens of operators from ${remote}: none is looked at`,
};

function strangerEvents(
  log: Log,
  count: ProcessCounters,
): Pick<ProcessEvents, 'strangerTurnedAway' | 'strangerPersists' | 'tokenRefused' | 'trunkRequestRefused'> {
  return {
    trunkRequestRefused({ failure, ...event }) {
      count.refused.inc(failure.code);
      const line = `${event.method} from ${event.remote} refused with ${failure.status}: ${because(failure)}`;
      log[failure.severity]({ event: 'trunk.request_refused', ...event, ...failureFields(failure) }, line);
    },
    tokenRefused(event) {
      count.tokensRefused.inc(event.token);
      log.warn({ event: 'token.refused', ...event }, tokenWords[event.token](event.remote));
    },
    strangerTurnedAway({ reported, ...event }) {
      const { method, transport, remote, answer } = event;
      count.strangers.inc(method, transport);
      const done = answer === 'silence' ? 'dropped' : 'refused';
      const line = `${method} from ${remote} ${done}: its address is in no trunk (trunks[].inbound.allow)`;
      log[reported ? 'warn' : 'debug']({ event: 'stranger.turned_away', ...event }, line);
    },
    strangerPersists({ address = 'other addresses', requests }) {
      count.persistent.inc();
      const line = `${requests} more from ${address} turned away`;
      log.warn({ event: 'stranger.persists', address, requests }, line);
    },
  };
}

function leftDialogEvents(
  log: Log,
  count: ProcessCounters,
): Pick<ProcessEvents, 'leftDialog' | 'dialogJournalFailed'> {
  return {
    leftDialog(event) {
      count.leftDialogs.inc(event.outcome);
      const line = `a call that an earlier process left behind: ${event.detail}`;
      log[event.outcome === 'failed' ? 'warn' : 'info']({ event: 'trunk.left_dialog', ...event }, line);
    },
    dialogJournalFailed({ file, cause }) {
      count.journalFailures.inc();
      const line = `${file} cannot be written: a crash would leave calls behind at the PBX`;
      log.error({ event: 'trunk.journal_failed', file, cause: asError(cause).message }, line);
    },
  };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
