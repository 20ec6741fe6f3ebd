import type { SipFailure } from '../failure.js';
import type { HeaderList } from '../leg.js';
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

/** The response to a request (RFC 3261 §8.2.6). Stateless: it needs nothing but the request. */
export function respond(request: SipRequest, status: number, options: RespondOptions = {}): SipResponse {
  const needsTag = status !== 100 && tagOf(request.to) === undefined;
  const tag = needsTag ? (options.toTag ?? defaultTag(request)) : undefined;
  const headers = copiedHeaders(request, status, tag);
  if (options.headers !== undefined) {
    for (const [name, value] of options.headers) headers.append(name, value);
  }
  if (options.contentType !== undefined) headers.append('Content-Type', options.contentType);
  return {
    kind: 'response',
    status,
    reason: options.reason ?? reasonPhrase(status),
    headers,
    body: Buffer.from(options.body ?? '', 'utf8'),
    topVia: request.topVia,
    from: request.from,
    to: tag === undefined ? request.to : withTag(request.to, tag),
    callId: request.callId,
    cseq: request.cseq,
  };
}

/** What a response takes over from its request, `toTag` added when given. */
function copiedHeaders(request: SipRequest, status: number, toTag: string | undefined): Headers {
  const from = request.headers;
  const headers = Headers.from([]);
  headers.appendFrom(from, 'Via');
  headers.appendFrom(from, 'From');
  if (toTag === undefined) headers.appendFrom(from, 'To');
  else headers.append('To', `${from.get('To') ?? ''};tag=${toTag}`);
  headers.appendFrom(from, 'Call-ID');
  headers.appendFrom(from, 'CSeq');
  if (status > 100 && status < 300 && dialogMethods.has(request.method))
    headers.appendFrom(from, 'Record-Route');
  // RFC 3261 §8.2.6.1: a Timestamp is copied into the 100.
  if (status === 100) headers.appendFrom(from, 'Timestamp');
  return headers;
}

function defaultTag(request: SipRequest): string {
  const branch = branchOf(request.topVia) ?? request.topVia.host;
  return statelessTag(branch, request.callId, String(request.cseq.number));
}

/** The response that a failure asks for: its status, reason and header fields. */
export function respondFailure(request: SipRequest, failure: SipFailure): SipResponse {
  return respond(request, failure.status, { reason: failure.reason, headers: failure.headers });
}
