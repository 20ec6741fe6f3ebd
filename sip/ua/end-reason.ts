import { failure, SipFailure, type FailureCode } from '../failure.js';

/** Why what is under way is given up. A bare code becomes a failure only when somebody waits for it. */
export type EndReason = SipFailure | FailureCode;

export function failureFor(reason: EndReason): SipFailure {
  return reason instanceof SipFailure ? reason : failure(reason);
}
