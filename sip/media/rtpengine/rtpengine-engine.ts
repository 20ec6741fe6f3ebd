import { createHash, randomBytes } from 'node:crypto';
import type { Clock, Timer } from '../../clock.js';
import { failure } from '../../failure.js';
import type { Log } from '../../log.js';
import { newId } from '../../message/ids.js';
import type { MediaEngine, MediaListener, MediaSession } from '../media-engine.js';
import { Instance, type HealthTimes, type RtpengineAddress } from './instance.js';
import { InstancePool } from './instance-pool.js';
import { NgCall, type NgDeadlines } from './ng-call.js';
import { deleteOrphans } from './orphans.js';
import { RtpengineSession, type RtpengineLimits } from './rtpengine-session.js';
import { isSnapshot } from './session-snapshot.js';

/** What the operator is to know about the instances. `instance` is `host:port`. */
export interface RtpengineEvents {
  /** `up`: how many answer now. */
  mediaServerUp(event: { readonly instance: string; readonly up: number }): void;
  mediaServerDown(event: { readonly instance: string; readonly up: number; readonly reason: string }): void;
  /** The first offer of a call went on to another instance. */
  mediaServerPassedOver(event: { readonly instance: string; readonly reason: string }): void;
  /** No instance takes a new call: it is refused. */
  mediaServersUnavailable(): void;
  /** Calls of ours that nobody knew any more were deleted. */
  mediaOrphansDeleted(event: { readonly instance: string; readonly calls: number }): void;
}

export interface RtpengineEngineOptions
  extends Partial<RtpengineLimits>, Partial<HealthTimes>, Partial<NgDeadlines> {
  /** At least one. */
  readonly instances: readonly RtpengineAddress[];
  /**
   * Names this gateway, the same in each of its processes and another in each gateway that shares an instance: calls of
   * an earlier process are known by it and deleted.
   */
  readonly owner: string;
  /** How often rtpengine is asked for the figures of a call, in ms. Default: 5 s, or twice in a shorter `timeoutMs`. */
  readonly queryEveryMs?: number;
  readonly events: RtpengineEvents;
  readonly log: Log;
  readonly clock: Clock;
}

/** rtpengine, with the sizes of its tables: all are zero when no call is up. */
export interface RtpengineEngine extends MediaEngine {
  readonly isReady: boolean;
  cleanUp(elsewhere?: ReadonlySet<string>): void;
  sizes(): Record<string, number>;
}

const watchPeriodMs = 1_000;
const longestQueryMs = 5_000;

/** No more calls than these are asked about in one watch period: the others wait for the next. */
const queriesPerWatch = 200;

/** Media by one or more rtpengines over their NG protocol. Throws a RangeError without an instance. */
export function createRtpengineEngine(options: RtpengineEngineOptions): RtpengineEngine {
  return new Rtpengine(options);
}

class Rtpengine implements RtpengineEngine {
  readonly name = 'rtpengine';
  /** By call id. Removed when the session is closed. */
  readonly #sessions = new Map<string, WatchedSession>();
  /** Calls whose deletes are under way. */
  readonly #ending = new Set<Promise<void>>();
  readonly #pool: InstancePool;
  readonly #limits: RtpengineLimits;
  readonly #deadlines: NgDeadlines;
  readonly #queryEveryMs: number;
  readonly #ownerPrefix: string;
  readonly #processPrefix: string;
  readonly #watchTimer: Timer;
  #sessionCount = 0;
  #mayCleanUp = false;
  /** Calls that other gateways have taken over from earlier processes of this one. */
  #elsewhere: ReadonlySet<string> = new Set();
  #isClosed = false;

