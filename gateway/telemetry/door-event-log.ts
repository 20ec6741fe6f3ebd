import type { Log } from '../../sip/log.js';
import type { ConnectionCut, EdgeEvents, PageRefusal, UpgradeRefusal } from './edge-events.js';
import type { Metrics } from './metrics.js';

const gateWords: Readonly<Record<UpgradeRefusal, string>> = {
  path: 'no such page',
  method: 'not a GET',
  handshake: 'not a WebSocket handshake',
  origin: 'origin not allowed',
  subprotocol: 'subprotocol sip not offered',
  address_rate: 'too many attempts a minute from this address',
  address_limit: 'too many flows from this address',
  flow_limit: 'too many flows',
  address_unauthenticated: 'too many flows from this address that have not signed in',
  unauthenticated: 'too many flows that have not signed in',
  draining: 'webtrunk is being stopped',
};

const cutWords: Readonly<Record<ConnectionCut, string>> = {
  silent: 'it sent no request in time',
  slow_request: 'its request did not end in time',
  slow_reader: 'it does not read its answer',
  too_many_silent: 'its address has too many that have sent no request',
  crowded_out: 'of too many that have sent no request it has waited longest',
};

const pageWords: Readonly<Record<PageRefusal, string>> = {
  rate: 'too many requests a minute from this address',
};

const keys = <Key extends string>(words: Readonly<Record<Key, string>>): readonly Key[] =>
  Object.keys(words) as Key[];

function doorCounters(metrics: Metrics) {
  return {
    upgradesRefused: metrics.enumCounter(
      'upgrades_refused_total',
      'WebSocket upgrades refused',
      'gate',
      keys(gateWords),
    ),
    cut: metrics.enumCounter(
      'connections_cut_total',
      'Connections cut before their first request was whole',
      'cause',
      keys(cutWords),
    ),
    pagesRefused: metrics.enumCounter(
      'pages_refused_total',
      'HTTP requests of browsers refused, by cause',
      'cause',
      keys(pageWords),
    ),
  };
}

/** The events of those who were not let in, on a log and counters. */
export function createDoorEvents(
  log: Log,
  metrics: Metrics,
): Pick<EdgeEvents, 'upgradeRefused' | 'connectionCut' | 'pageRefused'> {
  const count = doorCounters(metrics);
  return {
    upgradeRefused(event) {
      count.upgradesRefused.inc(event.cause);
      const line = `WebSocket from ${event.remote} refused with ${event.status}: ${gateWords[event.cause]}`;
      log.info({ event: 'flow.refused', ...event }, line);
    },
    connectionCut(event) {
      count.cut.inc(event.cause);
      const line = `connection from ${event.remote} cut: ${cutWords[event.cause]}`;
      log.info({ event: 'connection.cut', ...event }, line);
    },
    pageRefused(event) {
      count.pagesRefused.inc(event.cause);
      const line = `${event.path} refused to ${event.remote}: ${pageWords[event.cause]}`;
      log.info({ event: 'page.refused', ...event }, line);
    },
  };
}
