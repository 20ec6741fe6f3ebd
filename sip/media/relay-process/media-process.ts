import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock, Timer } from '../../clock.js';
import { failure, type SipFailure } from '../../failure.js';
import type { Log } from '../../log.js';
import type { DtmfTone, MediaEndStats } from '../media-engine.js';
import { failureOfText, type FromWorker, type ToWorker, type WorkerOptions } from './wire.js';

const program = fileURLToPath(new URL('./worker.js', import.meta.url));
/** A process that lived shorter than this is not started again at once. */
const healthyMs = 10_000;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
const closeWithinMs = 2_000;
const statsWithinMs = 1_000;

/** How a media process has ended. */
export interface MediaProcessExit {
  readonly pid: number | undefined;
  /** Of the signal that killed it, or its exit code. */
  readonly reason: string;
  /** Media sessions that were lost with it. */
  readonly sessions: number;
  /** After how long the next one starts, in ms. */
  readonly restartMs: number;
}

export interface MediaProcessOptions {
  readonly worker: WorkerOptions;
  readonly log: Log;
  readonly clock: Clock;
  /** The process has died without being told to. */
  readonly died: (exit: MediaProcessExit) => void;
  /** SRTP has refused so many packets of browsers, or of who takes himself for one: another key, or sent again. */
  readonly rejected: (packets: number) => void;
  /** So many packets have come to plain ends from elsewhere than their signalled addresses. */
  readonly strays: (packets: number) => void;
}

/** Who hears of one session. */
export interface SessionListener {
  timeout(endId: string, why: SipFailure): void;
  dtmf(endId: string, tone: DtmfTone): void;
  /** The process is gone, and the session with it. */
  lost(why: SipFailure): void;
}

interface Pending {
  readonly session: string;
  take(message: FromWorker): void;
  fail(why: SipFailure): void;
}

/** One child process with a relay engine in it, started again whenever it dies. */
export class MediaProcess {
  /** Removed by `destroy`, or with the process. */
  readonly #sessions = new Map<string, SessionListener>();
  /** By request number; removed by the reply, or with the process. */
  readonly #pending = new Map<number, Pending>();
  #child: ChildProcess | undefined;
  #restart: Timer | undefined;
  #bornMs = 0;
  #pauseMs = firstPauseMs;
  #requests = 0;
  #sizes: Readonly<Record<string, number>> = {};
  #isClosed = false;

  constructor(private readonly options: MediaProcessOptions) {
    this.#start();
  }

