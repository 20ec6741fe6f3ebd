import { failure, toFailure, type SipFailure } from '../../sip/failure.js';
import type { CallerLeg, HeaderList, IncomingCall, Leg, LegEnd, LegListener } from '../../sip/leg.js';
import type { Timer } from '../../sip/clock.js';
import { CallStates } from './call-states.js';
import type { CallActions, CallEventMap, CallState } from './call-transitions.js';
import { settleMs, tightest, type SideLimits } from './call-limits.js';
import { CallMedia } from './call-media.js';
import { CallRecord } from './call-record.js';
import { restoredAttempt, snapshotOf, type CallSnapshot } from './call-snapshot.js';
import type { CallSurroundings } from './call-surroundings.js';
import { CalleeSearch, type Attempt } from './callee-search.js';
import { EarlyMedia } from './early-media.js';
import { classifyRefusal, terminationOf, towardsCaller, unended } from './failure-map.js';
import { completedElsewhere, reasonHeaders } from './header-policy.js';
import { Negotiation, tellEvents } from './negotiation.js';
import type { Termination } from '../telemetry/call-events.js';
import type { CallSource, CalleeTarget } from './ports.js';
import { answerLocally, InDialog } from './in-dialog.js';
import { calleeEars, callerEars, type LegEars } from './leg-ears.js';
import { calleeOf, MediaCheck } from './media-check.js';
import { OwnReoffers } from './own-reoffers.js';

/**
 * One call: a caller leg and the callee legs that are tried for it (DESIGN §4). All that happens to it passes through
 * one serial queue and the table in call-transitions.ts (`call-states.ts`).
 */
export class Call implements CallActions {
  readonly caller: CallerLeg;
  readonly #states: CallStates;
  readonly #search: CalleeSearch;
  readonly #openLegs = new Set<string>();
  readonly #record: CallRecord;
  readonly #media: CallMedia;
  readonly #inDialog: InDialog;
  readonly #early: EarlyMedia;
  readonly #ownReoffers: OwnReoffers;
  readonly #mediaCheck: MediaCheck;
  readonly #negotiation: Negotiation;
  #limits: SideLimits;
  #connected: Attempt | undefined;
  #lateAck: ((sdp?: string) => void) | undefined;
  #deferred: CallEventMap['reoffer'][] = [];
  #timer: Timer | undefined;

