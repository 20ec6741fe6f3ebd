import { endOfQuoted, hasLineBreak, quote, skipBlank, trimBlank, unquote } from './chars.js';
import type { NameAddr } from './message.js';
import { parseParams, serializeParams } from './params.js';
import { parseUri, serializeUri } from './uri.js';

const QUOTE = 0x22;
const LESS = 0x3c;
const GREATER = 0x3e;
const COMMA = 0x2c;

/**
 * Parses one name-addr or addr-spec with its header parameters (RFC 3261 §20.10, §25.1). Undefined when it is
 * malformed; `*` and lists are malformed here.
 */
export function parseNameAddr(text: string): NameAddr | undefined {
  const end = trimBlank(text, 0, text.length);
  const start = skipBlank(text, 0, end);
  if (text.charCodeAt(start) === QUOTE) return parseQuotedName(text, start, end);
  const less = text.indexOf('<', start);
  const colon = text.indexOf(':', start);
  // A display name without quotes has no colon; a bare URI begins with its scheme, whatever its parameters hold.
  if (less === -1 || (colon !== -1 && colon < less)) return parseAddrSpec(text, start, end);
  const nameEnd = trimBlank(text, start, less);
  if (!isPlainName(text, start, nameEnd)) return undefined;
  return parseBracketed(text, less, end, nameEnd === start ? undefined : text.slice(start, nameEnd));
}

function parseQuotedName(text: string, start: number, end: number): NameAddr | undefined {
  const close = endOfQuoted(text, start, end);
  if (close === -1) return undefined;
  const less = skipBlank(text, close, end);
  if (text.charCodeAt(less) !== LESS) return undefined;
  return parseBracketed(text, less, end, unquote(text, start, close));
}

/** Interop: more than tokens is taken in an unquoted display name, but nothing that could be read as another field. */
function isPlainName(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || notInName.has(code)) return false;
  }
  return true;
}

/** `"`, `,`, `;`, `>` and the backslash. */
const notInName = new Set([QUOTE, COMMA, 0x3b, GREATER, 0x5c]);

function parseBracketed(
  text: string,
  less: number,
  end: number,
  displayName: string | undefined,
): NameAddr | undefined {
  const greater = text.indexOf('>', less);
  if (greater === -1 || greater >= end) return undefined;
  const uri = parseUri(text.slice(less + 1, greater));
  if (uri === undefined) return undefined;
  const params = parseParams(text, greater + 1);
  return params === undefined ? undefined : { displayName, uri, params };
}

/** Without brackets, what follows the first `;` belongs to the header, and `?` and `,` are forbidden (RFC 3261 §20). */
function parseAddrSpec(text: string, start: number, end: number): NameAddr | undefined {
  let semicolon = text.indexOf(';', start);
  if (semicolon === -1) semicolon = end;
  const spec = text.slice(start, trimBlank(text, start, semicolon));
  if (spec.includes('?') || spec.includes(',')) return undefined;
  const uri = parseUri(spec);
  if (uri === undefined) return undefined;
  const params = parseParams(text, semicolon);
  return params === undefined ? undefined : { displayName: undefined, uri, params };
}

/**
 * The value as text; the URI is always in brackets.
 * @throws TypeError when the display name holds CR, LF or NUL.
 */
export function serializeNameAddr(nameAddr: NameAddr): string {
  const address = `<${serializeUri(nameAddr.uri)}>`;
  const params = nameAddr.params.size === 0 ? '' : serializeParams(nameAddr.params);
  const { displayName } = nameAddr;
  if (displayName === undefined) return address + params;
  if (hasLineBreak(displayName)) throw new TypeError('line break in a display name');
  return `${quote(displayName)} ${address}${params}`;
}

/**
 * Splits at commas outside quotes and `<>`; blanks around each value are removed, empty values are kept out
 * (RFC 3261 §7.3.1). An open quote or bracket swallows the rest, which its own parser then refuses.
 */
export function splitCommaList(text: string): string[] {
  const values: string[] = [];
  if (!text.includes(',')) {
    pushTrimmed(values, text, 0, text.length);
    return values;
  }
  let from = 0;
  let isInBrackets = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE && !isInBrackets) {
      const close = endOfQuoted(text, i, text.length);
      i = close === -1 ? text.length : close - 1;
    } else if (code === LESS) isInBrackets = true;
    else if (code === GREATER) isInBrackets = false;
    else if (code === COMMA && !isInBrackets) {
      pushTrimmed(values, text, from, i);
      from = i + 1;
    }
  }
  pushTrimmed(values, text, from, text.length);
  return values;
}

function pushTrimmed(values: string[], text: string, start: number, end: number): void {
  const from = skipBlank(text, start, end);
  const to = trimBlank(text, from, end);
  if (from < to) values.push(text.slice(from, to));
}

/** All values of a header that may be a comma list, in order; undefined when one is malformed. */
export function parseNameAddrList(values: readonly string[]): NameAddr[] | undefined {
  const list: NameAddr[] = [];
  for (const value of values) {
    for (const part of splitCommaList(value)) {
      const parsed = parseNameAddr(part);
      if (parsed === undefined) return undefined;
      list.push(parsed);
    }
  }
  return list;
}

/** The `tag` parameter, if it has a value. */
export function tagOf(nameAddr: NameAddr): string | undefined {
  return nameAddr.params.get('tag') ?? undefined;
}

/** A copy with that `tag`. */
export function withTag(nameAddr: NameAddr, tag: string): NameAddr {
  return { ...nameAddr, params: new Map(nameAddr.params).set('tag', tag) };
}
