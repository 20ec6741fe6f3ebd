import { isToken, skipBlank, trimBlank } from './chars.js';
import { findHeaderName, Slot, unknownName, type HeaderName } from './header-names.js';
import { Headers } from './headers.js';
import type { ParseLimits } from './limits.js';
import { splitCommaList } from './name-addr.js';

/** The header fields of one message and what is wrong with them. */
export interface ScannedHead {
  readonly headers: Headers;
  /** Raw values of the first of each; undefined when there is none that is clean. */
  via: string | undefined;
  from: string | undefined;
  to: string | undefined;
  callId: string | undefined;
  cseq: string | undefined;
  contentLength: string | undefined;
  /** The first problem found, in words; the fields around it are kept, so that a refusal can be addressed. */
  problem: string | undefined;
  /** Whether the problem is the size of something, not its form. */
  isTooLarge: boolean;
}

interface Scan {
  readonly text: string;
  readonly limits: ParseLimits;
  readonly names: HeaderName[];
  readonly values: string[];
  readonly head: ScannedHead;
  /** Next `:`, CR and LF, looked up again only when passed: scanning stays linear whatever the lines hold. */
  colon: number;
  cr: number;
  lf: number;
  /** Bits of the single header fields that were seen. */
  seen: number;
  /** Upper bound of the number of list values. */
  listValues: number;
}

const SPACE = 0x20;
const TAB = 0x09;
const LF = 0x0a;

/**
 * Reads the header lines of `source` from `start` to its end; each line ends with CRLF (RFC 3261 §7.3). Never throws;
 * stops at the limits.
 */
export function scanHead(source: string, start: number, limits: ParseLimits): ScannedHead {
  const hasNul = source.includes('\0');
  // Deviates: RFC 3261 §25.1 allows an escaped NUL in a quoted string; it becomes U+FFFD, so that none reaches a reader.
  const text = hasNul ? source.replaceAll('\\\0', '\ufffd') : source;
  const names: HeaderName[] = [];
  const values: string[] = [];
  const head: ScannedHead = {
    headers: Headers.adopt(names, values),
    via: undefined,
    from: undefined,
    to: undefined,
    callId: undefined,
    cseq: undefined,
    contentLength: undefined,
    problem: hasNul && text.includes('\0') ? 'NUL in Header' : undefined,
    isTooLarge: false,
  };
  const scan: Scan = { text, limits, names, values, head, colon: -1, cr: -1, lf: -1, seen: 0, listValues: 0 };
  let lines = 0;
  for (let at = start; at < text.length;) {
    if (++lines > limits.maxHeaders) {
      tooLarge(head, 'Too Many Header Fields');
      break;
    }
    at = scanLine(scan, at);
  }
  if (scan.listValues > limits.maxListLength) checkLists(scan);
  return head;
}

function note(head: ScannedHead, problem: string): void {
  head.problem ??= problem;
}

function tooLarge(head: ScannedHead, problem: string): void {
  if (head.problem === undefined) head.isTooLarge = true;
  note(head, problem);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

/** Reads the header line at `at` with its continuation lines; returns where the next one starts. */
function scanLine(scan: Scan, at: number): number {
  const { text, head } = scan;
  const firstEnd = endOfLine(scan, at);
  let end = firstEnd;
  while (isBlank(text.charCodeAt(end + 2))) end = endOfLine(scan, end + 2);
  const next = end + 2;
  if (isLongerThan(text, at, end, scan.limits.maxHeaderBytes)) {
    tooLarge(head, 'Header Field Too Long');
    return next;
  }
  if (scan.colon < at) scan.colon = indexOrEnd(text, ':', at);
  const { colon } = scan;
  if (colon >= firstEnd) {
    note(head, 'Header Line Without Colon');
    return next;
  }
  const valueStart = skipBlank(text, colon + 1, firstEnd);
  const value =
    end === firstEnd
      ? text.slice(valueStart, trimBlank(text, valueStart, end))
      : unfold(text, valueStart, end);
  // Only a line end or NUL that was noted can be in the value.
  if (head.problem !== undefined && !isClean(value)) return next;
  keep(scan, at, trimBlank(text, at, colon), value);
  return next;
}

function indexOrEnd(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from);
  return index === -1 ? text.length : index;
}