  constructor(private readonly options: RtpengineEngineOptions) {
    const { instances, clock, log, events } = options;
    if (instances.length === 0) throw new RangeError('no rtpengine is given');
    this.#limits = {
      timeoutMs: options.timeoutMs ?? 60_000,
      restartGraceMs: options.restartGraceMs ?? 30_000,
      startMs: options.startMs ?? 180_000,
      lostAfterMs: options.lostAfterMs ?? 5_000,
    };
    this.#deadlines = {
      offerMs: options.offerMs ?? 2_000,
      queryMs: options.queryMs ?? 1_000,
      deleteMs: options.deleteMs ?? 5_000,
    };
    this.#queryEveryMs = options.queryEveryMs ?? usualQueryMs(this.#limits.timeoutMs);
    const owner = createHash('sha256').update(options.owner).digest('hex').slice(0, 12);
    this.#ownerPrefix = `wt-${owner}-`;
    this.#processPrefix = `${this.#ownerPrefix}${randomBytes(4).toString('hex')}-`;
    const times = {
      pingEveryMs: options.pingEveryMs ?? 2_000,
      pingDeadlineMs: options.pingDeadlineMs ?? 1_000,
    };
    const listener = {
      up: (instance: Instance) => this.#isUp(instance),
      down: (instance: Instance, reason: string) =>
        events.mediaServerDown({ instance: instance.name, up: this.#pool.upCount, reason }),
    };
    this.#pool = new InstancePool(
      instances.map((instance) => new Instance(instance, times, clock, log, listener)),
    );
    for (const instance of this.#pool.instances) instance.start();
    this.#watchTimer = clock.every(watchPeriodMs, () => this.#watch());
  }

  get size(): number {
    return this.#sessions.size;
  }

  get isReady(): boolean {
    return this.#pool.upCount > 0;
  }

  cleanUp(elsewhere: ReadonlySet<string> = new Set()): void {
    this.#mayCleanUp = true;
    this.#elsewhere = elsewhere;
    for (const instance of this.#pool.instances) if (instance.isUp) this.#deleteOrphans(instance);
  }

  createSession(callId: string, listener: MediaListener): MediaSession {
    if (this.#isClosed)
      throw failure('media.failed', { detail: `the media engine is closed, call ${callId}` });
    this.#sessionCount += 1;
    // With the id of the call, so that it can be followed in rtpengine's log.
    return this.#open(this.#newCall(`${this.#processPrefix}${callId}-${this.#sessionCount}`), listener);
  }

  restoreSession(snapshot: unknown, listener: MediaListener): MediaSession {
    if (!isSnapshot(snapshot)) throw failure('media.failed', { detail: 'not a snapshot of this version' });
    const instance = this.#pool.instances.find(({ name }) => name === snapshot.instance);
    if (instance === undefined)
      throw failure('media.failed', { detail: `rtpengine ${snapshot.instance} is not configured any more` });
    const call = this.#newCall(snapshot.callId);
    call.resume(
      instance,
      snapshot.ends.map(({ id }) => id),
    );
    const session = this.#open(call, listener);
    session.restore(snapshot);
    return session;
  }

  sizes(): Record<string, number> {
    let ends = 0;
    for (const { session } of this.#sessions.values()) ends += session.endCount;
    let commands = 0;
    for (const instance of this.#pool.instances) commands += instance.pending;
    return { sessions: this.#sessions.size, ends, ending: this.#ending.size, commands };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watchTimer.cancel();
    for (const { session } of this.#sessions.values()) session.close();
    await Promise.all(this.#ending);
    this.#pool.close();
  }

  #open(call: NgCall, listener: MediaListener): RtpengineSession {
    const session = new RtpengineSession(newId('m_'), call, listener, this.#limits, (ended) =>
      this.#ended(ended),
    );
    this.#sessions.set(call.id, { session, askedMs: this.options.clock.nowMs(), isAsking: false });
    return session;
  }

  #newCall(id: string): NgCall {
    const { events } = this.options;
    return new NgCall({
      id,
      pool: this.#pool,
      deadlines: this.#deadlines,
      failedOver: ({ name }, { message }) =>
        events.mediaServerPassedOver({ instance: name, reason: message }),
      unavailable: () => events.mediaServersUnavailable(),
    });
  }

  #ended({ call, ended }: RtpengineSession): void {
    this.#sessions.delete(call.id);
    const done: Promise<void> = ended.finally(() => this.#ending.delete(done));
    this.#ending.add(done);
  }

  #isUp(instance: Instance): void {
    this.options.events.mediaServerUp({ instance: instance.name, up: this.#pool.upCount });
    if (this.#mayCleanUp) this.#deleteOrphans(instance);
  }

  #deleteOrphans(instance: Instance): void {
    const { events, log } = this.options;
    deleteOrphans(instance, this.#ownerPrefix, (id) => this.#isKnown(id), this.#deadlines).then(
      (calls) => {
        if (calls > 0) events.mediaOrphansDeleted({ instance: instance.name, calls });
      },
      (thrown: unknown) => {
        const reason = thrown instanceof Error ? thrown.message : 'unknown';
        log.warn({ rtpengine: instance.name, reason }, 'old calls in rtpengine could not be looked for');
      },
    );
  }

  #isKnown(callId: string): boolean {
    return this.#sessions.has(callId) || this.#elsewhere.has(callId);
  }

  /** Ends the sessions of instances that are lost; asks for the figures of those whose turn it is. */
  #watch(): void {
    const nowMs = this.options.clock.nowMs();
    let asked = 0;
    for (const watched of this.#sessions.values()) {
      const { session, askedMs, isAsking } = watched;
      const { instance } = session.call;
      if (instance === undefined) continue;
      if (instance.downMs >= this.#limits.lostAfterMs && instance.isDown) {
        session.lost(`rtpengine ${instance.name} is down`);
      } else if (session.isActive && !isAsking && nowMs - askedMs >= this.#queryEveryMs && !instance.isDown) {
        asked += 1;
        if (asked > queriesPerWatch) return;
        void this.#ask(watched, nowMs);
      }
    }
  }

  async #ask(watched: WatchedSession, nowMs: number): Promise<void> {
    const sinceMs = nowMs - watched.askedMs;
    watched.isAsking = true;
    try {
      const figures = await watched.session.call.figures();
      watched.askedMs = nowMs;
      watched.session.watch(figures, sinceMs);
    } catch {
      // No answer this time: the instance's health tells more, and the next turn comes.
    } finally {
      watched.isAsking = false;
    }
  }
}

/** Often enough to notice silence when it has lasted for `timeoutMs`. */
function usualQueryMs(timeoutMs: number): number {
  return timeoutMs === 0 ? longestQueryMs : Math.max(watchPeriodMs, Math.min(timeoutMs / 2, longestQueryMs));
}

interface WatchedSession {
  readonly session: RtpengineSession;
  /** When it was last asked about, ms since the Unix epoch. */
  askedMs: number;
  isAsking: boolean;
}
