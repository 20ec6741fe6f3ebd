import type { SipFailure } from '../../sip/failure.js';
import type { CalleeAnswer, CalleeProgress, InDialogRequest, LegEnd, Reoffer } from '../../sip/leg.js';
import type { RoutePlan } from './ports.js';

/** The states of a call (DESIGN §4). */
export type CallState = 'routing' | 'inviting' | 'ringing' | 'answering' | 'established' | 'ending' | 'ended';

/** What can happen to a call, with what it brings. */
export interface CallEventMap {
  routed: { readonly plan: RoutePlan };
  /** There is no target, or none is left. */
  unroutable: { readonly failure: SipFailure };
  progress: { readonly legId: string; readonly progress: CalleeProgress };
  answered: { readonly legId: string; readonly answer: CalleeAnswer };
  /** A callee that is not connected is gone: it refused, or we cancelled it. */
  refused: { readonly legId: string; readonly failure: SipFailure };
  /** The caller's ACK. */
  acknowledged: { readonly sdp: string | undefined };
  callerGone: { readonly end: LegEnd };
  /** The connected callee is gone. */
  calleeGone: { readonly end: LegEnd };
  reoffer: { readonly legId: string; readonly reoffer: Reoffer };
  request: { readonly legId: string; readonly request: InDialogRequest };
  /** A decision of ours: ring or duration limit, lost media, drain, a defect. */
  cut: { readonly failure: SipFailure };
  /** The last leg has reported its end. */
  settled: Record<string, never>;
}

export type CallEventName = keyof CallEventMap;

/** The things that a call can do; {@link callTransitions} says when. */
export interface CallActions {
  inviteStage(event: CallEventMap['routed']): void | Promise<void>;
  refuseCaller(event: { readonly failure: SipFailure }): void;
  relayProgress(event: CallEventMap['progress']): void | Promise<void>;
  answerCaller(event: CallEventMap['answered']): void | Promise<void>;
  establish(event: CallEventMap['acknowledged']): void | Promise<void>;
  releaseExtra(event: CallEventMap['answered']): void;
  noteRefusal(event: CallEventMap['refused']): void | Promise<void>;
  endForCaller(event: CallEventMap['callerGone']): void;
  endForCallee(event: CallEventMap['calleeGone']): void;
  negotiate(event: CallEventMap['reoffer']): void;
  /** Answers an offer in UPDATE or PRACK before the call is answered (RFC 3262 §5, RFC 3311 §5.1). */
  negotiateEarly(event: CallEventMap['reoffer']): Promise<void>;
  refuseReoffer(event: CallEventMap['reoffer']): void;
  /** Keeps a re-offer that overtook the ACK, or came from the callee before it, until the call is established. */
  deferReoffer(event: CallEventMap['reoffer']): void;
  forwardRequest(event: CallEventMap['request']): void;
  refuseRequest(event: CallEventMap['request']): void;
  endBoth(event: CallEventMap['cut']): void;
  finish(): Promise<void>;
  /** The event needs nothing beyond the book-keeping of open legs. */
  note(): void;
}

/** The next state, and what to do on entering it. */
export interface CallTransition<Name extends CallEventName> {
  readonly to: CallState;
  readonly act: (call: CallActions, event: CallEventMap[Name]) => void | Promise<void>;
}

type TransitionTable = {
  readonly [Name in CallEventName]: Partial<Record<CallState, CallTransition<Name>>>;
};

/** State × event → state, action. A pair that is not here cannot matter any more and is ignored. */
export const callTransitions: TransitionTable = {
  routed: {
    routing: { to: 'inviting', act: (call, event) => call.inviteStage(event) },
  },
  unroutable: {
    routing: { to: 'ending', act: (call, event) => call.refuseCaller(event) },
    inviting: { to: 'ending', act: (call, event) => call.refuseCaller(event) },
    ringing: { to: 'ending', act: (call, event) => call.refuseCaller(event) },
  },
  progress: {
    inviting: { to: 'ringing', act: (call, event) => call.relayProgress(event) },
    ringing: { to: 'ringing', act: (call, event) => call.relayProgress(event) },
  },
  answered: {
    inviting: { to: 'answering', act: (call, event) => call.answerCaller(event) },
    ringing: { to: 'answering', act: (call, event) => call.answerCaller(event) },
    answering: { to: 'answering', act: (call, event) => call.releaseExtra(event) },
    established: { to: 'established', act: (call, event) => call.releaseExtra(event) },
    ending: { to: 'ending', act: (call, event) => call.releaseExtra(event) },
  },
  refused: {
    inviting: { to: 'inviting', act: (call, event) => call.noteRefusal(event) },
    ringing: { to: 'ringing', act: (call, event) => call.noteRefusal(event) },
    answering: { to: 'answering', act: (call) => call.note() },
    established: { to: 'established', act: (call) => call.note() },
    ending: { to: 'ending', act: (call) => call.note() },
  },
  acknowledged: {
    answering: { to: 'established', act: (call, event) => call.establish(event) },
  },
  callerGone: {
    routing: { to: 'ending', act: (call, event) => call.endForCaller(event) },
    inviting: { to: 'ending', act: (call, event) => call.endForCaller(event) },
    ringing: { to: 'ending', act: (call, event) => call.endForCaller(event) },
    answering: { to: 'ending', act: (call, event) => call.endForCaller(event) },
    established: { to: 'ending', act: (call, event) => call.endForCaller(event) },
    ending: { to: 'ending', act: (call) => call.note() },
  },
  calleeGone: {
    answering: { to: 'ending', act: (call, event) => call.endForCallee(event) },
    established: { to: 'ending', act: (call, event) => call.endForCallee(event) },
    ending: { to: 'ending', act: (call) => call.note() },
  },
  reoffer: {
    routing: { to: 'routing', act: (call, event) => call.refuseReoffer(event) },
    inviting: { to: 'inviting', act: (call, event) => call.refuseReoffer(event) },
    ringing: { to: 'ringing', act: (call, event) => call.negotiateEarly(event) },
    answering: { to: 'answering', act: (call, event) => call.deferReoffer(event) },
    established: { to: 'established', act: (call, event) => call.negotiate(event) },
    ending: { to: 'ending', act: (call, event) => call.refuseReoffer(event) },
  },
  request: {
    routing: { to: 'routing', act: (call, event) => call.refuseRequest(event) },
    inviting: { to: 'inviting', act: (call, event) => call.forwardRequest(event) },
    ringing: { to: 'ringing', act: (call, event) => call.forwardRequest(event) },
    answering: { to: 'answering', act: (call, event) => call.forwardRequest(event) },
    established: { to: 'established', act: (call, event) => call.forwardRequest(event) },
    ending: { to: 'ending', act: (call, event) => call.refuseRequest(event) },
  },
  cut: {
    routing: { to: 'ending', act: (call, event) => call.endBoth(event) },
    inviting: { to: 'ending', act: (call, event) => call.endBoth(event) },
    ringing: { to: 'ending', act: (call, event) => call.endBoth(event) },
    answering: { to: 'ending', act: (call, event) => call.endBoth(event) },
    established: { to: 'ending', act: (call, event) => call.endBoth(event) },
  },
  settled: {
    ending: { to: 'ended', act: (call) => call.finish() },
  },
};