/** Whether that range takes more than `limit` bytes of UTF-8; counts them only when the number of characters leaves it open. */
function isLongerThan(text: string, start: number, end: number, limit: number): boolean {
  const length = end - start;
  if (length > limit) return true;
  return length * 3 > limit && Buffer.byteLength(text.slice(start, end)) > limit;
}

/** Index of the CR of the line's CRLF. A CR or LF alone is noted; the line is then read up to the next CRLF. */
function endOfLine(scan: Scan, at: number): number {
  const { text } = scan;
  if (scan.cr < at) scan.cr = indexOrEnd(text, '\r', at);
  while (scan.cr < text.length && text.charCodeAt(scan.cr + 1) !== LF) {
    note(scan.head, 'CR Without LF in Header');
    scan.cr = indexOrEnd(text, '\r', scan.cr + 1);
  }
  if (scan.lf < at) scan.lf = indexOrEnd(text, '\n', at);
  if (scan.lf < scan.cr) {
    note(scan.head, 'LF Without CR in Header');
    scan.lf = scan.cr + 1;
  }
  return scan.cr;
}

/** Joins the lines of a folded value with single spaces (RFC 3261 §7.3.1). */
function unfold(text: string, start: number, end: number): string {
  const parts: string[] = [];
  for (let at = start; at < end;) {
    const lineEnd = Math.min(indexOrEnd(text, '\n', at), end);
    const from = skipBlank(text, at, lineEnd);
    const crEnd = text.charCodeAt(lineEnd - 1) === 0x0d ? lineEnd - 1 : lineEnd;
    const to = trimBlank(text, from, Math.max(crEnd, from));
    if (from < to) parts.push(text.slice(from, to));
    at = lineEnd + 1;
  }
  return parts.join(' ');
}

function isClean(value: string): boolean {
  return !value.includes('\n') && !value.includes('\r') && !value.includes('\0');
}

function keep(scan: Scan, start: number, end: number, value: string): void {
  const { text, head } = scan;
  const known = findHeaderName(text, start, end);
  if (known === undefined) {
    if (!isToken(text, start, end)) {
      note(head, 'Malformed Header Name');
      return;
    }
    push(scan, unknownName(text.slice(start, end)), value);
    return;
  }
  if ((scan.seen & known.bit) !== 0) {
    note(head, `Duplicate ${known.name}`);
    // No reader may pick one of two lengths: where the message ends is then unknown.
    if (known.slot === Slot.contentLength) head.contentLength = undefined;
    return;
  }
  scan.seen |= known.bit;
  push(scan, known, value);
  if (known.slot !== Slot.none) remember(scan, known.slot, value);
}

function push(scan: Scan, name: HeaderName, value: string): void {
  scan.names.push(name);
  scan.values.push(value);
}

function remember(scan: Scan, slot: Slot, value: string): void {
  const { head } = scan;
  switch (slot) {
    case Slot.via:
      scan.listValues += 1 + countCommas(value);
      head.via ??= value;
      break;
    case Slot.from:
      head.from = value;
      break;
    case Slot.to:
      head.to = value;
      break;
    case Slot.callId:
      head.callId = value;
      break;
    case Slot.cseq:
      head.cseq = value;
      break;
    case Slot.contentLength:
      head.contentLength = value;
      break;
    case Slot.list:
      scan.listValues += 1 + countCommas(value);
      break;
    case Slot.single:
    case Slot.none:
      break;
  }
}

function countCommas(value: string): number {
  let count = 0;
  for (let i = value.indexOf(','); i !== -1; i = value.indexOf(',', i + 1)) count++;
  return count;
}

/** Exact count for each list header field; done only when the upper bound of all together is above the limit. */
function checkLists(scan: Scan): void {
  const counts = new Map<HeaderName, number>();
  for (let i = 0; i < scan.names.length; i++) {
    const name = scan.names[i];
    if (name === undefined || (name.slot !== Slot.list && name.slot !== Slot.via)) continue;
    const count = (counts.get(name) ?? 0) + splitCommaList(scan.values[i] ?? '').length;
    counts.set(name, count);
    if (count > scan.limits.maxListLength) {
      tooLarge(scan.head, `Too Many ${name.name} Values`);
      return;
    }
  }
}
