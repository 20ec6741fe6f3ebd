import { hash, timingSafeEqual } from 'node:crypto';
import {
  endOfQuoted,
  hasLineBreak,
  isToken,
  lowerSlice,
  quote,
  skipBlank,
  trimBlank,
  unquote,
} from './chars.js';

export type DigestAlgorithm = 'MD5' | 'MD5-sess' | 'SHA-256' | 'SHA-256-sess';

/** Authorization or Proxy-Authorization with the Digest scheme (RFC 7616 §3.4, RFC 8760). */
export interface DigestCredentials {
  readonly username: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  /** Lower-case hexadecimal. */
  readonly response: string;
  /** MD5 when the field is absent; an algorithm that we do not know is undefined. */
  readonly algorithm: DigestAlgorithm | undefined;
  readonly cnonce?: string | undefined;
  readonly opaque?: string | undefined;
  readonly qop?: string | undefined;
  /** Nonce count, eight hexadecimal digits as received. */
  readonly nc?: string | undefined;
}

/** WWW-Authenticate or Proxy-Authenticate with the Digest scheme (RFC 7616 §3.3). */
export interface DigestChallenge {
  readonly realm: string;
  readonly nonce: string;
  readonly algorithm: DigestAlgorithm | undefined;
  /** Empty for the scheme of RFC 2069, without qop. */
  readonly qop: readonly string[];
  readonly opaque?: string | undefined;
  readonly stale?: boolean | undefined;
}

const algorithms: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ['md5', 'MD5'],
  ['md5-sess', 'MD5-sess'],
  ['sha-256', 'SHA-256'],
  ['sha-256-sess', 'SHA-256-sess'],
]);

/** `name=value, name="value"` after the scheme; undefined when malformed or a name comes twice. */
function parseFields(text: string): Map<string, string> | undefined {
  const start = skipBlank(text, 0, text.length);
  if (text.slice(start, start + 6).toLowerCase() !== 'digest') return undefined;
  const fields = new Map<string, string>();
  let at = skipBlank(text, start + 6, text.length);
  if (at === start + 6) return undefined;
  while (at < text.length) {
    const equals = text.indexOf('=', at);
    if (equals === -1) return undefined;
    const nameEnd = trimBlank(text, at, equals);
    const name = lowerSlice(text, at, nameEnd);
    if (!isToken(text, at, nameEnd) || fields.has(name)) return undefined;
    const valueStart = skipBlank(text, equals + 1, text.length);
    const isQuoted = text.charCodeAt(valueStart) === 0x22;
    const end = isQuoted ? endOfQuoted(text, valueStart, text.length) : endOfPlain(text, valueStart);
    if (end === -1) return undefined;
    fields.set(
      name,
      isQuoted ? unquote(text, valueStart, end) : text.slice(valueStart, trimBlank(text, valueStart, end)),
    );
    at = skipBlank(text, end, text.length);
    if (at < text.length && text.charCodeAt(at) !== 0x2c) return undefined;
    at = skipBlank(text, at + 1, text.length);
  }
  return fields;
}

function endOfPlain(text: string, start: number): number {
  const comma = text.indexOf(',', start);
  return comma === -1 ? text.length : comma;
}

function algorithmOf(fields: ReadonlyMap<string, string>): DigestAlgorithm | undefined {
  const name = fields.get('algorithm');
  return name === undefined ? 'MD5' : algorithms.get(name.toLowerCase());
}

/** Parses an Authorization value; undefined when it is malformed, lacks a field or has another scheme. */
export function parseAuthorization(text: string): DigestCredentials | undefined {
  const fields = parseFields(text);
  const username = fields?.get('username');
  const realm = fields?.get('realm');
  const nonce = fields?.get('nonce');
  const uri = fields?.get('uri');
  const response = fields?.get('response');
  if (fields === undefined || username === undefined || realm === undefined) return undefined;
  if (nonce === undefined || uri === undefined || response === undefined) return undefined;
  return {
    username,
    realm,
    nonce,
    uri,
    response: response.toLowerCase(),
    algorithm: algorithmOf(fields),
    cnonce: fields.get('cnonce'),
    opaque: fields.get('opaque'),
    qop: fields.get('qop'),
    nc: fields.get('nc'),
  };
}

