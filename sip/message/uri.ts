import { isHex, isPlainUserCode, isUserPart, isVisible, lowerSlice } from './chars.js';
import { parseHostPort } from './host.js';
import type { OtherUri, SipUri, TelUri, Uri } from './message.js';
import { parseUriParams, serializeUriParams } from './params.js';

const COLON = 0x3a;
const SEMICOLON = 0x3b;
const QUESTION = 0x3f;

/** Length of the scheme, or -1 (RFC 3986 §3.1). */
function schemeLength(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === COLON) return i === 0 ? -1 : i;
    const lower = code | 0x20;
    const isLetter = lower >= 0x61 && lower <= 0x7a;
    const isInner = (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2d || code === 0x2e;
    if (!isLetter && (i === 0 || !isInner)) return -1;
  }
  return -1;
}

/** Parses an absolute URI that fills `text` exactly; undefined when it is malformed. */
export function parseUri(text: string): Uri | undefined {
  const length = schemeLength(text);
  if (length === -1) return undefined;
  const scheme = lowerSlice(text, 0, length);
  if (scheme === 'sip' || scheme === 'sips') return parseSipUri(text, scheme);
  if (scheme === 'tel') return parseTelUri(text);
  return parseOtherUri(text, length);
}

function parseSipUri(text: string, scheme: 'sip' | 'sips'): SipUri | undefined {
  const start = scheme.length + 1;
  const at = text.indexOf('@', start);
  const userInfo = at === -1 ? noUserInfo : parseUserInfo(text, start, at);
  if (userInfo === undefined) return undefined;
  const hostStart = at === -1 ? start : at + 1;
  let hostEnd = hostStart;
  for (; hostEnd < text.length; hostEnd++) {
    const code = text.charCodeAt(hostEnd);
    if (code === SEMICOLON || code === QUESTION) break;
  }
  const hostPort = parseHostPort(text, hostStart, hostEnd);
  if (hostPort === undefined) return undefined;
  const question = text.indexOf('?', hostEnd);
  const params = parseUriParams(text, hostEnd, question === -1 ? text.length : question);
  if (params === undefined) return undefined;
  const headers = question === -1 ? undefined : text.slice(question + 1);
  if (headers !== undefined && !isUriHeaders(headers)) return undefined;
  const { user, password } = userInfo;
  return { scheme, user, password, host: hostPort.host, port: hostPort.port, params, headers };
}

interface UserInfo {
  readonly user: string | undefined;
  readonly password: string | undefined;
}

const noUserInfo: UserInfo = { user: undefined, password: undefined };

/** `user` or `user:password` from `start` up to the `@` at `end`. */
function parseUserInfo(text: string, start: number, end: number): UserInfo | undefined {
  const colon = text.indexOf(':', start);
  const userEnd = colon === -1 || colon > end ? end : colon;
  if (userEnd === start || !isUserPart(text, start, userEnd)) return undefined;
  const user = text.slice(start, userEnd);
  if (userEnd === end) return { user, password: undefined };
  return isUserPart(text, userEnd + 1, end) ? { user, password: text.slice(userEnd + 1, end) } : undefined;
}

/** Loose check of what follows `?`: visible characters that cannot end the URI. */
function isUriHeaders(text: string): boolean {
  return (
    isVisible(text) &&
    !text.includes('<') &&
    !text.includes('>') &&
    !text.includes('"') &&
    !text.includes('@')
  );
}

/** Whether a character may stand in a telephone number: digits, hex, `*`, `#`, visual separators (RFC 3966 §3). */
function isNumberCode(code: number): boolean {
  return (
    isHex(code) ||
    code === 0x2a ||
    code === 0x23 ||
    (code >= 0x28 && code <= 0x29) ||
    code === 0x2d ||
    code === 0x2e
  );
}

function parseTelUri(text: string): TelUri | undefined {
  let end = text.indexOf(';');
  if (end === -1) end = text.length;
  const start = text.charCodeAt(4) === 0x2b ? 5 : 4;
  let hasDigit = false;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!isNumberCode(code)) return undefined;
    hasDigit ||= isHex(code) || code === 0x2a || code === 0x23;
  }
  if (!hasDigit) return undefined;
  const params = parseUriParams(text, end, text.length);
  return params === undefined ? undefined : { scheme: 'tel', number: text.slice(4, end), params };
}

function parseOtherUri(text: string, schemeEnd: number): OtherUri | undefined {
  if (!isVisible(text, schemeEnd + 1) || text.includes('<') || text.includes('>') || text.includes('"'))
    return undefined;
  return { scheme: 'other', text };
}

