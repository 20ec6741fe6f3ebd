import type { SipFailure } from '../failure.js';
import { readCandidate, writeCandidate } from './candidate-line.js';
import type { IceCredentials, SdpCandidate } from './description.js';
import { malformed } from './refusal.js';
import { linesOf, lineFault, sdpLimits } from './scan.js';

/** The body type of a trickle INFO (RFC 8840 §9). */
export const trickleContentType = 'application/trickle-ice-sdpfrag';

/** Candidates of one m-line. */
export interface TrickledLine {
  /** `a=mid`; undefined when the fragment does not say which line it is about. */
  readonly mid: string | undefined;
  readonly candidates: readonly SdpCandidate[];
}

/** What a trickle INFO tells (RFC 8840 §9.2). */
export interface TrickleFragment {
  /** The ICE generation that the candidates belong to. */
  readonly ice: IceCredentials | undefined;
  readonly lines: readonly TrickledLine[];
  /** No more will come, for all lines. */
  readonly endOfCandidates: boolean;
}

interface OpenLine {
  mid: string | undefined;
  readonly candidates: SdpCandidate[];
}

/**
 * Reads an `application/trickle-ice-sdpfrag` body. Candidates that cannot be read are passed over, as in a whole
 * description. Returns `media.sdp_malformed` with the line at fault; never throws; linear in the text.
 */
export function parseTrickle(text: string): TrickleFragment | SipFailure {
  if (text.length > sdpLimits.maxChars) return malformed(`longer than ${sdpLimits.maxChars} characters`);
  const lines: OpenLine[] = [];
  let [ufrag, pwd, endOfCandidates, count] = ['', '', false, 0];
  for (const line of linesOf(text)) {
    count += 1;
    const fault = lineFault(line, count);
    if (fault !== undefined) return malformed(`line ${count}: ${fault}`);
    if (lines.length > sdpLimits.maxMediaLines)
      return malformed(`more than ${sdpLimits.maxMediaLines} m= lines`);
    const [name, value] = attributeOf(line);
    if (line.startsWith('m=')) lines.push({ mid: undefined, candidates: [] });
    else if (name === 'ice-ufrag') ufrag = value;
    else if (name === 'ice-pwd') pwd = value;
    else if (name === 'end-of-candidates') endOfCandidates = true;
    else if (name === 'mid') noteMid(lines, value);
    else if (name === 'candidate') noteCandidate(lines, value);
  }
  const ice = isIceText(ufrag, 4) && isIceText(pwd, 22) ? { ufrag, pwd } : undefined;
  return { ice, lines, endOfCandidates };
}

/** Writes the fragment, with CRLF line ends (RFC 8840 §9.2: pseudo m-lines carry nothing but the mid). */
export function writeTrickle({ ice, lines, endOfCandidates }: TrickleFragment): string {
  const text: string[] = [];
  if (ice !== undefined) text.push(`a=ice-ufrag:${ice.ufrag}`, `a=ice-pwd:${ice.pwd}`);
  for (const { mid, candidates } of lines) {
    text.push('m=audio 9 RTP/AVP 0');
    if (mid !== undefined) text.push(`a=mid:${mid}`);
    for (const candidate of candidates) text.push(`a=candidate:${writeCandidate(candidate)}`);
    if (endOfCandidates) text.push('a=end-of-candidates');
  }
  if (endOfCandidates && lines.length === 0) text.push('a=end-of-candidates');
  return [...text, ''].join('\r\n');
}

/** `ice-char`s only, `least` to 256 of them (RFC 8839 §5.4). */
export function isIceText(text: string, least: number): boolean {
  return text.length >= least && text.length <= 256 && /^[A-Za-z0-9+/]+$/.test(text);
}

function noteMid(lines: OpenLine[], mid: string): void {
  const line = lines.at(-1);
  if (line !== undefined) line.mid = mid;
  else lines.push({ mid, candidates: [] });
}

/** Candidates before any m= are about the only line there is. */
function noteCandidate(lines: OpenLine[], value: string): void {
  const candidate = readCandidate(value);
  if (candidate === undefined) return;
  const line = lines.at(-1);
  if (line !== undefined) line.candidates.push(candidate);
  else lines.push({ mid: undefined, candidates: [candidate] });
}

function attributeOf(line: string): readonly [name: string, value: string] {
  if (!line.startsWith('a=')) return ['', ''];
  const colon = line.indexOf(':');
  return colon === -1 ? [line.slice(2), ''] : [line.slice(2, colon), line.slice(colon + 1)];
}
