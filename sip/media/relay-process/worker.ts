import { systemClock } from '../../clock.js';
import type { Log } from '../../log.js';
import { failure } from '../../failure.js';
import type { MediaSession } from '../media-engine.js';
import { watchRejectedPackets } from '../relay/rejected-packets.js';
import { createRelayEngine, type RelayEngine } from '../relay/relay-engine.js';
import { textOfFailure, type FromWorker, type ToWorker } from './wire.js';

/** The program of a media process: a relay engine that does what its parent says, and ends with it. */

const sizesEveryMs = 1_000;

/** By the parent's id. Removed by `destroy`. */
const sessions = new Map<string, MediaSession>();
let engine: RelayEngine | undefined;
let told = '';

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

const logAs =
  (level: 'debug' | 'info' | 'warn' | 'error') =>
  (fields: object, message: string): void =>
    tell({ op: 'log', level, fields: plain(fields), message });

const log: Log = { debug: logAs('debug'), info: logAs('info'), warn: logAs('warn'), error: logAs('error') };

/** Errors do not survive the way as they are. */
function plain(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]: [string, unknown]) => [
    name,
    value instanceof Error ? value.message : value,
  ]);
  return Object.fromEntries(entries) as object;
}

function sessionOf(id: string): MediaSession {
  const session = sessions.get(id);
  if (session === undefined)
    throw failure('media.failed', { detail: `the media process has no session ${id}` });
  return session;
}

function create(id: string, callId: string): void {
  const session = engine?.createSession(callId, {
    timeout: (endId, why) => tell({ op: 'timeout', session: id, endId, failure: textOfFailure(why) }),
    dtmf: (endId, tone) => tell({ op: 'dtmf', session: id, endId, tone }),
  });
  if (session !== undefined) sessions.set(id, session);
}

async function describe(command: Extract<ToWorker, { op: 'offer' | 'answer' }>): Promise<void> {
  const { op, request, session, fromEndId, toEndId, sdp } = command;
  try {
    tell({ op: 'sdp', request, sdp: await sessionOf(session)[op](fromEndId, toEndId, sdp) });
  } catch (thrown) {
    tell({ op: 'failed', request, failure: textOfFailure(thrown) });
  }
}

async function sendDtmf(command: Extract<ToWorker, { op: 'sendDtmf' }>): Promise<void> {
  const { request, session, endId, tone } = command;
  const isTaken = (await sessions.get(session)?.sendDtmf?.(endId, tone)) ?? false;
  tell({ op: 'tone', request, isTaken });
}

function changeEnd(command: Extract<ToWorker, { op: 'removeEnd' | 'refuse' | 'renewPath' }>): void {
  sessions.get(command.session)?.[command.op]?.(command.endId);
}

function destroy(id: string): void {
  sessions.get(id)?.close();
  sessions.delete(id);
}

/** Sizes are told when they have changed. */
function tellSizes(): void {
  const sizes = engine?.sizes() ?? {};
  const text = JSON.stringify(sizes);
  if (text === told) return;
  told = text;
  tell({ op: 'sizes', sizes });
}

async function close(): Promise<void> {
  await engine?.close();
  process.exit(0);
}

function obey(command: ToWorker): void {
  switch (command.op) {
    case 'open':
      engine = createRelayEngine({
        ...command.options,
        log,
        clock: systemClock,
        strays: (packets) => tell({ op: 'strays', packets }),
      });
      systemClock.every(sizesEveryMs, tellSizes);
      watchRejectedPackets((packets) => tell({ op: 'rejected', packets }));
      return tell({ op: 'ready' });
    case 'create':
      return create(command.session, command.callId);
    case 'addEnd':
      return sessions.get(command.session)?.addEnd(command.endId, command.options);
    case 'removeEnd':
    case 'refuse':
    case 'renewPath':
      return changeEnd(command);
    case 'offer':
    case 'answer':
      return void describe(command);
    case 'sendDtmf':
      return void sendDtmf(command);
    case 'stats':
      return tell({
        op: 'stats',
        request: command.request,
        stats: sessions.get(command.session)?.stats() ?? [],
      });
    case 'destroy':
      return destroy(command.session);
    case 'close':
      return void close();
  }
}

// The terminal sends its signals to the whole group: when to end is the parent's decision.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit(0));
process.on('message', (command) => obey(command as ToWorker));
