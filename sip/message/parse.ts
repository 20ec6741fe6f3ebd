import { isDigits, isVisible } from './chars.js';
import { parseCSeq } from './cseq.js';
import { scanHead, type ScannedHead } from './head.js';
import { defaultParseLimits, type ParseLimits } from './limits.js';
import type { CSeq, NameAddr, ParseFailure, SipMessage, Via } from './message.js';
import { parseNameAddr, splitCommaList, tagOf } from './name-addr.js';
import { refuse, type Refusal } from './refusal.js';
import { parseStartLine, type BadStartLine } from './start-line.js';
import { branchOf, parseVia } from './via.js';

export interface ParseOptions {
  readonly limits?: ParseLimits;
  /**
   * How the bytes were delimited. `datagram` (default) and `websocket`: one message, without Content-Length its body
   * is the rest. `stream`: cut out by a StreamFramer, Content-Length is required (RFC 3261 §18.3).
   */
  readonly framing?: 'datagram' | 'websocket' | 'stream';
}

interface Slots {
  readonly topVia: Via;
  readonly from: NameAddr;
  readonly to: NameAddr;
  readonly callId: string;
  readonly cseq: CSeq;
}

/** What the head of a message is cut into. */
interface Cut {
  /** Start line and header lines, each with its CRLF. */
  readonly text: string;
  /** Offset of the body in the bytes. */
  readonly bodyStart: number;
  readonly isComplete: boolean;
}

/**
 * Parses one SIP message (RFC 3261 §7). Never throws on any input and takes time linear in its size; the failure says
 * what to answer, or that there is nothing to answer to.
 */
export function parseMessage(bytes: Buffer, options: ParseOptions = {}): SipMessage | ParseFailure {
  const limits = options.limits ?? defaultParseLimits;
  if (bytes.length > limits.maxBytes) return refuseTooLarge(bytes, limits);
  const start = skipLineEnds(bytes);
  if (start === bytes.length) return refuse({ code: 'message.malformed', reason: 'Empty Message' });
  const cut = cutHead(bytes, start);
  const lineEnd = cut.text.indexOf('\r\n');
  if (lineEnd > limits.maxHeaderBytes)
    return refuse({ code: 'message.malformed', reason: 'Start Line Too Long' });
  const line = parseStartLine(cut.text.slice(0, lineEnd));
  const head = scanHead(cut.text, lineEnd + 2, limits);
  if (line.kind === 'bad') return refuse(badLine(line), line.method, head);
  const method = line.kind === 'request' ? line.method : undefined;
  const malformed = (reason: string): ParseFailure =>
    refuse({ code: 'message.malformed', reason }, method, head);
  if (head.problem !== undefined) {
    return head.isTooLarge
      ? refuse({ code: 'message.too_large', reason: head.problem }, method, head)
      : malformed(head.problem);
  }
  if (!cut.isComplete) return malformed('Missing Empty Line After Header');
  const slots = readSlots(head);
  if (typeof slots === 'string') return malformed(slots);
  const body = cutBody(bytes, cut.bodyStart, head.contentLength, options.framing ?? 'datagram');
  if (typeof body === 'string') return malformed(body);
  const { topVia, from, to, callId, cseq } = slots;
  const { headers } = head;
  if (line.kind === 'response') {
    const { status, reason } = line;
    return { kind: 'response', status, reason, headers, body, topVia, from, to, callId, cseq };
  }
  const { requestUri, uri } = line;
  return {
    kind: 'request',
    method: line.method,
    requestUri,
    uri,
    headers,
    body,
    topVia,
    from,
    to,
    callId,
    cseq,
  };
}

function badLine(line: BadStartLine): Refusal {
  return { code: line.isVersion ? 'message.version' : 'message.malformed', reason: line.problem };
}

/** RFC 3261 §7.5: line ends before the start line are ignored. */
function skipLineEnds(bytes: Buffer): number {
  let start = 0;
  while (start < bytes.length && (bytes[start] === 0x0d || bytes[start] === 0x0a)) start++;
  return start;
}

const headEnd = Buffer.from('\r\n\r\n');

function cutHead(bytes: Buffer, start: number): Cut {
  const end = bytes.indexOf(headEnd, start);
  // Invalid UTF-8 becomes U+FFFD: a peer's broken display name is no reason to lose a call.
  if (end !== -1)
    return { text: bytes.toString('utf8', start, end + 2), bodyStart: end + 4, isComplete: true };
  const text = bytes.toString('utf8', start);
  // Interop: a message without body whose last line is not followed by an empty one.
  const isComplete = text.endsWith('\r\n');
  return { text: isComplete ? text : `${text}\r\n`, bodyStart: bytes.length, isComplete };
}

/** The mandatory header fields (RFC 3261 §8.1.1), parsed; or what is wrong with them. */
function readSlots(head: ScannedHead): Slots | string {
  if (head.via === undefined) return 'Missing Via';
  if (head.from === undefined) return 'Missing From';
  if (head.to === undefined) return 'Missing To';
  if (head.callId === undefined) return 'Missing Call-ID';
  if (head.cseq === undefined) return 'Missing CSeq';
  const topVia = parseVia(head.via.includes(',') ? (splitCommaList(head.via)[0] ?? '') : head.via);
  if (topVia === undefined || !isIdentifier(branchOf(topVia))) return 'Malformed Via';
  const from = parseNameAddr(head.from);
  if (from === undefined || !isIdentifier(tagOf(from))) return 'Malformed From';
  const to = parseNameAddr(head.to);
  if (to === undefined || !isIdentifier(tagOf(to))) return 'Malformed To';
  if (!isVisible(head.callId)) return 'Malformed Call-ID';
  const cseq = parseCSeq(head.cseq);
  if (cseq === undefined) return 'Malformed CSeq';
  return { topVia, from, to, callId: head.callId, cseq };
}

/** Absent, or something that can be compared and copied byte for byte. */
function isIdentifier(value: string | undefined): boolean {
  return value === undefined || isVisible(value);
}

/** The body by Content-Length, counted in bytes (RFC 3261 §18.3, §20.14); or what is wrong with it. */
function cutBody(
  bytes: Buffer,
  start: number,
  contentLength: string | undefined,
  framing: 'datagram' | 'websocket' | 'stream',
): Buffer | string {
  if (contentLength === undefined) {
    return framing === 'stream' ? 'Missing Content-Length' : bytes.subarray(start);
  }
  if (!isDigits(contentLength)) return 'Malformed Content-Length';
  const length = Number(contentLength);
  if (length > bytes.length - start) return 'Content-Length Larger Than Message';
  return bytes.subarray(start, start + length);
}

/** 513, addressed by what the first allowed bytes say. */
function refuseTooLarge(bytes: Buffer, limits: ParseLimits): ParseFailure {
  const allowed = bytes.subarray(0, limits.maxBytes);
  const cut = cutHead(allowed, skipLineEnds(allowed));
  const lineEnd = cut.text.indexOf('\r\n');
  const refusal: Refusal = { code: 'message.too_large', reason: 'Message Too Large' };
  if (lineEnd > limits.maxHeaderBytes) return refuse(refusal);
  const line = parseStartLine(cut.text.slice(0, lineEnd));
  return refuse(
    refusal,
    line.kind === 'response' ? undefined : line.method,
    scanHead(cut.text, lineEnd + 2, limits),
  );
}
