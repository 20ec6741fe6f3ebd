import { toFailure } from '../../sip/failure.js';
import type { InDialogRequest, Leg } from '../../sip/leg.js';

/** Methods that are carried from one leg to the other: DTMF and text (RFC 6086, RFC 3428). */
const carried: ReadonlySet<string> = new Set(['INFO', 'MESSAGE']);

const allow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, MESSAGE, UPDATE, PRACK';

/** Answers a request that concerns only the leg it came on, or that comes too early or too late to be carried. */
export function answerLocally(request: InDialogRequest): void {
  if (request.method === 'OPTIONS') return request.respond(200, 'OK', [['Allow', allow]]);
  if (carried.has(request.method)) return request.respond(480, 'Temporarily Unavailable');
  request.respond(405, 'Method Not Allowed', [['Allow', allow]]);
}

/** Sends the request on in the other leg's dialog and answers it with what the other side answered. */
export function forwardInDialog(request: InDialogRequest, to: Leg): void {
  if (!carried.has(request.method)) return answerLocally(request);
  const content =
    request.contentType === undefined ? undefined : { contentType: request.contentType, body: request.body };
  to.request(request.method, content).then(
    (response) => request.respond(response.status, response.reason),
    (thrown: unknown) => {
      const { status, reason } = toFailure(thrown);
      request.respond(status, reason);
    },
  );
}
