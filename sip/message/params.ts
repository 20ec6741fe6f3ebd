import {
  endOfQuoted,
  hasLineBreak,
  isToken,
  isUriParamPart,
  lowerSlice,
  quote,
  skipBlank,
  trimBlank,
  unquote,
} from './chars.js';
import type { Params } from './message.js';

/** What every value without parameters shares. */
export const noParams: Params = new Map();

/** Keeps the first of equal duplicates; false when the two differ, since readers would then disagree on the meaning. */
function put(params: Map<string, string | null>, name: string, value: string | null): boolean {
  const before = params.get(name);
  if (before === undefined) {
    params.set(name, value);
    return true;
  }
  return before === value;
}

const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;

/** Index of the `;` or the end that closes the parameter value at `start`, outside quotes and IPv6 brackets; -1 on an open quote. */
function endOfValue(text: string, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === SEMICOLON) return i;
    if (code === QUOTE) {
      i = endOfQuoted(text, i, end) - 1;
      if (i < 0) return -1;
    }
  }
  return end;
}

/** Whether an unquoted parameter value has only characters of token, host or IPv6 reference (RFC 3261 §25.1 gen-value). */
function isPlainValue(text: string, start: number, end: number): boolean {
  if (start >= end) return false;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    // Space, ", comma, ; and < = > end a value elsewhere; everything else is left to the reader of the parameter.
    if (code <= 0x20 || code === 0x7f || code === QUOTE || code === 0x2c || code === 0x3c || code === 0x3e)
      return false;
  }
  return true;
}

/**
 * Parses `;name=value;name…` from `start` on, blanks around `;` and `=` allowed (RFC 3261 §7.3.1). Undefined when an
 * element is empty, a name is no token, a quote stays open, or one name has two different values.
 */
export function parseParams(text: string, start = 0): Params | undefined {
  const end = trimBlank(text, 0, text.length);
  let at = skipBlank(text, start, end);
  if (at >= end) return noParams;
  const params = new Map<string, string | null>();
  while (at < end) {
    if (text.charCodeAt(at) !== SEMICOLON) return undefined;
    const nameStart = skipBlank(text, at + 1, end);
    const next = endOfValue(text, nameStart, end);
    if (next === -1 || !parseOne(text, nameStart, next, params)) return undefined;
    at = next;
  }
  return params;
}

function parseOne(text: string, start: number, end: number, params: Map<string, string | null>): boolean {
  let nameEnd = start;
  while (nameEnd < end && text.charCodeAt(nameEnd) !== EQUALS) nameEnd++;
  const trimmed = trimBlank(text, start, nameEnd);
  if (!isToken(text, start, trimmed)) return false;
  const name = lowerSlice(text, start, trimmed);
  if (nameEnd === end) return put(params, name, null);
  const valueStart = skipBlank(text, nameEnd + 1, end);
  const valueEnd = trimBlank(text, valueStart, end);
  if (text.charCodeAt(valueStart) === QUOTE) {
    if (endOfQuoted(text, valueStart, valueEnd) !== valueEnd) return false;
    return put(params, name, unquote(text, valueStart, valueEnd));
  }
  return isPlainValue(text, valueStart, valueEnd) && put(params, name, text.slice(valueStart, valueEnd));
}

/** Parses the parameters of a URI: no blanks, no quotes, escapes kept (RFC 3261 §19.1.1). */
export function parseUriParams(text: string, start: number, end: number): Params | undefined {
  if (start >= end) return noParams;
  const params = new Map<string, string | null>();
  let at = start;
  while (at < end) {
    if (text.charCodeAt(at) !== SEMICOLON) return undefined;
    let next = at + 1;
    let equals = -1;
    for (; next < end; next++) {
      const code = text.charCodeAt(next);
      if (code === SEMICOLON) break;
      if (code === EQUALS && equals === -1) equals = next;
    }
    const nameEnd = equals === -1 ? next : equals;
    if (!isUriParamPart(text, at + 1, nameEnd)) return undefined;
    if (equals !== -1 && !isUriParamPart(text, equals + 1, next)) return undefined;
    const value = equals === -1 ? null : text.slice(equals + 1, next);
    if (!put(params, lowerSlice(text, at + 1, nameEnd), value)) return undefined;
    at = next;
  }
  return params;
}

/** Whether a header parameter's value is always written as a quoted string (RFC 3840 §9, RFC 3326 §2). */
function isAlwaysQuoted(name: string): boolean {
  return name.charCodeAt(0) === 0x2b || name === 'text';
}

/** Whether a value is a token, a host or an IPv6 reference and so needs no quotes. */
function isBare(value: string): boolean {
  if (isToken(value)) return true;
  const last = value.length - 1;
  return value.charCodeAt(0) === 0x5b && value.charCodeAt(last) === 0x5d && isPlainValue(value, 1, last);
}

/**
 * Header parameters as text, each with its leading `;`; values that are no token are quoted.
 * @throws TypeError when a name is no token or a value holds CR, LF or NUL.
 */
export function serializeParams(params: Params): string {
  let text = '';
  for (const [name, value] of params) {
    if (!isToken(name)) throw new TypeError('parameter name is no token');
    if (value === null) text += `;${name}`;
    else if (isBare(value) && !isAlwaysQuoted(name)) text += `;${name}=${value}`;
    else if (hasLineBreak(value)) throw new TypeError('line break in a parameter value');
    else text += `;${name}=${quote(value)}`;
  }
  return text;
}

/** URI parameters as text, each with its leading `;`. */
export function serializeUriParams(params: Params): string {
  let text = '';
  for (const [name, value] of params) text += value === null ? `;${name}` : `;${name}=${value}`;
  return text;
}
