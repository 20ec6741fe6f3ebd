import { isDigits, isToken } from './chars.js';
import type { Uri } from './message.js';
import { parseUri } from './uri.js';

export interface RequestLine {
  readonly kind: 'request';
  readonly method: string;
  readonly requestUri: string;
  readonly uri: Uri;
}

export interface StatusLine {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
}

/** A start line that is no use. `method` is the request's when the line can still be told to be one. */
export interface BadStartLine {
  readonly kind: 'bad';
  readonly problem: string;
  readonly isVersion: boolean;
  readonly method: string | undefined;
}

function bad(problem: string, method: string | undefined, isVersion = false): BadStartLine {
  return { kind: 'bad', problem, isVersion, method };
}

/** Parses the start line without its CRLF (RFC 3261 §7.1, §7.2): exactly one space between its parts. */
export function parseStartLine(line: string): RequestLine | StatusLine | BadStartLine {
  if (line.includes('\r') || line.includes('\n') || line.includes('\0'))
    return bad('Malformed Start Line', undefined);
  const first = line.indexOf(' ');
  if (first === -1) return bad('Malformed Start Line', undefined);
  const word = line.slice(0, first);
  if (word.length > 4 && word.slice(0, 4).toUpperCase() === 'SIP/') return parseStatusLine(line, word);
  if (!isToken(word)) return bad('Malformed Start Line', undefined);
  return parseRequestLine(line, word, first);
}

function parseRequestLine(line: string, method: string, first: number): RequestLine | BadStartLine {
  const second = line.indexOf(' ', first + 1);
  const version = line.slice(second + 1);
  if (second === -1 || second === first + 1 || !isVersion(version))
    return bad('Malformed Request Line', method);
  if (version !== 'SIP/2.0' && version.toUpperCase() !== 'SIP/2.0')
    return bad('Version Not Supported', method, true);
  const requestUri = line.slice(first + 1, second);
  const uri = parseUri(requestUri);
  if (uri === undefined) return bad('Malformed Request-URI', method);
  // RFC 3261 §19.1.1: header components are not allowed in a Request-URI.
  const hasHeaders = (uri.scheme === 'sip' || uri.scheme === 'sips') && uri.headers !== undefined;
  return hasHeaders ? bad('Headers in Request-URI', method) : { kind: 'request', method, requestUri, uri };
}

/** `SIP/` digits `.` digits. */
function isVersion(text: string): boolean {
  const dot = text.indexOf('.', 4);
  return (
    text.slice(0, 4).toUpperCase() === 'SIP/' &&
    dot !== -1 &&
    isDigits(text, 4, dot) &&
    isDigits(text, dot + 1, text.length)
  );
}

function parseStatusLine(line: string, version: string): StatusLine | BadStartLine {
  if (version.toUpperCase() !== 'SIP/2.0') return bad('Version Not Supported', undefined, true);
  const codeEnd = line.length > 11 ? 11 : line.length;
  if (codeEnd !== 11 || !isDigits(line, 8, 11) || (line.length > 11 && line.charCodeAt(11) !== 0x20)) {
    return bad('Malformed Status Line', undefined);
  }
  const status = Number(line.slice(8, 11));
  if (status < 100 || status > 699) return bad('Malformed Status Line', undefined);
  return { kind: 'response', status, reason: line.slice(12) };
}
