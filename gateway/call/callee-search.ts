import type { Clock } from '../../sip/clock.js';
import type { SipFailure } from '../../sip/failure.js';
import type { CalleeListener, HeaderList, Invitation, Leg } from '../../sip/leg.js';
import { AttemptPatience } from './attempt-patience.js';
import { betterFailure, mayTryNext } from './failure-map.js';
import type { CalleeTarget, Stage } from './ports.js';

/** One INVITE that is out. */
export interface Attempt {
  readonly leg: Leg;
  readonly target: CalleeTarget;
  readonly startedMs: number;
  /** The SDP of the last 18x; an answer without SDP means this one (RFC 3261 §13.2.1). */
  earlySdp: string | undefined;
  readonly patience: AttemptPatience;
}

/** What an INVITE is sent with. */
export interface AttemptStart {
  readonly legId: string;
  readonly sdp: string | undefined;
  readonly headers: HeaderList;
  readonly startedMs: number;
}

/** What became of an attempt, for the CDR. */
export interface AttemptOutcome {
  readonly target: string;
  readonly legId: string;
  /** Undefined when there was no leg yet. */
  readonly sipCallId?: string | undefined;
  readonly status: number;
  /** `call.answered`, `call.cancelled` or that of a failure. */
  readonly code: string;
  readonly durationMs: number;
}

/** What a search tells while it goes on. */
export interface SearchListener {
  /** An attempt took too long; it is to be booked with {@link CalleeSearch.refused}. */
  overdue(attempt: { readonly legId: string; readonly failure: SipFailure }): void;
  /** A target does not take the call. */
  failed(attempt: FailedAttempt): void;
}

/** A target that was, or was to be, invited. */
export interface Tried {
  readonly target: CalleeTarget;
  readonly legId: string;
  /** Undefined when there was no leg yet. */
  readonly sipCallId?: string;
  readonly startedMs: number;
}

/** An attempt that came to nothing. */
export interface FailedAttempt {
  readonly legId: string;
  readonly target: string;
  readonly failure: SipFailure;
  readonly durationMs: number;
}

/** The callee legs of one call: stages one after the other, all targets of a stage at once (RFC 3261 §16.6, §16.7). */
export class CalleeSearch {
  readonly #pending = new Map<string, Attempt>();
  readonly outcomes: AttemptOutcome[] = [];
  #stages: readonly Stage[] = [];
  #best: SipFailure | undefined;
  /** Somebody has refused, or a phone has rung: nobody else is asked. */
  #isSettled = false;

  constructor(
    private readonly clock: Clock,
    private readonly listener: SearchListener,
  ) {}

  /** Sets the stages; {@link nextStage} hands them out. */
  plan(stages: readonly Stage[]): void {
    this.#stages = stages;
  }

  /** Takes the next stage from the plan, undefined when there is none left. */
  nextStage(): Stage | undefined {
    const [stage, ...rest] = this.#stages;
    this.#stages = rest;
    return stage;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** What the caller is told when nobody is left. */
  get bestFailure(): SipFailure | undefined {
    return this.#best;
  }

  /** True when the refusals so far allow another stage. */
  get mayGoOn(): boolean {
    return this.#stages.length > 0 && !this.#isSettled;
  }

  /** Sends the INVITE to a target. Throws a SipFailure when it cannot be sent. */
  invite(target: CalleeTarget, attempt: AttemptStart, listener: CalleeListener): void {
    const { legId, sdp, headers, startedMs } = attempt;
    const invitation = {
      legId,
      sdp,
      from: target.from,
      to: target.to,
      headers: [...headers, ...target.headers],
    };
    const patience = new AttemptPatience(target.limits ?? {}, this.clock, (failure) =>
      this.listener.overdue({ legId, failure }),
    );
    const leg = this.#inviteWith(patience, target, invitation, listener);
    this.#pending.set(legId, { leg, target, startedMs, earlySdp: undefined, patience });
  }

  get(legId: string): Attempt | undefined {
    return this.#pending.get(legId);
  }

  /** Books the refusal of a pending leg; ends it when it is the one that took too long. */
  refused(legId: string, refusal: SipFailure): void {
    const attempt = this.#pending.get(legId);
    if (attempt === undefined) return;
    const { leg, target, patience } = attempt;
    this.#pending.delete(legId);
    patience.stop();
    if (patience.isOver) leg.hangUp();
    if (patience.wasSilent) target.wasSilent?.();
    if (patience.isRinging) this.#isSettled = true;
    this.noteFailure(triedBy(attempt), refusal);
  }

  /** Books a target that failed, also before there was a leg. */
  noteFailure(tried: Tried, refusal: SipFailure): void {
    const { target, legId, startedMs } = tried;
    this.#best = betterFailure(this.#best, refusal);
    if (!(target.failsOver?.(refusal) ?? mayTryNext(refusal))) this.#isSettled = true;
    this.#note(tried, refusal.status, refusal.code);
    const durationMs = this.clock.nowMs() - startedMs;
    this.listener.failed({ legId, target: target.label, failure: refusal, durationMs });
  }

  /** Takes the winner out and ends all others with `headers`. Undefined when the leg is not pending any more. */
  win(legId: string, headers: HeaderList): Attempt | undefined {
    const winner = this.#pending.get(legId);
    if (winner === undefined) return undefined;
    this.#pending.delete(legId);
    winner.patience.stop();
    this.#note(triedBy(winner), 200, 'call.answered');
    this.cancelAll(headers);
    return winner;
  }

  /** Cancels every pending leg. */
  cancelAll(headers: HeaderList): void {
    const losers = [...this.#pending.values()];
    this.#pending.clear();
    for (const loser of losers) {
      loser.patience.stop();
      this.#note(triedBy(loser), 487, 'call.cancelled');
      loser.leg.hangUp({ headers });
    }
  }

  #inviteWith(
    patience: AttemptPatience,
    target: CalleeTarget,
    invitation: Invitation,
    listener: CalleeListener,
  ): Leg {
    try {
      return target.invite(invitation, { ...listener, trying: () => patience.trying() });
    } catch (thrown) {
      patience.stop();
      throw thrown;
    }
  }

  #note({ target, legId, sipCallId, startedMs }: Tried, status: number, code: string): void {
    const durationMs = this.clock.nowMs() - startedMs;
    const dialog = sipCallId === undefined ? {} : { sipCallId };
    this.outcomes.push({ target: target.label, legId, ...dialog, status, code, durationMs });
  }
}

function triedBy({ leg, target, startedMs }: Attempt): Tried {
  return { target, legId: leg.id, sipCallId: leg.sipCallId, startedMs };
}
