import type { InDialogRequest, InDialogResponse } from '../leg.js';
import { bodyText, type SipRequest } from '../message/index.js';
import type { FinalAnswer } from './final-answer.js';
import { contentTypeOf, noHeaders, readResponse } from './received-message.js';
import type { SrfResponse } from './srf-types.js';

/** A received request in the form that call control takes. */
export function toInDialogRequest(request: SipRequest, final: FinalAnswer): InDialogRequest {
  return {
    method: request.method,
    headers: request.headers,
    contentType: contentTypeOf(request),
    body: bodyText(request),
    respond: (status, reason = '', headers = []) => final.send(status, reason, { headers }),
  };
}

/** A final response in the form that call control takes. */
export function toInDialogResponse(response: SrfResponse): InDialogResponse {
  const message = readResponse(response.msg);
  return {
    status: response.status,
    reason: response.reason ?? '',
    headers: message?.headers ?? noHeaders,
    contentType: message === undefined ? undefined : contentTypeOf(message),
    body: message === undefined ? '' : bodyText(message),
  };
}
