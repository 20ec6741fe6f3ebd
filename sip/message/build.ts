import { isVisible } from './chars.js';
import { parseCSeq } from './cseq.js';
import { Headers } from './headers.js';
import type { CSeq, NameAddr, SipRequest, SipResponse, Via } from './message.js';
import { parseNameAddr, splitCommaList } from './name-addr.js';
import { parseUri } from './uri.js';
import { parseVia } from './via.js';

export interface RequestParts {
  readonly method: string;
  readonly requestUri: string;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  readonly body?: string | Buffer;
}

export interface ResponseParts {
  readonly status: number;
  readonly reason: string;
  readonly headers: Iterable<readonly [name: string, value: string]>;
  readonly body?: string | Buffer;
}

interface Slots {
  readonly topVia: Via;
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly callId: string;
  readonly cseq: CSeq;
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new TypeError(`${name} is missing or malformed`);
  return value;
}

function readSlots(headers: Headers): Slots {
  const callId = headers.get('Call-ID');
  return {
    topVia: required(parseVia(splitCommaList(headers.get('Via') ?? '')[0] ?? ''), 'Via'),
    from: required(parseNameAddr(headers.get('From') ?? ''), 'From'),
    to: required(parseNameAddr(headers.get('To') ?? ''), 'To'),
    callId: required(callId !== undefined && isVisible(callId) ? callId : undefined, 'Call-ID'),
    cseq: required(parseCSeq(headers.get('CSeq') ?? ''), 'CSeq'),
  };
}

const noBody = Buffer.alloc(0);

function toBytes(body: string | Buffer | undefined): Buffer {
  if (body === undefined) return noBody;
  return typeof body === 'string' ? Buffer.from(body, 'utf8') : body;
}

/**
 * Builds a request with its parsed slots.
 * @throws TypeError when Via, From, To, Call-ID, CSeq or the Request-URI is missing or malformed: a defect of ours.
 */
export function createRequest(parts: RequestParts): SipRequest {
  const headers = Headers.from(parts.headers);
  const { topVia, from, to, callId, cseq } = readSlots(headers);
  const { method, requestUri } = parts;
  const uri = required(parseUri(requestUri), 'Request-URI');
  const body = toBytes(parts.body);
  return { kind: 'request', method, requestUri, uri, headers, body, topVia, from, to, callId, cseq };
}

/**
 * Builds a response with its parsed slots.
 * @throws TypeError when Via, From, To, Call-ID or CSeq is missing or malformed: a defect of ours.
 */
export function createResponse(parts: ResponseParts): SipResponse {
  const headers = Headers.from(parts.headers);
  const { topVia, from, to, callId, cseq } = readSlots(headers);
  const { status, reason } = parts;
  const body = toBytes(parts.body);
  return { kind: 'response', status, reason, headers, body, topVia, from, to, callId, cseq };
}