  /** False between its death and its next start. */
  get isUp(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get load(): number {
    return this.#sessions.size;
  }

  /** As the process told them last, at most a second ago. */
  get sizes(): Readonly<Record<string, number>> {
    return this.#sizes;
  }

  create(session: string, callId: string, listener: SessionListener): void {
    this.#sessions.set(session, listener);
    this.tell({ op: 'create', session, callId });
  }

  destroy(session: string): void {
    if (!this.#sessions.delete(session)) return;
    this.tell({ op: 'destroy', session });
    this.#failPending(failure('media.failed', { detail: 'the media session is closed' }), session);
  }

  tell(message: ToWorker): void {
    const child = this.#child;
    if (child?.connected !== true) return;
    child.send(message, (error) => {
      if (error !== null) this.options.log.debug({ err: error, pid: child.pid }, 'media process not told');
    });
  }

  /** Resolves with the SDP; rejects with the failure of the relay, or `media.failed` when the process dies. */
  describe(command: Omit<Extract<ToWorker, { op: 'offer' | 'answer' }>, 'request'>): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = this.#await(command.session, {
        take: (message) => (message.op === 'sdp' ? resolve(message.sdp) : undefined),
        fail: reject,
      });
      this.tell({ ...command, request });
    });
  }

  /** Sends a tone; false when the session cannot, or when the process dies meanwhile. */
  sendDtmf(session: string, endId: string, tone: DtmfTone): Promise<boolean> {
    return new Promise((resolve) => {
      const request = this.#await(session, {
        take: (message) => resolve(message.op === 'tone' && message.isTaken),
        fail: () => resolve(false),
      });
      this.tell({ op: 'sendDtmf', request, session, endId, tone });
    });
  }

  /** The figures of a session; none when the process dies meanwhile, or takes longer than a second. */
  async stats(session: string): Promise<readonly MediaEndStats[]> {
    let late: Timer | undefined;
    const answered = new Promise<readonly MediaEndStats[]>((resolve) => {
      const request = this.#await(session, {
        take: (message) => resolve(message.op === 'stats' ? message.stats : []),
        fail: () => resolve([]),
      });
      late = this.options.clock.after(statsWithinMs, () => this.#take(request)?.take({ op: 'ready' }));
      this.tell({ op: 'stats', request, session });
    });
    const stats = await answered;
    late?.cancel();
    return stats;
  }

  /** Ends the process; what is open in it is lost without a word. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#restart?.cancel();
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const late = this.options.clock.after(closeWithinMs, () => child.kill('SIGKILL'));
    this.tell({ op: 'close' });
    await gone;
    late.cancel();
  }

  #await(session: string, handlers: Omit<Pending, 'session'>): number {
    const request = (this.#requests += 1);
    if (this.#child === undefined)
      handlers.fail(failure('media.engine_lost', { detail: 'no media process' }));
    else this.#pending.set(request, { session, ...handlers });
    return request;
  }

  #start(): void {
    // Nothing of our environment: it may hold secrets, and the relay needs none of it.
    const child = fork(program, [], { serialization: 'advanced', execArgv: [], env: {}, stdio: 'inherit' });
    this.#child = child;
    this.#bornMs = this.options.clock.nowMs();
    child.on('message', (message) => this.#hear(message as FromWorker));
    child.on('error', (error) => this.options.log.error({ err: error }, 'media process error'));
    child.once('exit', (code, signal) => this.#exited(child.pid, signal ?? `exit code ${code ?? 'unknown'}`));
    this.tell({ op: 'open', options: this.options.worker });
  }

  #hear(message: FromWorker): void {
    switch (message.op) {
      case 'ready':
        return this.options.log.debug({ pid: this.pid }, 'media process is up');
      case 'sizes':
        this.#sizes = message.sizes;
        return;
      case 'rejected':
        return this.options.rejected(message.packets);
      case 'strays':
        return this.options.strays(message.packets);
      case 'log':
        return this.options.log[message.level]({ ...message.fields, mediaPid: this.pid }, message.message);
      case 'timeout':
        return this.#sessions.get(message.session)?.timeout(message.endId, failureOfText(message.failure));
      case 'dtmf':
        return this.#sessions.get(message.session)?.dtmf(message.endId, message.tone);
      case 'failed':
        return this.#take(message.request)?.fail(failureOfText(message.failure));
      case 'sdp':
      case 'stats':
      case 'tone':
        return this.#take(message.request)?.take(message);
    }
  }

  #take(request: number): Pending | undefined {
    const pending = this.#pending.get(request);
    this.#pending.delete(request);
    return pending;
  }

  #exited(pid: number | undefined, reason: string): void {
    this.#child = undefined;
    this.#sizes = {};
    const why = failure('media.engine_lost', { detail: `the media process has died (${reason})` });
    const lost = [...this.#sessions.values()];
    this.#sessions.clear();
    this.#failPending(why);
    if (this.#isClosed) return;
    const restartMs = this.#nextPauseMs();
    this.options.died({ pid, reason, sessions: lost.length, restartMs });
    this.#restart = this.options.clock.after(restartMs, () => this.#start());
    for (const listener of lost) listener.lost(why);
  }

  /** None after a healthy life; else doubling. */
  #nextPauseMs(): number {
    const livedMs = this.options.clock.nowMs() - this.#bornMs;
    if (livedMs >= healthyMs) {
      this.#pauseMs = firstPauseMs;
      return 0;
    }
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    return pauseMs;
  }

  #failPending(why: SipFailure, session?: string): void {
    for (const [request, pending] of [...this.#pending]) {
      if (session !== undefined && pending.session !== session) continue;
      this.#pending.delete(request);
      pending.fail(why);
    }
  }
}
