import type { SipFailure } from '../../sip/failure.js';
import type { LegSide } from '../../sip/leg.js';
import type { MediaEndStats, MediaEngineName, MediaQuality } from '../../sip/media/media-engine.js';

/** How the packets of one side of a call arrived. */
export interface SideQuality extends MediaQuality, Pick<MediaEndStats, 'codec'> {
  readonly side: LegSide;
  readonly packets: number;
}

/** The one recorded outcome of a call (DESIGN §7). */
export interface Termination {
  readonly result: 'completed' | 'caller' | 'callee' | 'upstream' | 'gateway';
  /** `call.completed` or the code of the failure. */
  readonly code: string;
  readonly status: number;
  readonly reason: string;
  /** Who hung up first. */
  readonly by: 'caller' | 'callee' | 'gateway';
}

/** What becomes of trickled candidates: an engine of ours finds the browser without; `lost`: the other side takes none. */
export const trickleOutcomes = ['not_needed', 'passed', 'lost', 'refused'] as const;
export type TrickleOutcome = (typeof trickleOutcomes)[number];

/** The business events of calls, each logged as one line and counted once (DESIGN §9 rule 8). */
export interface CallEvents {
  callStarted(call: {
    callId: string;
    from: string;
    dialled: string;
    side: LegSide;
    sipCallId: string;
  }): void;
  callRouted(call: { callId: string; route: string; targets: readonly string[] }): void;
  callAttempt(call: { callId: string; legId: string; target: string; side: LegSide }): void;
  /** A target does not take the call; the next one is tried, if there is any. */
  callAttemptFailed(call: {
    callId: string;
    legId: string;
    target: string;
    failure: SipFailure;
    durationMs: number;
  }): void;
  callProgress(call: { callId: string; legId: string; status: number; earlyMedia: boolean }): void;
  callAnswered(call: { callId: string; legId: string; target: string; setupMs: number }): void;
  callHeld(call: { callId: string; by: 'caller' | 'callee' }): void;
  callResumed(call: { callId: string; by: 'caller' | 'callee' }): void;
  callReofferRefused(call: { callId: string; by: 'caller' | 'callee'; failure: SipFailure }): void;
  callEnded(call: {
    callId: string;
    durationMs: number;
    termination: Termination;
    failure?: SipFailure;
  }): void;
  /** A call that was cut is over for us, although these legs have not answered BYE or CANCEL. */
  callAbandoned(call: { readonly callId: string; readonly legIds: readonly string[] }): void;
  /** A call has ended and its media was measured: once per call, with each side of which something is known. */
  callQuality(call: {
    readonly callId: string;
    readonly engine: MediaEngineName;
    readonly sides: readonly SideQuality[];
  }): void;
  /** A key that somebody pressed did not reach the other side. */
  callToneLost(call: { readonly callId: string; readonly failure: SipFailure }): void;
  /** A browser has sent candidates after its description (RFC 8840). `failure`: why they were refused or are lost. */
  callTrickled(call: {
    readonly callId: string;
    readonly legId: string;
    readonly outcome: TrickleOutcome;
    readonly failure?: SipFailure;
  }): void;
  /** An INVITE was refused before its call began. `who`: address-of-record, or trunk and remote address. */
  callRefused(call: {
    readonly callId: string;
    readonly side: LegSide;
    readonly who: string;
    readonly sipCallId: string;
    readonly failure: SipFailure;
  }): void;
}