/** The URI as text (RFC 3261 §19.1.1, RFC 3966 §3). */
export function serializeUri(uri: Uri): string {
  if (uri.scheme === 'other') return uri.text;
  if (uri.scheme === 'tel') return `tel:${uri.number}${serializeUriParams(uri.params)}`;
  let text = `${uri.scheme}:`;
  if (uri.user !== undefined) {
    text += uri.password === undefined ? `${uri.user}@` : `${uri.user}:${uri.password}@`;
  }
  text += uri.port === undefined ? uri.host : `${uri.host}:${uri.port}`;
  if (uri.params.size > 0) text += serializeUriParams(uri.params);
  return uri.headers === undefined ? text : `${text}?${uri.headers}`;
}

function hexValue(code: number): number {
  return code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57;
}

/**
 * The user part with one spelling for equal users: escapes of characters that need none are undone, all others are
 * upper-case. What needs an escape keeps it, so that `%00` or `%40` never become a raw character.
 */
function canonicalUser(user: string): string {
  if (!user.includes('%')) return isUserAscii(user) ? user : encodeUser(user);
  let text = '';
  for (let i = 0; i < user.length; i++) {
    const code = user.charCodeAt(i);
    if (code !== 0x25) {
      text += user.charAt(i);
      continue;
    }
    const value = hexValue(user.charCodeAt(i + 1)) * 16 + hexValue(user.charCodeAt(i + 2));
    text += isPlainUserCode(value) ? String.fromCharCode(value) : user.slice(i, i + 3).toUpperCase();
    i += 2;
  }
  return isUserAscii(text) ? text : encodeUser(text);
}

function isUserAscii(user: string): boolean {
  for (let i = 0; i < user.length; i++) {
    if (user.charCodeAt(i) > 127) return false;
  }
  return true;
}

/** Escapes what is above ASCII; leaves `%` alone. */
function encodeUser(user: string): string {
  let text = '';
  for (const byte of Buffer.from(user, 'utf8')) {
    text += byte < 128 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase()}`;
  }
  return text;
}

/**
 * The canonical address-of-record `sip:user@domain` (RFC 3261 §10.3 step 5): no parameters, no port, no password,
 * escapes undone where none is needed, `sips` and `sip` alike. Undefined when there is no user.
 */
export function canonicalAor(uri: Uri): string | undefined {
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return undefined;
  if (uri.user === undefined) return undefined;
  return `sip:${canonicalUser(uri.user)}@${uri.host}`;
}

/** Undoes escapes of everything that is not reserved (RFC 3261 §19.1.4), for comparison only. */
function comparable(text: string): string {
  if (!text.includes('%')) return text;
  let result = '';
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== 0x25) {
      result += text.charAt(i);
      continue;
    }
    const value = hexValue(text.charCodeAt(i + 1)) * 16 + hexValue(text.charCodeAt(i + 2));
    const character = String.fromCharCode(value);
    const isKept = value <= 0x20 || value >= 0x7f || ';/?:@&=+$,%'.includes(character);
    result += isKept ? text.slice(i, i + 3).toUpperCase() : character;
    i += 2;
  }
  return result;
}

function sameOptional(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return comparable(a) === comparable(b);
}

/** Parameters that differ from each other even when one side lacks them (RFC 3261 §19.1.4). */
const decisiveParams = ['user', 'ttl', 'method', 'maddr', 'transport'];

function sameParams(a: SipUri, b: SipUri): boolean {
  for (const [name, value] of a.params) {
    const other = b.params.get(name);
    if (other === undefined) continue;
    if (comparable(value ?? '').toLowerCase() !== comparable(other ?? '').toLowerCase()) return false;
  }
  return decisiveParams.every((name) => a.params.has(name) === b.params.has(name));
}

/** Header components in any order, names without case. */
function headerSet(headers: string | undefined): string {
  if (headers === undefined) return '';
  const fields = headers.split('&').map((field) => {
    const equals = field.indexOf('=');
    return equals === -1
      ? field.toLowerCase()
      : field.slice(0, equals).toLowerCase() + comparable(field.slice(equals));
  });
  return fields.sort().join('&');
}

/** Whether two URIs are equal by RFC 3261 §19.1.4. */
export function sameUri(a: SipUri, b: SipUri): boolean {
  return (
    a.scheme === b.scheme &&
    sameOptional(a.user, b.user) &&
    sameOptional(a.password, b.password) &&
    a.host === b.host &&
    a.port === b.port &&
    sameParams(a, b) &&
    headerSet(a.headers) === headerSet(b.headers)
  );
}
