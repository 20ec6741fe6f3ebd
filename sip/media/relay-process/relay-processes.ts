import { failure, type SipFailure } from '../../failure.js';
import { newId } from '../../message/ids.js';
import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import type {
  DtmfTone,
  MediaEndOptions,
  MediaEndStats,
  MediaEngine,
  MediaListener,
  MediaSession,
} from '../media-engine.js';
import { MediaProcess, type MediaProcessExit } from './media-process.js';
import type { WorkerOptions } from './wire.js';

export interface RelayProcessesOptions extends WorkerOptions {
  /** At least one; each gets its part of the ports, and the `browserPort` that is its turn, counted up from the first. */
  readonly processes: number;
  readonly log: Log;
  readonly clock: Clock;
  /** A process has died; its calls have been told. */
  readonly died: (exit: MediaProcessExit) => void;
  /** SRTP has refused so many packets. */
  readonly rejected?: (packets: number) => void;
  /** So many packets have come to plain ends from elsewhere than their signalled addresses. */
  readonly strays?: (packets: number) => void;
}

/** The embedded relay in processes of its own, so that a crash of native code takes some calls and never the signalling. */
export interface RelayProcesses extends MediaEngine {
  /** Process ids of those that are up. */
  readonly pids: readonly number[];
  /** Sums over the processes, as they told them last. */
  sizes(): Record<string, number>;
}

/** Starts the processes. Throws a RangeError when there are too few ports for them. */
export function startRelayProcesses(options: RelayProcessesOptions): RelayProcesses {
  return new Processes(options);
}

const ignore = (): void => undefined;

class Processes implements RelayProcesses {
  readonly name = 'relay';
  readonly #processes: readonly MediaProcess[];
  /** Removed when the session is closed. */
  readonly #sessions = new Set<RemoteSession>();
  #isClosed = false;

  constructor(options: RelayProcessesOptions) {
    const { processes, log, clock, died, rejected = ignore, strays = ignore, ...worker } = options;
    const watcher = { log, clock, died, rejected, strays };
    const { browserPort: first } = worker;
    this.#processes = slices(worker.ports, processes).map((ports, index) => {
      const own =
        first === undefined ? { ...worker, ports } : { ...worker, ports, browserPort: first + index };
      return new MediaProcess({ worker: own, ...watcher });
    });
  }

  get size(): number {
    return this.#sessions.size;
  }

  get pids(): readonly number[] {
    return this.#processes.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  createSession(callId: string, listener: MediaListener): MediaSession {
    if (this.#isClosed)
      throw failure('media.failed', { detail: `the media engine is closed, call ${callId}` });
    const up = this.#processes.filter(({ isUp }) => isUp);
    const [first, ...others] = up;
    if (first === undefined) {
      const detail = 'the media process has died and is about to be started again';
      throw failure('media.engine_down', { detail, headers: [['Retry-After', '2']] });
    }
    const idlest = others.reduce((best, other) => (other.load < best.load ? other : best), first);
    const session = new RemoteSession(callId, idlest, listener, (ended) => this.#sessions.delete(ended));
    this.#sessions.add(session);
    return session;
  }

  sizes(): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { sizes } of this.#processes)
      for (const [name, size] of Object.entries(sizes)) sums[name] = (sums[name] ?? 0) + size;
    return sums;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const session of this.#sessions) session.close();
    await Promise.all(this.#processes.map((one) => one.close()));
  }
}

/** A media session that lives in a media process. */
class RemoteSession implements MediaSession {
  readonly id = newId('m_');
  readonly #ends: string[] = [];
  #lastStats: readonly MediaEndStats[] = [];
  #isClosed = false;

  constructor(
    callId: string,
    private readonly process: MediaProcess,
    private readonly listener: MediaListener,
    private readonly onClose: (session: RemoteSession) => void,
  ) {
    process.create(this.id, callId, {
      timeout: (endId, why) => this.listener.timeout(endId, why),
      dtmf: (endId, tone) => this.listener.dtmf?.(endId, tone),
      lost: (why) => this.#lost(why),
    });
  }

  addEnd(endId: string, options: MediaEndOptions): void {
    if (this.#isClosed || this.#ends.includes(endId))
      throw failure('media.failed', { detail: `end ${endId} cannot be added` });
    this.#ends.push(endId);
    this.process.tell({ op: 'addEnd', session: this.id, endId, options });
  }

  removeEnd(endId: string): void {
    const index = this.#ends.indexOf(endId);
    if (index < 1) return;
    this.#ends.splice(index, 1);
    this.process.tell({ op: 'removeEnd', session: this.id, endId });
  }

  renewPath(endId: string): void {
    this.process.tell({ op: 'renewPath', session: this.id, endId });
  }

  offer(fromEndId: string, toEndId: string, sdp: string): Promise<string> {
    return this.process.describe({ op: 'offer', session: this.id, fromEndId, toEndId, sdp });
  }

  answer(fromEndId: string, toEndId: string, sdp: string): Promise<string> {
    return this.process.describe({ op: 'answer', session: this.id, fromEndId, toEndId, sdp });
  }

  refuse(toEndId: string): void {
    this.process.tell({ op: 'refuse', session: this.id, endId: toEndId });
  }

  async sendDtmf(endId: string, tone: DtmfTone): Promise<boolean> {
    return !this.#isClosed && (await this.process.sendDtmf(this.id, endId, tone));
  }

  stats(): readonly MediaEndStats[] {
    return this.#lastStats;
  }

  async finalStats(): Promise<readonly MediaEndStats[]> {
    if (!this.#isClosed) this.#lastStats = await this.process.stats(this.id);
    return this.#lastStats;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.process.destroy(this.id);
    this.onClose(this);
  }

  #lost(why: SipFailure): void {
    const [callerEnd] = this.#ends;
    if (!this.#isClosed && callerEnd !== undefined) this.listener.timeout(callerEnd, why);
  }
}

/** Parts of a port range, each beginning at an even port. */
function slices(
  { min, max }: WorkerOptions['ports'],
  count: number,
): readonly { readonly min: number; readonly max: number }[] {
  const first = min + (min % 2);
  const pairs = Math.floor((max - first + 1) / 2);
  if (pairs < count) throw new RangeError(`media ports ${min}-${max} are too few for ${count} processes`);
  return Array.from({ length: count }, (_, index) => {
    const from = first + 2 * Math.floor((pairs * index) / count);
    const to = first + 2 * Math.floor((pairs * (index + 1)) / count) - 1;
    return { min: from, max: to };
  });
}
