import type { SipFailure } from '../failure.js';
import { malformed } from './refusal.js';

/** Bounds that hold before any work that grows with the SDP. Chromium's largest audio and video offers are near 7,000 characters. */
export const sdpLimits = {
  maxChars: 65_536,
  maxLineChars: 4_096,
  maxLines: 2_000,
  maxMediaLines: 32,
  maxFormats: 64,
} as const;

/** Attributes that the rest of this folder reads; others are never looked at. */
const readAttributes: ReadonlySet<string> = new Set([
  'rtpmap',
  'fmtp',
  'ptime',
  'maxptime',
  'rtcp',
  'rtcp-mux',
  'bundle-only',
  'mid',
  'group',
  'ice-ufrag',
  'ice-pwd',
  'candidate',
  'end-of-candidates',
  'fingerprint',
  'setup',
  'crypto',
  'rtcp-fb',
  'sendrecv',
  'sendonly',
  'recvonly',
  'inactive',
]);

const readTypes: ReadonlySet<string> = new Set(['v', 'o', 's', 'c', 'b', 't', 'm', 'a']);

/**
 * Checks size and line form (RFC 8866 §5: `<type>=<value>`, `v=0` first, one `o=` before any `m=`) and returns the lines
 * worth parsing, joined again. Accepts LF for CRLF (RFC 8866 §5 asks receivers to). One pass over the text.
 */
export function scanSdp(text: string): string | SipFailure {
  if (text.length > sdpLimits.maxChars) return malformed(`longer than ${sdpLimits.maxChars} characters`);
  const lines: string[] = [];
  let count = 0;
  let mediaCount = 0;
  let originCount = 0;
  for (const line of linesOf(text)) {
    count += 1;
    const fault = count === 1 && line !== 'v=0' ? 'not v=0' : lineFault(line, count);
    if (fault !== undefined) return malformed(`line ${count}: ${fault}`);
    const type = line.charAt(0);
    if (type === 'm') mediaCount += 1;
    if (type === 'o') originCount += 1;
    if (mediaCount > sdpLimits.maxMediaLines)
      return malformed(`more than ${sdpLimits.maxMediaLines} m= lines`);
    if (type === 'm' && originCount === 0) return malformed('no o= before the first m=');
    if (isWorthParsing(line, type)) lines.push(line);
  }
  if (originCount !== 1) return malformed(`${originCount} o= lines`);
  return lines.join('\r\n');
}

/** The lines of a text without their ends; empty ones at the end of the text are left out. */
export function* linesOf(text: string): Generator<string> {
  let length = text.length;
  while (length > 0 && (text[length - 1] === '\n' || text[length - 1] === '\r')) length -= 1;
  for (let start = 0; start < length;) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? length : Math.min(newline, length);
    yield text.slice(start, end > start && text[end - 1] === '\r' ? end - 1 : end);
    start = end + 1;
  }
}

/** What is wrong with the form of a line, the `count`th from 1; undefined when nothing is. */
export function lineFault(line: string, count: number): string | undefined {
  if (count > sdpLimits.maxLines) return `more than ${sdpLimits.maxLines} lines`;
  if (line.length > sdpLimits.maxLineChars) return `longer than ${sdpLimits.maxLineChars} characters`;
  const type = line.charCodeAt(0);
  if (!(type >= 0x61 && type <= 0x7a) || line.charAt(1) !== '=') return 'not of the form x=value';
  for (let i = 2; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return 'control character';
  }
  return undefined;
}

function isWorthParsing(line: string, type: string): boolean {
  if (type !== 'a') return readTypes.has(type);
  const colon = line.indexOf(':');
  return readAttributes.has(colon === -1 ? line.slice(2) : line.slice(2, colon));
}