/** Parses one challenge; undefined when it is malformed, lacks realm or nonce or has another scheme. */
export function parseChallenge(text: string): DigestChallenge | undefined {
  const fields = parseFields(text);
  const realm = fields?.get('realm');
  const nonce = fields?.get('nonce');
  if (fields === undefined || realm === undefined || nonce === undefined) return undefined;
  const qop = fields.get('qop');
  const stale = fields.get('stale');
  return {
    realm,
    nonce,
    algorithm: algorithmOf(fields),
    qop: qop === undefined ? [] : qop.split(',').map((value) => value.trim().toLowerCase()),
    opaque: fields.get('opaque'),
    stale: stale === undefined ? undefined : stale.toLowerCase() === 'true',
  };
}

function join(fields: readonly (readonly [string, string | undefined])[]): string {
  const parts: string[] = [];
  for (const [name, value] of fields) {
    if (value !== undefined) parts.push(`${name}=${value}`);
  }
  const text = `Digest ${parts.join(', ')}`;
  if (hasLineBreak(text)) throw new TypeError('line break in a digest field');
  return text;
}

const quoted = (value: string | undefined): string | undefined =>
  value === undefined ? undefined : quote(value);

/**
 * A challenge as header value.
 * @throws TypeError when a field holds CR, LF or NUL.
 */
export function serializeChallenge(challenge: DigestChallenge): string {
  return join([
    ['realm', quote(challenge.realm)],
    ['nonce', quote(challenge.nonce)],
    ['opaque', quoted(challenge.opaque)],
    ['stale', challenge.stale === true ? 'true' : undefined],
    ['algorithm', challenge.algorithm],
    ['qop', challenge.qop.length === 0 ? undefined : quote(challenge.qop.join(','))],
  ]);
}

/**
 * Credentials as header value.
 * @throws TypeError when a field holds CR, LF or NUL.
 */
export function serializeAuthorization(credentials: DigestCredentials): string {
  return join([
    ['username', quote(credentials.username)],
    ['realm', quote(credentials.realm)],
    ['nonce', quote(credentials.nonce)],
    ['uri', quote(credentials.uri)],
    ['response', quote(credentials.response)],
    ['algorithm', credentials.algorithm],
    ['cnonce', quoted(credentials.cnonce)],
    ['opaque', quoted(credentials.opaque)],
    ['qop', credentials.qop],
    ['nc', credentials.nc],
  ]);
}

function digest(algorithm: DigestAlgorithm, text: string): string {
  return hash(algorithm.startsWith('MD5') ? 'md5' : 'sha256', text, 'hex');
}

/** H(user:realm:password) in lower-case hexadecimal (RFC 7616 §3.4.2), without the session part. */
export function ha1(
  user: string,
  realm: string,
  password: string,
  algorithm: DigestAlgorithm = 'MD5',
): string {
  return digest(algorithm, `${user}:${realm}:${password}`);
}

export interface DigestInput {
  readonly ha1: string;
  readonly algorithm: DigestAlgorithm;
  readonly nonce: string;
  readonly method: string;
  readonly uri: string;
  readonly qop?: string | undefined;
  readonly nc?: string | undefined;
  readonly cnonce?: string | undefined;
  /** The body, for qop=auth-int. */
  readonly body?: string | undefined;
}

/** The `response` field (RFC 7616 §3.4.1; RFC 2069 when there is no qop). */
export function digestResponse(input: DigestInput): string {
  const { algorithm, nonce, method, uri, qop, nc = '', cnonce = '' } = input;
  const key = algorithm.endsWith('-sess') ? digest(algorithm, `${input.ha1}:${nonce}:${cnonce}`) : input.ha1;
  const bodyHash = qop === 'auth-int' ? `:${digest(algorithm, input.body ?? '')}` : '';
  const ha2 = digest(algorithm, `${method}:${uri}${bodyHash}`);
  const middle = qop === undefined ? nonce : `${nonce}:${nc}:${cnonce}:${qop}`;
  return digest(algorithm, `${key}:${middle}:${ha2}`);
}

/** Compares two secrets in a time that does not depend on where they differ. */
export function safeEqual(a: string, b: string): boolean {
  const left = Buffer.from(a, 'utf8');
  const right = Buffer.from(b, 'utf8');
  return left.length === right.length && timingSafeEqual(left, right);
}