  /** Takes over the incoming call; {@link start} must follow in the same turn. */
  constructor(
    readonly id: string,
    readonly incoming: IncomingCall,
    readonly source: CallSource,
    private readonly around: CallSurroundings,
  ) {
    this.caller = incoming.leg;
    this.#limits = around.limits;
    this.#states = new CallStates({
      actions: this,
      hasOpenLegs: () => this.#openLegs.size > 0,
      defect: (thrown) => around.defect(thrown),
    });
    this.#search = new CalleeSearch(around.clock, {
      overdue: (attempt) => this.#states.post('refused', attempt),
      failed: (attempt) => around.events.callAttemptFailed({ callId: id, ...attempt }),
    });
    this.#record = new CallRecord(around.clock);
    this.#media = new CallMedia(id, incoming.leg.id, source, around, (lost) => this.cut(lost));
    this.#inDialog = new InDialog(this, this.#media, () => this.#connected, around.events);
    this.#early = new EarlyMedia(this.#media, incoming.leg, incoming.sdp);
    this.#ownReoffers = new OwnReoffers(around.clock, this.#media, {
      caller: this.caller,
      reoffer: (event) => this.#states.post('reoffer', event),
    });
    this.#mediaCheck = new MediaCheck(around.clock, this.#media, {
      ...{ source, caller: this.caller, callee: () => calleeOf(this.#connected) },
      offerAgain: (legId, sdp) => this.#ownReoffers.offer(legId, sdp),
    });
    this.#negotiation = new Negotiation(this.#media, tellEvents(this, around), this.#ownReoffers);
  }

  get state(): CallState {
    return this.#states.state;
  }

  /** Milliseconds since the Unix epoch. */
  get startedMs(): number {
    return this.#record.startedMs;
  }

  /** The label of the connected callee. */
  get calleeLabel(): string | undefined {
    return this.#connected?.target.label;
  }

  /** Listens to the caller and begins to route. */
  start(): void {
    const { id: callId, caller, incoming, source, around } = this;
    const { sipCallId } = caller;
    this.#openLegs.add(caller.id);
    caller.listen(callerEars(caller.id, this.#ears));
    const { from, requestUri: dialled } = incoming;
    around.events.callStarted({ callId, from: from.uri, dialled, side: source.side, sipCallId });
    this.#states.push(async () => {
      try {
        await this.#states.dispatch('routed', { plan: await around.router.plan(incoming, source) });
      } catch (thrown) {
        await this.#states.dispatch('unroutable', { failure: this.#states.asFailure(thrown) });
      }
    });
  }

  /**
   * Goes on with a call of an earlier process, instead of {@link start}: established, with the caller's leg that it was
   * made with. `callee` makes the other leg. Throws when a leg or the media cannot be restored: nothing is left of it then.
   */
  resume(snapshot: CallSnapshot, callee: (listener: LegListener) => Leg): void {
    const { caller, around } = this;
    this.#media.restore(snapshot);
    this.#states.jump('established');
    this.#record.restore(snapshot);
    this.#search.outcomes.push(...snapshot.attempts);
    this.#negotiation.restore(snapshot.holding);
    try {
      caller.listen(callerEars(this.caller.id, this.#ears));
      const leg = callee(calleeEars(snapshot.callee.legId, this.#ears));
      this.#connected = restoredAttempt(snapshot.callee, leg, around.clock);
      this.#openLegs.add(caller.id).add(leg.id);
    } catch (thrown) {
      this.#states.jump('ended');
      this.#media.discard();
      throw thrown;
    }
    const talkedMs = around.clock.nowMs() - snapshot.answeredMs;
    const { maxDurationMs } = snapshot;
    if (maxDurationMs !== undefined) this.#limit(maxDurationMs - talkedMs, 'call.max_duration');
  }

  /** What another process needs to go on with the call; undefined while it cannot be taken over. */
  snapshot(): CallSnapshot | undefined {
    const callee = this.#connected;
    if (this.state !== 'established' || callee === undefined || this.#negotiation.isBusy) return undefined;
    return snapshotOf(this, callee, (legId) => this.#media.agreedOf(legId), {
      ...this.#record.times,
      attempts: this.#search.outcomes,
      holding: this.#negotiation.holding,
      media: this.#media.snapshot(),
    });
  }

  /** The endpoint has a new flow; the call may have nothing to do with it. */
  browserIsBack(endpointId: string): void {
    this.#mediaCheck.browserIsBack(endpointId);
  }

  /** Ends the call from outside: drain, lost engine, operator. Idempotent. */
  cut(reason: SipFailure): void {
    this.#states.post('cut', { failure: reason });
  }

  /** Waits no more for legs to report their end; says which ones have not. */
  abandon(): readonly string[] {
    const left = [...this.#openLegs];
    this.#openLegs.clear();
    this.#states.post('settled', {});
    return left;
  }

  // Actions, called by the table

  async inviteStage({ plan }: CallEventMap['routed']): Promise<void> {
    this.#record.route = plan.route;
    if (plan.emergency === true) this.#limits = {};
    this.#search.plan(plan.stages);
    const labels = plan.stages.flat().map((target) => target.label);
    this.around.events.callRouted({ callId: this.id, route: plan.route, targets: labels });
    this.#limit(this.#limits.maxRingMs, 'callee.no_answer');
    await this.#inviteNext();
  }

  refuseCaller({ failure: refusal }: { readonly failure: SipFailure }): void {
    this.#end(terminationOf(refusal), refusal);
    this.caller.reject(towardsCaller(refusal));
  }

  async relayProgress({ legId, progress }: CallEventMap['progress']): Promise<void> {
    const attempt = this.#search.get(legId);
    if (attempt === undefined) return;
    const { status, reason, sdp } = progress;
    attempt.patience.progress(status);
    const early = sdp === undefined ? undefined : await this.#early.progress(attempt, sdp);
    this.around.events.callProgress({ callId: this.id, legId, status, earlyMedia: early !== undefined });
    const headers = early === undefined ? [] : this.#inDialog.progressed(progress.headers);
    this.caller.progress(status, reason, early, headers);
  }

  async answerCaller({ legId, answer }: CallEventMap['answered']): Promise<void> {
    const winner = this.#search.win(legId, completedElsewhere);
    if (winner === undefined) return this.releaseExtra({ legId, answer });
    this.#connected = winner;
    const sdp = answer.sdp ?? winner.earlySdp;
    try {
      if (sdp === undefined) throw failure('trunk.protocol', { detail: '2xx without SDP' });
      const forCaller = await this.#early.final(winner.leg, sdp);
      if (this.incoming.sdp === undefined) this.#lateAck = (ackSdp) => answer.ack(ackSdp);
      else answer.ack();
      this.#answer(winner, forCaller, this.#inDialog.answered(answer.headers));
    } catch (thrown) {
      answer.ack();
      throw thrown;
    }
  }

  async establish({ sdp }: CallEventMap['acknowledged']): Promise<void> {
    this.#inDialog.acknowledged();
    this.#record.maxDurationMs = tightest(this.#limits, this.#connected?.target.limits).maxDurationMs;
    this.#limit(this.#record.maxDurationMs, 'call.max_duration');
    const owed = this.#early.takeOwed(this.#connected?.leg.id);
    if (owed !== undefined) this.#ownReoffers.offer(this.caller.id, owed);
    for (const event of this.#deferred.splice(0)) this.#states.post('reoffer', event);
    const ack = this.#lateAck;
    if (ack === undefined) return this.around.changed(this);
    this.#lateAck = undefined;
    if (sdp === undefined || this.#connected === undefined) {
      ack();
      throw failure('media.sdp_malformed', { detail: 'ACK without SDP to an offer in the 2xx' });
    }
    ack(await this.#media.answer(this.caller.id, this.#connected.leg.id, sdp));
    this.around.changed(this);
  }

  releaseExtra({ legId, answer }: CallEventMap['answered']): void {
    answer.ack();
    this.#search.get(legId)?.leg.hangUp({ headers: completedElsewhere });
  }

  async noteRefusal({ legId, failure: refusal }: CallEventMap['refused']): Promise<void> {
    this.#search.refused(legId, classifyRefusal(refusal));
    this.#openLegs.delete(legId);
    this.#media.removeEnd(legId);
    this.#early.forget(legId);
    if (this.#search.pendingCount === 0) await this.#inviteNext();
  }

  endForCaller({ end }: CallEventMap['callerGone']): void {
    this.#end(this.#record.terminationBy('caller', end), end.failure);
    this.#search.cancelAll(reasonHeaders(end));
    this.#lateAck?.();
    this.#connected?.leg.hangUp({ headers: reasonHeaders(end) });
  }

  endForCallee({ end }: CallEventMap['calleeGone']): void {
    this.#end(this.#record.terminationBy('callee', end), end.failure);
    this.caller.hangUp({ headers: reasonHeaders(end) });
  }

  negotiate({ legId, reoffer }: CallEventMap['reoffer']): void {
    const callee = this.#connected?.leg;
    if (callee === undefined) return this.refuseReoffer({ legId, reoffer });
    if (legId === callee.id) this.#negotiation.run({ reoffer, by: 'callee', from: callee, to: this.caller });
    else this.#negotiation.run({ reoffer, by: 'caller', from: this.caller, to: callee });
  }

  async negotiateEarly({ legId, reoffer }: CallEventMap['reoffer']): Promise<void> {
    const refusal = await this.#early.reoffer(legId, reoffer);
    if (refusal === undefined) return;
    const by = legId === this.caller.id ? 'caller' : 'callee';
    this.around.events.callReofferRefused({ callId: this.id, by, failure: refusal });
  }

  refuseReoffer({ reoffer }: CallEventMap['reoffer']): void {
    reoffer.reject(failure('dialog.request_pending'));
  }

  deferReoffer(event: CallEventMap['reoffer']): void {
    this.#deferred.push(event);
  }

  forwardRequest({ legId, request }: CallEventMap['request']): void {
    this.#inDialog.forward(legId, request);
  }

  refuseRequest({ request }: CallEventMap['request']): void {
    answerLocally(request);
  }

  endBoth({ failure: reason }: CallEventMap['cut']): void {
    this.#end(terminationOf(reason), reason);
    const headers = reasonHeaders({ failure: reason });
    this.#search.cancelAll(headers);
    this.#lateAck?.();
    this.#connected?.leg.hangUp({ headers });
    this.caller.hangUp({ failure: towardsCaller(reason), headers });
  }

  note(): void {}

  async finish(): Promise<void> {
    this.#timer?.cancel();
    this.#mediaCheck.close();
    const media = await this.#media.close();
    const cdr = this.#record.cdr(this, this.#connected, this.#search.outcomes, media);
    this.around.events.callEnded({ callId: this.id, durationMs: cdr.durationMs, ...this.#record.outcome });
    this.around.ended(this.id, cdr);
  }

  // What comes from the legs

  /** What each leg tells, as events of the call. */
  get #ears(): LegEars {
    return {
      post: (name, event) => this.#states.post(name, event),
      answered: (event) => this.#states.push(() => this.#calleeAnswered(event)),
      callerGone: (end) => {
        this.#openLegs.delete(this.caller.id);
        this.#states.post('callerGone', { end });
      },
      calleeGone: (legId, end) => this.#calleeGone(legId, end),
    };
  }

  /** One that is not waited for any more may answer all the same. */
  #calleeAnswered(event: CallEventMap['answered']): void | Promise<void> {
    const isAwaited = this.#search.get(event.legId) !== undefined;
    return isAwaited ? this.#states.dispatch('answered', event) : this.releaseExtra(event);
  }

  #calleeGone(legId: string, end: LegEnd): void {
    this.#states.push(() => {
      this.#openLegs.delete(legId);
      if (this.#connected?.leg.id === legId) return this.#states.dispatch('calleeGone', { end });
      return this.#states.dispatch('refused', {
        legId,
        failure: end.failure ?? failure('upstream.refused', { detail: 'the callee left before it answered' }),
      });
    });
  }

  // Steps shared by the actions

  #limit(limitMs: number | undefined, code: 'callee.no_answer' | 'call.max_duration'): void {
    this.#timer?.cancel();
    if (limitMs === undefined) return;
    this.#timer = this.around.clock.after(limitMs, () =>
      this.#states.post('cut', { failure: failure(code) }),
    );
  }

  /** Begins the next stage; when there is none, or all its targets fail at once, tells the caller. */
  async #inviteNext(): Promise<void> {
    while (this.#search.mayGoOn && this.#search.pendingCount === 0) {
      for (const target of this.#search.nextStage() ?? []) await this.#invite(target);
    }
    if (this.#search.pendingCount > 0) return;
    await this.#states.dispatch('unroutable', {
      failure: this.#search.bestFailure ?? failure('route.no_match'),
    });
  }

  async #invite(target: CalleeTarget): Promise<void> {
    const legId = this.around.newLegId();
    const startedMs = this.around.clock.nowMs();
    try {
      const sdp = await this.#media.offerTo(legId, target, this.incoming.sdp);
      const headers = this.#inDialog.inviteHeaders(target);
      this.#openLegs.add(legId);
      this.#search.invite(target, { legId, sdp, headers, startedMs }, calleeEars(legId, this.#ears));
      this.around.events.callAttempt({ callId: this.id, legId, target: target.label, side: target.side });
    } catch (thrown) {
      this.#openLegs.delete(legId);
      this.#media.removeEnd(legId);
      this.#search.noteFailure({ target, legId, startedMs }, this.#states.asFailure(thrown));
    }
  }

  #answer(winner: Attempt, sdp: string, headers: HeaderList): void {
    this.#timer?.cancel();
    const answered = { callId: this.id, legId: winner.leg.id, target: winner.target.label };
    this.around.events.callAnswered({ ...answered, setupMs: this.#record.answered() });
    this.caller.answer(sdp, headers).then(
      (ackSdp) => this.#states.post('acknowledged', { sdp: ackSdp }),
      (thrown: unknown) => this.#states.post('cut', { failure: toFailure(thrown) }),
    );
  }

  /** Records the one termination and waits, not for ever, for the legs to report their end. */
  #end(termination: Termination, reason: SipFailure | undefined): void {
    this.#record.end(termination, reason);
    this.#ownReoffers.close();
    for (const event of this.#deferred.splice(0)) this.refuseReoffer(event);
    this.#timer?.cancel();
    this.#timer = this.around.clock.after(settleMs, () => this.around.defect(unended(this.abandon())));
  }
}
