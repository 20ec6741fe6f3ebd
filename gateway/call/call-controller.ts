import { failure, SipFailure } from '../../sip/failure.js';
import type { IncomingCall, Leg, LegListener } from '../../sip/leg.js';
import { drainFailure } from '../drain-failure.js';
import { Call } from './call.js';
import { tellQuality } from './call-quality.js';
import { tightest, type SideLimits } from './call-limits.js';
import type { CallSnapshot } from './call-snapshot.js';
import type { CallSurroundings } from './call-surroundings.js';
import { CallTable } from './call-table.js';
import { CallRecord, sourceLabel, type Cdr } from './call-record.js';
import { terminationOf } from './failure-map.js';
import type { CallSource, Router } from './ports.js';

/** What a caller has been granted for one call. */
export interface Admission {
  /** Of the caller's side. */
  readonly limits: SideLimits;
  /** The call has ended; `unused`: it was none. */
  release(outcome?: 'unused'): void;
}

/** What admission needs beside the surroundings of each call. */
export interface AdmissionOptions {
  /** Calls that one endpoint may have placed at a time. */
  readonly callsPerEndpoint: number;
  /** Takes what a caller may use only so much of, or says why it cannot; nothing limits an `urgent` call. */
  admit?(source: CallSource, urgent: boolean): Admission | SipFailure;
  /** A new `c_…` id. */
  newCallId(): string;
  /** Writes the CDR of an ended call. */
  record(cdr: Cdr): void;
  /** Writes the CDR of a call that was refused before it began; whoever is refused can send many. */
  recordRefused?(cdr: Cdr, source: CallSource): void;
}

/** How long BYE may stay without an answer when all calls are cut. */
const goodbyeMs = 3_000;

const noAdmission: Admission = { limits: {}, release: () => undefined };

type Surroundings = Omit<CallSurroundings, 'ended'>;

/** Admits incoming calls, from either side, and owns them until they have ended. */
export class CallController {
  readonly table = new CallTable();
  #surroundings: CallSurroundings;
  #callsPerEndpoint: number;
  /** Of calls that are up. */
  readonly #admissions = new Map<string, Admission>();
  #draining: (() => void)[] | undefined;
  /** Why all calls are cut. */
  #cutting: SipFailure | undefined;

  constructor(
    private readonly admission: AdmissionOptions,
    surroundings: Surroundings,
  ) {
    this.#callsPerEndpoint = admission.callsPerEndpoint;
    this.#surroundings = { ...surroundings, ended: (callId, cdr) => this.#ended(callId, cdr) };
  }

  /** Takes an INVITE that has passed the gates of its side: begins a call, or rejects it. */
  incoming(incoming: IncomingCall, source: CallSource): void {
    const admitted = this.#admit(incoming, source);
    if (admitted instanceof SipFailure) return this.#refuse(incoming, source, admitted);
    const limits = tightest(this.#surroundings.limits, admitted.limits);
    const around = { ...this.#surroundings, limits };
    const call = new Call(this.admission.newCallId(), incoming, source, around);
    this.table.add(call);
    this.#admissions.set(call.id, admitted);
    call.start();
  }

  /** A call of that id has not ended. */
  isUp(callId: string): boolean {
    return this.#admissions.has(callId);
  }

  /**
   * Goes on with a call of an earlier process: established, with the caller's leg in `incoming`; `callee` makes the other.
   * Throws when a leg or the media cannot be restored, and once all calls are cut.
   */
  resume(snapshot: CallSnapshot, incoming: IncomingCall, callee: (listener: LegListener) => Leg): Call {
    if (this.#cutting !== undefined) throw this.#cutting;
    const { source, id } = snapshot;
    const admitted = this.#admission(source);
    const around = { ...this.#surroundings, limits: tightest(this.#surroundings.limits, admitted.limits) };
    const call = new Call(id, incoming, source, around);
    try {
      call.resume(snapshot, callee);
    } catch (thrown) {
      admitted.release();
      throw thrown;
    }
    this.table.add(call);
    this.#admissions.set(call.id, admitted);
    around.changed(call);
    return call;
  }

  /** New calls are routed and limited by these; those that are up keep what they began with. */
  renew({ router, callsPerEndpoint }: { readonly router: Router; readonly callsPerEndpoint: number }): void {
    this.#surroundings = { ...this.#surroundings, router };
    this.#callsPerEndpoint = callsPerEndpoint;
  }

  /** Refuses new calls from now on; resolves when the last call has ended. */
  drain(): Promise<void> {
    this.#draining ??= [];
    if (this.table.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#draining?.push(resolve));
  }

  /** Ends every call with `reason`; resolves when all have ended, however their phones and PBXs take it. */
  async cutAll(reason: SipFailure): Promise<void> {
    this.#cutting = reason;
    const gone = this.drain();
    for (const call of this.table.all()) call.cut(reason);
    const late = this.#surroundings.clock.after(goodbyeMs, () => {
      for (const call of this.table.all()) {
        this.#surroundings.events.callAbandoned({ callId: call.id, legIds: call.abandon() });
      }
    });
    await gone;
    late.cancel();
  }

  /** A call that is up counts, but is not refused. */
  #admission(source: CallSource): Admission {
    const granted = this.admission.admit?.(source, true);
    return granted === undefined || granted instanceof SipFailure ? noAdmission : granted;
  }

  #admit(incoming: IncomingCall, source: CallSource): Admission | SipFailure {
    if (this.#draining !== undefined) return drainFailure();
    const urgent = this.#surroundings.router.isEmergency(incoming, source);
    if (source.side === 'browser' && !urgent) {
      if (this.table.countOf(source.endpointId) >= this.#callsPerEndpoint) return failure('limit.calls');
    }
    return this.admission.admit?.(source, urgent) ?? noAdmission;
  }

  /** A limit that is there against floods fills no disk: what it refuses is in log and counters only. */
  #refuse(incoming: IncomingCall, source: CallSource, refusal: SipFailure): void {
    const { events, clock } = this.#surroundings;
    const id = this.admission.newCallId();
    const { side } = source;
    const { leg } = incoming;
    const who = sourceLabel(source);
    events.callRefused({ callId: id, side, who, sipCallId: leg.sipCallId, failure: refusal });
    leg.reject(refusal);
    if (refusal.code === 'limit.invite_rate') return;
    const record = new CallRecord(clock);
    record.end(terminationOf(refusal), refusal);
    this.admission.recordRefused?.(record.cdr({ id, incoming, source }, undefined, [], []), source);
  }

  /** What a PBX has answered with a challenge is no call: the caller sends it again, with its password. */
  #ended(callId: string, cdr: Cdr): void {
    this.table.remove(callId);
    const isCall = cdr.termination.code !== 'auth.challenged';
    this.#admissions.get(callId)?.release(isCall ? undefined : 'unused');
    this.#admissions.delete(callId);
    if (isCall) this.#recordCall(cdr);
    if (this.table.size > 0 || this.#draining === undefined) return;
    for (const resolve of this.#draining.splice(0)) resolve();
  }

  #recordCall(cdr: Cdr): void {
    const { anchoredMedia, events } = this.#surroundings;
    tellQuality(cdr, anchoredMedia.name, events);
    this.admission.record(cdr);
  }
}
