import type { CalleeProgress } from '../leg.js';
import { responseOf } from './engine-failure.js';
import { noHeaders, readResponse, sdpOf } from './received-message.js';
import { Srf, type SrfDialog, type SrfLateOffer, type SrfRequest, type SrfStack } from './srf-types.js';

/** How createUAC ends when the callee answered 2xx; `unreachable`: acknowledged, but without a Contact to go on with. */
export type CalleeResult = SrfDialog | SrfLateOffer | 'unreachable';

export function isLateOffer(result: SrfDialog | SrfLateOffer): result is SrfLateOffer {
  return !('removeAllListeners' in result);
}

/**
 * The call behind a 2xx that srf reports as an error: any but 200, and 200 without Contact. It has sent the ACK in both
 * cases, so the call stands and must be used or ended. Undefined when the callee did refuse.
 */
export function rescueAnswer(
  srf: SrfStack,
  request: SrfRequest | undefined,
  error: unknown,
): CalleeResult | undefined {
  const response = responseOf(error);
  if (response === undefined || response.status >= 300 || request === undefined) return undefined;
  if (!response.has('Contact')) return 'unreachable';
  try {
    const dialog = new Srf.Dialog(srf, 'uac', { req: request, res: response });
    srf.addDialog(dialog);
    return dialog;
  } catch {
    return 'unreachable';
  }
}

/** The 2xx itself. */
export function answerOf(result: SrfDialog | SrfLateOffer): CalleeProgress {
  const { res } = result;
  const message = readResponse(res.msg);
  return {
    status: res.status,
    reason: res.reason ?? '',
    sdp: message === undefined ? undefined : sdpOf(message),
    headers: message?.headers ?? noHeaders,
  };
}
