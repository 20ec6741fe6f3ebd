import type { Clock } from '../../sip/clock.js';
import { failure, type SipFailure } from '../../sip/failure.js';
import { sourceLabel, type Cdr } from '../call/call-record.js';
import type { CallSnapshot } from '../call/call-snapshot.js';
import { terminationOf } from '../call/failure-map.js';

const iso = (epochMs: number): string => new Date(epochMs).toISOString();

/** The CDR of a call that was up when its process died. It ends now: nobody knows when its parties gave up. */
export function lostCallCdr(call: CallSnapshot, why: SipFailure, clock: Clock): Cdr {
  const { source, caller, callee, answeredMs, startedMs } = call;
  const endedMs = clock.nowMs();
  const crashed = failure('gateway.crashed', { detail: why.message });
  return {
    callId: call.id,
    caller: {
      side: caller.dialog.side,
      legId: caller.legId,
      sipCallId: caller.dialog.callId,
      who: sourceLabel(source),
    },
    callee: { side: callee.side, legId: callee.legId, sipCallId: callee.dialog.callId, who: callee.label },
    dialled: call.dialled,
    route: call.route ?? null,
    attempts: call.attempts,
    startedAt: iso(startedMs),
    answeredAt: iso(answeredMs),
    endedAt: iso(endedMs),
    setupMs: answeredMs - startedMs,
    durationMs: Math.max(endedMs - answeredMs, 0),
    termination: terminationOf(crashed),
    media: [],
  };
}
