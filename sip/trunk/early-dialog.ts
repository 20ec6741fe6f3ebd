import { failure } from '../failure.js';
import type { LegListener } from '../leg.js';
import type { SipRequest } from '../message/index.js';
import type { FinalAnswer } from './final-answer.js';
import { toInDialogRequest } from './in-dialog-messages.js';
import { readRequest, sdpOf } from './received-message.js';
import type { SrfRequest } from './srf-types.js';

/**
 * Answers an UPDATE that comes before the INVITE is answered (RFC 3311 §5.2): one without SDP only refreshes the target;
 * one with an offer comes while the INVITE's own offer is open.
 */
export function answerEarlyUpdate(update: SrfRequest, contact: string | undefined, final: FinalAnswer): void {
  const message = readRequest(update.msg);
  if (message === undefined) return final.send(400, 'Bad Request');
  if (sdpOf(message) === undefined) {
    return final.send(200, 'OK', { headers: contact === undefined ? [] : [['Contact', contact]] });
  }
  const { status, reason } = failure('dialog.request_pending');
  final.send(status, reason);
}

/** Passes on any other request inside an early dialog. */
export function passOnEarly(message: SipRequest, final: FinalAnswer, listener: LegListener): void {
  listener.request(toInDialogRequest(message, final));
}
