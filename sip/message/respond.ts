import type { SipFailure } from '../failure.js';
import type { HeaderList } from '../leg.js';
import { isToken } from './chars.js';
import { Headers } from './headers.js';
import type { SipRequest, SipResponse } from './message.js';
import { tagOf, withTag } from './name-addr.js';
import { reasonPhrase } from './status.js';
import { statelessTag } from './to-tag.js';
import { branchOf } from './via.js';

export interface RespondOptions {
  /** Default: the usual phrase of the status. */
  readonly reason?: string;
  /** Default: the same for each retransmission of the request (RFC 3261 §8.2.7). */
  readonly toTag?: string;
  /** Appended after the fields that are copied from the request. */
  readonly headers?: HeaderList;
  readonly body?: string;
  readonly contentType?: string;
}

/** Methods whose 18x and 2xx make a dialog and so return the route set (RFC 3261 §12.1.1, RFC 6665 §4.4.1, RFC 3515). */
const dialogMethods = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'NOTIFY', 'UPDATE']);

/**
 * The response to a request (RFC 3261 §8.2.6). Stateless: it needs nothing but the request.
 * @throws TypeError when the To tag or an own header field cannot be written: a defect of ours.
 */
export function respond(request: SipRequest, status: number, options: RespondOptions = {}): SipResponse {
  const needsTag = status !== 100 && tagOf(request.to) === undefined;
  const tag = needsTag ? (options.toTag ?? defaultTag(request)) : undefined;
  if (tag !== undefined && !isToken(tag)) throw new TypeError('To tag is no token');
  const withRoutes = status > 100 && status < 300 && dialogMethods.has(request.method);
  // RFC 3261 §8.2.6.1: a Timestamp is copied into the 100.
  const headers = Headers.repeating(request.headers, tag, withRoutes, status === 100);
  if (options.headers !== undefined) {
    for (const [name, value] of options.headers) headers.append(name, value);
  }
  if (options.contentType !== undefined) headers.append('Content-Type', options.contentType);
  return {
    kind: 'response',
    status,
    reason: options.reason ?? reasonPhrase(status),
    headers,
    body: options.body === undefined ? noBody : Buffer.from(options.body, 'utf8'),
    topVia: request.topVia,
    from: request.from,
    to: tag === undefined ? request.to : withTag(request.to, tag),
    callId: request.callId,
    cseq: request.cseq,
  };
}

const noBody = Buffer.alloc(0);

function defaultTag(request: SipRequest): string {
  const branch = branchOf(request.topVia) ?? request.topVia.host;
  return statelessTag(branch, request.callId, String(request.cseq.number));
}

/** The response that a failure asks for: its status, reason and header fields. */
export function respondFailure(request: SipRequest, failure: SipFailure): SipResponse {
  return respond(request, failure.status, { reason: failure.reason, headers: failure.headers });
}
