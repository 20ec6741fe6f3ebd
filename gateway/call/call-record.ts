import type { Clock } from '../../sip/clock.js';
import { failure, type SipFailure } from '../../sip/failure.js';
import type { IncomingCall, LegEnd, LegSide } from '../../sip/leg.js';
import type { MediaEndStats } from '../../sip/media/media-engine.js';
import type { Attempt, AttemptOutcome } from './callee-search.js';
import { terminationOf } from './failure-map.js';
import type { Termination } from '../telemetry/call-events.js';
import type { CallSource } from './ports.js';

/** One side of a call in the CDR. */
export interface CdrParty {
  readonly side: LegSide;
  readonly legId: string;
  readonly sipCallId: string;
  /** Address-of-record and endpoint, or trunk and remote address; for a callee the target's label. */
  readonly who: string;
  /** `address:port` of a browser, or of the trunk that called. */
  readonly remote?: string | undefined;
}

/** One line of the CDR file. Times are ISO 8601 in UTC. */
export interface Cdr {
  readonly callId: string;
  readonly caller: CdrParty;
  readonly callee: CdrParty | null;
  readonly dialled: string;
  readonly route: string | null;
  readonly attempts: readonly AttemptOutcome[];
  readonly startedAt: string;
  readonly answeredAt: string | null;
  readonly endedAt: string;
  /** INVITE to answer. */
  readonly setupMs: number | null;
  /** Answer to end; 0 when never answered. */
  readonly durationMs: number;
  readonly termination: Termination;
  readonly media: readonly MediaEndStats[];
}

/** Of an answered call; milliseconds since the Unix epoch. */
export interface RecordedTimes {
  readonly startedMs: number;
  readonly answeredMs: number;
  readonly route: string | undefined;
  /** How long the call may last, from its answer on; undefined: nothing limits it. */
  readonly maxDurationMs?: number | undefined;
}

const iso = (epochMs: number): string => new Date(epochMs).toISOString();

/** What a call leaves behind: when it did what, and its one termination. */
export class CallRecord {
  startedMs: number;
  route: string | undefined;
  /** Set when the call is established. */
  maxDurationMs: number | undefined;
  #answeredMs: number | undefined;
  #termination: Termination | undefined;
  #failure: SipFailure | undefined;
  /** Of the outcome, not of the last answer to our goodbyes: a dead PBX makes no call longer. */
  #endedMs: number | undefined;

  constructor(private readonly clock: Clock) {
    this.startedMs = clock.nowMs();
  }

  /** When the call began and was answered, and its route. */
  get times(): RecordedTimes {
    const { startedMs, route, maxDurationMs } = this;
    return { startedMs, answeredMs: this.#answeredMs ?? startedMs, route, maxDurationMs };
  }

  /** Goes on with what an earlier process has noted. */
  restore({ startedMs, answeredMs, route, maxDurationMs }: RecordedTimes): void {
    this.startedMs = startedMs;
    this.#answeredMs = answeredMs;
    this.route = route;
    this.maxDurationMs = maxDurationMs;
  }

  /** Notes the answer; returns the milliseconds from INVITE to answer. */
  answered(): number {
    this.#answeredMs = this.clock.nowMs();
    return this.#answeredMs - this.startedMs;
  }

  /** Notes the outcome; only the first one counts (DESIGN §7). */
  end(termination: Termination, reason: SipFailure | undefined): void {
    if (this.#termination !== undefined) return;
    this.#termination = termination;
    this.#failure = reason;
    this.#endedMs = this.clock.nowMs();
  }

  /** The termination, and the failure behind it when there is one. */
  get outcome(): { readonly termination: Termination; readonly failure?: SipFailure } {
    const termination = this.#termination ?? terminationOf(failure('gateway.internal'));
    return this.#failure === undefined ? { termination } : { termination, failure: this.#failure };
  }

  /** The outcome when a leg ended by itself: a hang-up completes an answered call and cancels any other. */
  terminationBy(by: 'caller' | 'callee', end: LegEnd): Termination {
    if (end.failure !== undefined) return { ...terminationOf(end.failure), by };
    if (this.#answeredMs === undefined) return terminationOf(failure('caller.cancelled'));
    return { result: 'completed', code: 'call.completed', status: 200, reason: 'OK', by };
  }

  /** The CDR line, made when the call has ended. */
  cdr(
    call: { readonly id: string; readonly incoming: IncomingCall; readonly source: CallSource },
    callee: Attempt | undefined,
    attempts: readonly AttemptOutcome[],
    media: readonly MediaEndStats[],
  ): Cdr {
    const endedMs = this.#endedMs ?? this.clock.nowMs();
    const answeredMs = this.#answeredMs;
    const { leg, requestUri } = call.incoming;
    return {
      callId: call.id,
      caller: {
        ...partyOf(leg, call.source.remote),
        side: leg.side,
        who: sourceLabel(call.source),
      },
      callee: callee === undefined ? null : calleeParty(callee),
      dialled: requestUri,
      route: this.route ?? null,
      attempts,
      startedAt: iso(this.startedMs),
      answeredAt: answeredMs === undefined ? null : iso(answeredMs),
      endedAt: iso(endedMs),
      setupMs: answeredMs === undefined ? null : answeredMs - this.startedMs,
      durationMs: answeredMs === undefined ? 0 : endedMs - answeredMs,
      termination: this.outcome.termination,
      media,
    };
  }
}

function calleeParty({ leg, target }: Attempt): CdrParty {
  return { ...partyOf(leg, target.remote), side: target.side, who: target.label };
}

function partyOf(
  { id: legId, sipCallId }: Pick<Attempt['leg'], 'id' | 'sipCallId'>,
  remote: string | undefined,
): Pick<CdrParty, 'legId' | 'sipCallId' | 'remote'> {
  return remote === undefined ? { legId, sipCallId } : { legId, sipCallId, remote };
}

/** Who called, for log and CDR. */
export function sourceLabel(source: CallSource): string {
  return source.side === 'browser'
    ? `${source.aor} ${source.endpointId}`
    : `${source.trunk} ${source.remote}`;
}
