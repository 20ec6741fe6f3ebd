import type { Log } from '../../sip/log.js';
import type { DropCause, EdgeEvents, FlowCloseCause, UnregisterCause } from './edge-events.js';
import { createDoorEvents } from './door-event-log.js';
import { because, failureCodes, failureFields } from './failure-fields.js';
import type { Metrics } from './metrics.js';

const closeWords: Readonly<Record<FlowCloseCause, string>> = {
  peer: 'the client left',
  drain: 'webtrunk is being stopped',
  not_sip: 'the client does not speak SIP',
  malformed: 'too many malformed messages',
  unauthenticated: 'the client did not sign in in time',
  token_expired: 'the token has expired',
  replaced: 'a newer flow of the same endpoint took over',
  moved: 'its PBX host has died: it is to register at another',
  rate: 'too many messages',
  address_rate: 'too many messages of flows from this address that have not signed in',
  user_rate: 'too many messages of this user, all flows together',
  size: 'a message was too big',
  protocol: 'broken WebSocket frame',
  silent: 'no sign of life',
  slow_reader: 'the client does not read',
  internal: 'a defect in webtrunk',
};

const dropWords: Readonly<Record<DropCause, string>> = {
  malformed: 'it cannot be read nor answered',
  response: 'a broken response',
  ack: 'a broken ACK',
  response_unattached: 'a response of nobody who has signed in',
  ack_unattached: 'an ACK of nobody who has signed in',
};

const unregisterWords: Readonly<Record<UnregisterCause, string>> = {
  client: 'signed out',
  expired: 'expired',
  endpoint_lost: 'lost its connection and did not come back',
  token_expired: 'brought no fresh token in time',
};

const keys = <Key extends string>(words: Readonly<Record<Key, string>>): readonly Key[] =>
  Object.keys(words) as Key[];

function edgeCounters(metrics: Metrics) {
  return {
    open: metrics.gauge('flows_open', 'WebSockets that carry SIP now'),
    opened: metrics.enumCounter('flows_opened_total', 'WebSockets accepted', 'transport', ['WS', 'WSS']),
    closed: metrics.enumCounter('flows_closed_total', 'WebSockets closed', 'cause', keys(closeWords)),
    refused: metrics.enumCounter(
      'messages_refused_total',
      'Requests answered with a failure',
      'code',
      failureCodes,
    ),
    dropped: metrics.enumCounter(
      'messages_dropped_total',
      'Messages without answer',
      'cause',
      keys(dropWords),
    ),
    challenges: metrics.enumCounter('challenges_total', '401 responses sent', 'stale', ['true', 'false']),
    registrations: metrics.enumCounter('registrations_total', 'Bindings added or refreshed', 'kind', [
      'new',
      'refresh',
    ]),
    unregistrations: metrics.enumCounter(
      'unregistrations_total',
      'Bindings removed',
      'cause',
      keys(unregisterWords),
    ),
    registrationsRefused: metrics.enumCounter(
      'registrations_refused_total',
      'REGISTER requests refused',
      'code',
      failureCodes,
    ),
    keyFetches: metrics.enumCounter(
      'jwt_key_fetches_total',
      'Fetches of the keys that tokens are signed with',
      'result',
      ['ok', 'failed'],
    ),
    resumed: metrics.enumCounter('endpoints_resumed_total', 'Endpoints taken over by a new flow', 'from', [
      'lost_flow',
      'open_flow',
    ]),
    lost: metrics.counter('endpoints_lost_total', 'Endpoints that did not come back in their grace time'),
  };
}

/** The events of the browser side on a log and counters. */
export function createEdgeEvents(log: Log, metrics: Metrics): EdgeEvents {
  const count = edgeCounters(metrics);
  return {
    ...createDoorEvents(log, metrics),
    ...flowEvents(log, count),
    ...messageEvents(log, count),
    ...registrationEvents(log, count),
  };
}

type EdgeCounters = ReturnType<typeof edgeCounters>;

function flowEvents(log: Log, count: EdgeCounters): Pick<EdgeEvents, 'flowOpened' | 'flowClosed'> {
  return {
    flowOpened(event) {
      count.open.inc();
      count.opened.inc(event.transport);
      log.info({ event: 'flow.opened', ...event }, `flow opened from ${event.remote}`);
    },
    flowClosed(event) {
      count.open.dec();
      count.closed.inc(event.cause);
      const line = `flow from ${event.remote} closed: ${closeWords[event.cause]} (${event.code})`;
      if (event.cause === 'internal') log.error({ event: 'flow.closed', ...event }, line);
      else log.info({ event: 'flow.closed', ...event }, line);
    },
  };
}

function messageEvents(
  log: Log,
  count: EdgeCounters,
): Pick<EdgeEvents, 'messageRefused' | 'messageDropped' | 'challenged'> {
  return {
    messageRefused({ failure, ...event }) {
      count.refused.inc(failure.code);
      const fields = { event: 'message.refused', ...event, ...failureFields(failure) };
      log[failure.severity](
        fields,
        `${event.method === '' ? 'message' : event.method} from ${event.remote} refused with ${failure.status}: ${because(failure)}`,
      );
    },
    messageDropped(event) {
      count.dropped.inc(event.cause);
      const line = `message from ${event.remote} dropped: ${dropWords[event.cause]}`;
      log.info({ event: 'message.dropped', ...event }, line);
    },
    challenged(event) {
      count.challenges.inc(event.stale ? 'true' : 'false');
      log.debug({ event: 'message.challenged', ...event }, `${event.method} from ${event.remote} challenged`);
    },
  };
}

function registrationEvents(
  log: Log,
  count: EdgeCounters,
): Pick<
  EdgeEvents,
  'registered' | 'unregistered' | 'registrationRefused' | 'keysFetched' | 'endpointResumed' | 'endpointLost'
> {
  return {
    registered(event) {
      count.registrations.inc(event.refreshed ? 'refresh' : 'new');
      const fields = { event: 'registered', ...event };
      if (event.refreshed) log.debug(fields, `${event.aor} is still registered`);
      else log.info(fields, `${event.aor} is registered for ${event.expiresSeconds} s`);
    },
    unregistered(event) {
      count.unregistrations.inc(event.cause);
      log.info({ event: 'unregistered', ...event }, `${event.aor} ${unregisterWords[event.cause]}`);
    },
    registrationRefused({ failure, ...event }) {
      count.registrationsRefused.inc(failure.code);
      const fields = { event: 'registration.refused', ...event, ...failureFields(failure) };
      const line = `${event.aor} from ${event.remote} not registered: ${because(failure)}`;
      log[failure.severity](fields, line);
    },
    keysFetched({ url, why }) {
      count.keyFetches.inc(why === undefined ? 'ok' : 'failed');
      if (why === undefined) log.info({ event: 'keys.fetched', url }, 'the keys of tokens were fetched');
      else log.warn({ event: 'keys.failed', url, why }, `the keys of tokens were not fetched: ${why}`);
    },
    endpointResumed(event) {
      count.resumed.inc(event.replaced ? 'open_flow' : 'lost_flow');
      log.info({ event: 'endpoint.resumed', ...event }, `${event.aor} is back on a new flow`);
    },
    endpointLost(event) {
      count.lost.inc();
      log.info({ event: 'endpoint.lost', ...event }, `${event.aor} did not come back in time`);
    },
  };
}
