import { failure } from '../failure.js';
import type { LegEnd } from '../leg.js';

/** The end of a dialog that the engine ended with a BYE of its own; `reason` is the text of that BYE's Reason header. */
export function endOfUnsolicitedBye(reason: string): LegEnd {
  switch (reason) {
    case 'ACK timeout':
      return { cause: 'failure', failure: failure('call.ack_timeout') };
    case 'Session timer expired':
      return { cause: 'failure', failure: failure('call.session_expired') };
    case 'CANCEL after 200 OK':
      return { cause: 'remote' };
    case 'ACK-BYE due to cancel race condition':
      return { cause: 'local' };
    default:
      return { cause: 'failure', failure: failure('trunk.protocol', { detail: reason }) };
  }
}
