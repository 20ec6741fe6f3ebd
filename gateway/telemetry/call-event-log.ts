import type { Log } from '../../sip/log.js';
import { trickleOutcomes, type CallEvents, type Termination } from './call-events.js';
import { because, failureCodes, failureFields } from './failure-fields.js';
import type { Metrics } from './metrics.js';
import { createQualityEvents } from './quality-event-log.js';

const setupBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60];
const durationBuckets = [1, 10, 30, 60, 180, 600, 1_800, 3_600, 7_200, 14_400];
const sides = ['browser', 'trunk'] as const;
const parties = ['caller', 'callee'] as const;
const results: readonly Termination['result'][] = ['completed', 'caller', 'callee', 'upstream', 'gateway'];

function callCounters(metrics: Metrics) {
  return {
    open: metrics.gauge('calls_open', 'Calls that have not ended'),
    started: metrics.enumCounter('calls_started_total', 'Calls begun', 'side', sides),
    refused: metrics.enumCounter(
      'calls_refused_total',
      'INVITEs refused before they became a call',
      'code',
      failureCodes,
    ),
    routed: metrics.counter('calls_routed_total', 'Calls for which a route was found'),
    attempts: metrics.enumCounter('call_attempts_total', 'INVITEs sent', 'side', sides),
    attemptsFailed: metrics.enumCounter(
      'call_attempts_failed_total',
      'Callees that did not take a call',
      'code',
      failureCodes,
    ),
    progress: metrics.enumCounter('call_progress_total', 'Provisional responses of callees', 'kind', [
      'ringing',
      'early_media',
    ]),
    setup: metrics.secondsHistogram('call_setup_seconds', 'INVITE to answer', setupBuckets),
    held: metrics.enumCounter('calls_held_total', 'Holds', 'by', parties),
    resumed: metrics.enumCounter('calls_resumed_total', 'Resumes after hold', 'by', parties),
    reoffersRefused: metrics.enumCounter(
      'reoffers_refused_total',
      're-INVITEs refused',
      'code',
      failureCodes,
    ),
    abandoned: metrics.counter(
      'calls_abandoned_total',
      'Calls that were cut and whose end was not confirmed',
    ),
    tonesLost: metrics.enumCounter('call_tones_lost_total', 'DTMF not delivered', 'code', failureCodes),
    trickled: metrics.enumCounter(
      'trickled_candidates_total',
      'INFOs with ICE candidates',
      'outcome',
      trickleOutcomes,
    ),
    challenged: metrics.counter(
      'calls_challenged_total',
      'Of the calls begun: the PBX has asked the caller for its password; no call yet',
    ),
    ended: metrics.enumCounter('calls_ended_total', 'Calls ended', 'result', results),
    failed: metrics.enumCounter('calls_failed_total', 'Calls ended by a failure', 'code', failureCodes),
    duration: metrics.secondsHistogram('call_duration_seconds', 'Answer to end', durationBuckets),
  };
}

/** The events of calls on a log and counters. */
export function createCallEvents(log: Log, metrics: Metrics): CallEvents {
  const count = callCounters(metrics);
  return {
    ...setupEvents(log, count),
    ...talkEvents(log, count),
    ...endEvents(log, count),
    ...createQualityEvents(log, metrics),
  };
}

type CallCounters = ReturnType<typeof callCounters>;

function setupEvents(
  log: Log,
  count: CallCounters,
): Pick<
  CallEvents,
  | 'callStarted'
  | 'callRefused'
  | 'callRouted'
  | 'callAttempt'
  | 'callAttemptFailed'
  | 'callProgress'
  | 'callAnswered'
