import type { CalleeListener, LegEnd, LegListener } from '../../sip/leg.js';
import type { CallEventMap, CallEventName } from './call-transitions.js';

/** Where a call hears what its legs tell. */
export interface LegEars {
  post<Name extends CallEventName>(name: Name, event: CallEventMap[Name]): void;
  answered(event: CallEventMap['answered']): void;
  callerGone(end: LegEnd): void;
  calleeGone(legId: string, end: LegEnd): void;
}

export function callerEars(legId: string, ears: LegEars): LegListener {
  return {
    reoffer: (reoffer) => ears.post('reoffer', { legId, reoffer }),
    request: (request) => ears.post('request', { legId, request }),
    ended: (end) => ears.callerGone(end),
  };
}

export function calleeEars(legId: string, ears: LegEars): CalleeListener {
  return {
    progress: (progress) => ears.post('progress', { legId, progress }),
    answered: (answer) => ears.answered({ legId, answer }),
    reoffer: (reoffer) => ears.post('reoffer', { legId, reoffer }),
    request: (request) => ears.post('request', { legId, request }),
    failed: (refusal) => ears.calleeGone(legId, { cause: 'failure', failure: refusal }),
    ended: (end) => ears.calleeGone(legId, end),
  };
}
