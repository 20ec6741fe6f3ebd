import { isToken, skipBlank, trimBlank } from './chars.js';
import { findHeaderName, Slot } from './header-names.js';
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
  readonly names: string[];
  readonly keys: string[];
  readonly values: string[];
  readonly head: ScannedHead;
  /** Positions of the next `:` and CR, looked up again only when passed: scanning stays linear whatever the lines hold. */
  colon: number;
  cr: number;
  /** Bits of the single header fields that were seen. */
  seen: number;
  /** Upper bound of the number of list values. */
  listValues: number;
}

const SPACE = 0x20;
const TAB = 0x09;

/**
 * Reads the header lines of `source` from `start` to its end; each line ends with CRLF (RFC 3261 §7.3). Never throws;
 * stops at the limits.
 */
export function scanHead(source: string, start: number, limits: ParseLimits): ScannedHead {
  // Deviates: RFC 3261 §25.1 allows an escaped NUL in a quoted string; it becomes U+FFFD, so that none reaches a reader.
  const text = source.includes('\0') ? source.replaceAll('\\\0', '\ufffd') : source;
  const names: string[] = [];
  const keys: string[] = [];
  const values: string[] = [];
  const head: ScannedHead = {
    headers: Headers.adopt(names, keys, values),
    via: undefined,
    from: undefined,
    to: undefined,
    callId: undefined,
    cseq: undefined,
    contentLength: undefined,
    problem: text.includes('\0') ? 'NUL in Header' : undefined,
    isTooLarge: false,
  };
  const scan: Scan = { text, limits, names, keys, values, head, colon: -1, cr: -1, seen: 0, listValues: 0 };
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

function problem(head: ScannedHead, text: string): void {
  head.problem ??= text;
}

function tooLarge(head: ScannedHead, text: string): void {
  if (head.problem === undefined) head.isTooLarge = true;
  problem(head, text);
}

/** Reads the header line at `at` with its continuation lines; returns where the next one starts. */
function scanLine(scan: Scan, at: number): number {
  const { text, head } = scan;
  let end = endOfLine(scan, at);
  let next = end + 2;
  let value: string | undefined;
  if (scan.colon < at) scan.colon = indexOrEnd(text, ':', at);
  const { colon } = scan;
  const first = text.charCodeAt(next);
  if (first === SPACE || first === TAB) {
    const parts = [text.slice(Math.min(colon + 1, end), end).trim()];
    do {
      end = endOfLine(scan, next);
      parts.push(text.slice(next, end).trim());
      next = end + 2;
    } while (text.charCodeAt(next) === SPACE || text.charCodeAt(next) === TAB);
    value = parts.join(' ').trim();
  }
  if (end - at > scan.limits.maxHeaderBytes) {
    tooLarge(head, 'Header Field Too Long');
    return next;
  }
  if (colon >= end) {
    problem(head, 'Header Line Without Colon');
    return next;
  }
  if (value === undefined) {
    const valueStart = skipBlank(text, colon + 1, end);
    value = text.slice(valueStart, trimBlank(text, valueStart, end));
  }
  keep(scan, at, colon, value);
  return next;
}

function indexOrEnd(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from);
  return index === -1 ? text.length : index;
}

/** Index of the CR of the line's CRLF. A bare CR or LF is a problem; the line is then read up to the next CRLF. */
function endOfLine(scan: Scan, at: number): number {
  const { text } = scan;
  if (scan.cr < at) scan.cr = indexOrEnd(text, '\r', at);
  while (scan.cr < text.length && text.charCodeAt(scan.cr + 1) !== 0x0a) {
    problem(scan.head, 'Bare CR in Header');
    scan.cr = indexOrEnd(text, '\r', scan.cr + 1);
  }
  return scan.cr;
}

function isClean(value: string): boolean {
  return !value.includes('\n') && !value.includes('\r') && !value.includes('\0');
}

function keep(scan: Scan, at: number, colon: number, value: string): void {
  const { text, head } = scan;
  const nameEnd = trimBlank(text, at, colon);
  const name = text.slice(at, nameEnd);
  if (!isClean(value)) {
    problem(head, 'Bare Line End in Header');
    return;
  }
  const known = findHeaderName(name);
  if (known === undefined) {
    if (!isToken(name)) {
      problem(head, 'Malformed Header Name');
      return;
    }
    push(scan, name, name.toLowerCase(), value);
    return;
  }
  if (known.bit !== 0) {
    if ((scan.seen & known.bit) !== 0) {
      problem(head, `Duplicate ${known.name}`);
      return;
    }
    scan.seen |= known.bit;
  }
  push(scan, name.length === 1 ? known.name : name, known.key, value);
  remember(scan, known.slot, value);
}

function push(scan: Scan, name: string, key: string, value: string): void {
  scan.names.push(name);
  scan.keys.push(key);
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
  const counts = new Map<string, number>();
  for (let i = 0; i < scan.keys.length; i++) {
    const key = scan.keys[i] ?? '';
    const known = findHeaderName(key);
    if (known === undefined || (known.slot !== Slot.list && known.slot !== Slot.via)) continue;
    const count = (counts.get(key) ?? 0) + splitCommaList(scan.values[i] ?? '').length;
    counts.set(key, count);
    if (count > scan.limits.maxListLength) {
      tooLarge(scan.head, `Too Many ${known.name} Values`);
      return;
    }
  }
}