> {
  return {
    callStarted(call) {
      count.open.inc();
      count.started.inc(call.side);
      log.info({ event: 'call.started', ...call }, `${call.from} calls ${call.dialled}`);
    },
    callRefused({ failure, ...call }) {
      count.refused.inc(failure.code);
      const fields = { event: 'call.refused', ...call, ...failureFields(failure) };
      log[failure.severity](
        fields,
        `call of ${call.who} refused with ${failure.status}: ${because(failure)}`,
      );
    },
    callRouted(call) {
      count.routed.inc();
      const line = `call takes route ${call.route} to ${call.targets.join(', ')}`;
      log.info({ event: 'call.routed', callId: call.callId, route: call.route }, line);
    },
    callAttempt(call) {
      count.attempts.inc(call.side);
      const { callId, legId, side } = call;
      log.info({ event: 'call.attempt', callId, legId, side }, `INVITE sent to ${call.target}`);
    },
    callAttemptFailed({ failure, ...call }) {
      count.attemptsFailed.inc(failure.code);
      const line = `${call.target} does not take the call: ${because(failure)} (after ${call.durationMs} ms)`;
      const level = failure.severity === 'error' ? 'warn' : 'info';
      log[level]({ event: 'call.attempt_failed', ...call, ...failureFields(failure) }, line);
    },
    callProgress(call) {
      count.progress.inc(call.earlyMedia ? 'early_media' : 'ringing');
      const words = call.earlyMedia ? 'callee sends early media' : 'callee is being alerted';
      log.info({ event: 'call.progress', ...call }, `${words} (${call.status})`);
    },
    callAnswered(call) {
      count.setup.observe(call.setupMs / 1_000);
      log.info(
        { event: 'call.answered', ...call },
        `call answered by ${call.target} after ${call.setupMs} ms`,
      );
    },
  };
}

function talkEvents(
  log: Log,
  count: CallCounters,
): Pick<CallEvents, 'callHeld' | 'callResumed' | 'callReofferRefused' | 'callToneLost' | 'callTrickled'> {
  return {
    callHeld(call) {
      count.held.inc(call.by);
      log.info({ event: 'call.held', ...call }, `call put on hold by the ${call.by}`);
    },
    callResumed(call) {
      count.resumed.inc(call.by);
      log.info({ event: 'call.resumed', ...call }, `call resumed by the ${call.by}`);
    },
    callReofferRefused({ failure, ...call }) {
      count.reoffersRefused.inc(failure.code);
      const fields = { event: 'call.reoffer_refused', ...call, ...failureFields(failure) };
      log[failure.severity](
        fields,
        `change of the call by the ${call.by} refused with ${failure.status}: ${because(failure)}`,
      );
    },
    callToneLost({ callId, failure }) {
      count.tonesLost.inc(failure.code);
      const fields = { event: 'call.tone_lost', callId, ...failureFields(failure) };
      log.warn(fields, `a DTMF tone did not reach the other side: ${because(failure)}`);
    },
    callTrickled({ failure, ...call }) {
      count.trickled.inc(call.outcome);
      const fields = { event: 'call.trickled', ...call };
      if (failure === undefined) return log.debug(fields, `trickled candidates: ${call.outcome}`);
      const why = { ...fields, ...failureFields(failure) };
      log[failure.severity](why, `trickled candidates ${call.outcome}: ${because(failure)}`);
    },
  };
}

function endEvents(log: Log, count: CallCounters): Pick<CallEvents, 'callAbandoned' | 'callEnded'> {
  return {
    callAbandoned(call) {
      count.abandoned.inc();
      const line = `call left without an answer to BYE or CANCEL from ${call.legIds.join(', ')}`;
      log.warn({ event: 'call.abandoned', ...call }, line);
    },
    callEnded({ callId, durationMs, termination, failure }) {
      count.open.dec();
      if (termination.code === 'auth.challenged') {
        count.challenged.inc();
        return log.info({ event: 'call.challenged', callId }, challengedLine);
      }
      count.ended.inc(termination.result);
      if (failure !== undefined) count.failed.inc(failure.code);
      if (durationMs > 0) count.duration.observe(durationMs / 1_000);
      const fields = {
        event: 'call.ended',
        callId,
        durationMs,
        ...termination,
        ...(failure === undefined ? {} : failureFields(failure)),
      };
      log[failure?.severity ?? 'info'](fields, endLine(termination, durationMs));
    },
  };
}

const challengedLine = 'the PBX asks the caller for its password: no call yet';

function endLine({ code, status, reason, by }: Termination, durationMs: number): string {
  const talked = `${Math.round(durationMs / 1_000)} s`;
  if (code === 'call.completed') return `call ended after ${talked}: the ${by} hung up`;
  return `call ended${durationMs > 0 ? ` after ${talked}` : ''}: ${code} (${status} ${reason}) by the ${by}`;
}
