import { failure, type SipFailure } from '../sip/failure.js';

const retrySeconds = '5';

/** What is answered to whatever would begin something new while the gateway drains. */
export function drainFailure(): SipFailure {
  return failure('gateway.draining', { headers: [['Retry-After', retrySeconds]] });
}
