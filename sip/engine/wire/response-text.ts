import { createHash } from 'node:crypto';
import { newId, reasonPhrase, tagOf, type SipRequest } from '../../message/index.js';
import type { SipFailure } from '../../failure.js';
import type { ReceivedRequest } from './received.js';

/** Header fields and body of a response, beyond what it copies from its request. `known` and `other` are whole lines. */
export interface ResponseParts {
  readonly status: number;
  readonly reason: string;
  /** Put into To unless the request has one there. */
  readonly toTag?: string;
  readonly copyRecordRoute?: boolean;
  readonly contact?: string;
  readonly known?: string;
  readonly contentType?: string;
  readonly other?: string;
  readonly body?: string;
}

/** The value of To, with the tag. */
export function toWithTag(message: SipRequest, tag: string | undefined): string {
  const to = message.headers.get('to') ?? '';
  return tag === undefined || tagOf(message.to) !== undefined ? to : `${to};tag=${tag}`;
}

/** Writes a response (RFC 3261 §8.2.6). */
export function writeResponse(request: ReceivedRequest, parts: ResponseParts): string {
  const { message } = request;
  const { headers } = message;
  const { contact, contentType, body = '', toTag } = parts;
  const recordRoutes =
    parts.copyRecordRoute === true
      ? headers.getAll('record-route').map((value) => `Record-Route: ${value}\r\n`)
      : [];
  return (
    `SIP/2.0 ${parts.status} ${parts.reason}\r\n${request.vias}${recordRoutes.join('')}` +
    `From: ${headers.get('from') ?? ''}\r\nTo: ${toWithTag(message, toTag)}\r\n` +
    `Call-ID: ${message.callId}\r\nCSeq: ${message.cseq.number} ${message.cseq.method}\r\n` +
    (contact === undefined ? '' : `Contact: ${contact}\r\n`) +
    (parts.known ?? '') +
    (contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`) +
    `Content-Length: ${Buffer.byteLength(body)}\r\n${parts.other ?? ''}\r\n${body}`
  );
}

const salt = newId('l_');

/** A To tag that every retransmission of the same request gets again, without state (RFC 3261 §8.2.7). */
export function statelessTag(message: SipRequest): string {
  const branch = message.topVia.params.get('branch') ?? '';
  return createHash('sha256').update(`${salt}|${branch}|${message.callId}`).digest('base64url').slice(0, 22);
}

/** A final response that leaves no state behind; header fields as pairs. */
export function writeRefusal(
  request: ReceivedRequest,
  status: number,
  headers: readonly (readonly [name: string, value: string])[] = [],
  reason = reasonPhrase(status),
  toTag = statelessTag(request.message),
): Buffer {
  const known = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(writeResponse(request, { status, reason, toTag, known }));
}

/** The same for a typed failure. */
export function writeFailure(request: ReceivedRequest, failure: SipFailure): Buffer {
  return writeRefusal(request, failure.status, failure.headers, failure.reason);
}
