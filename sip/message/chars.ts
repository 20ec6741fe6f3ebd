/** Character classes of RFC 3261 §25.1 as bits, one byte for each ASCII code. */
const TOKEN = 1;
const HOST = 2;
const USER = 4;
const URI_PARAM = 8;
const HEX = 16;
const VISIBLE = 32;

const classes = new Uint8Array(128);

function mark(characters: string, bit: number): void {
  for (let i = 0; i < characters.length; i++) {
    const code = characters.charCodeAt(i);
    classes[code] = (classes[code] ?? 0) | bit;
  }
}

const digits = '0123456789';
const alphanumeric = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz${digits}`;
mark(`${alphanumeric}-.!%*_+\`'~`, TOKEN);
// Interop: "_" is no host character in RFC 3261 §25.1, but private networks use it.
mark(`${alphanumeric}-._`, HOST);
// Interop: "#", "^", "|", "{", "}", "[" and "]" should be escaped in a user part; telephones do not.
mark(`${alphanumeric}-_.!~*'()&=+$,;?/#^|{}[]\``, USER);
mark(`${alphanumeric}-_.!~*'()[]/:&+$|{}^\`,`, URI_PARAM);
mark(`${digits}abcdefABCDEF`, HEX);
for (let code = 0x21; code < 0x7f; code++) mark(String.fromCharCode(code), VISIBLE);

function allOf(bit: number, text: string, start: number, end: number): boolean {
  if (start >= end) return false;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code > 127 || ((classes[code] ?? 0) & bit) === 0) return false;
  }
  return true;
}

/** Whether `text` from `start` to `end` is a non-empty token (RFC 3261 §25.1). */
export function isToken(text: string, start = 0, end = text.length): boolean {
  return allOf(TOKEN, text, start, end);
}

/** Whether that range is non-empty and made of host name characters only. */
export function isHostName(text: string, start: number, end: number): boolean {
  return allOf(HOST, text, start, end);
}

/** Whether that range is non-empty and made of printable ASCII without spaces. */
export function isVisible(text: string, start = 0, end = text.length): boolean {
  return allOf(VISIBLE, text, start, end);
}

/** Whether that range is non-empty and made of decimal digits only. */
export function isDigits(text: string, start = 0, end = text.length): boolean {
  if (start >= end) return false;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}

export function isHex(code: number): boolean {
  return code < 128 && ((classes[code] ?? 0) & HEX) !== 0;
}

/** Escapes (`%` and two hexadecimal digits) and characters of one class, everything above ASCII allowed when `utf8`. */
function escapedAllOf(bit: number, text: string, start: number, end: number, utf8: boolean): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) {
      if (!utf8) return false;
    } else if (code === 0x25) {
      if (i + 2 >= end || !isHex(text.charCodeAt(i + 1)) || !isHex(text.charCodeAt(i + 2))) return false;
      i += 2;
    } else if (((classes[code] ?? 0) & bit) === 0) return false;
  }
  return true;
}

/** Whether that range can stand in the user part of a SIP URI, escapes included. */
export function isUserPart(text: string, start: number, end: number): boolean {
  return escapedAllOf(USER, text, start, end, true);
}

/** Whether that range can stand as name or value of a URI parameter, escapes included. */
export function isUriParamPart(text: string, start: number, end: number): boolean {
  return start < end && escapedAllOf(URI_PARAM, text, start, end, false);
}

/** Whether one unescaped character may stand in a user part as it is (RFC 3261 §25.1 unreserved and user-unreserved). */
export function isPlainUserCode(code: number): boolean {
  return code < 128 && code !== 0x23 && ((classes[code] ?? 0) & USER) !== 0;
}

/** Index of the first character from `start` that is no space or tab, at most `end`. */
export function skipBlank(text: string, start: number, end: number): number {
  let i = start;
  while (i < end) {
    const code = text.charCodeAt(i);
    if (code !== 0x20 && code !== 0x09) break;
    i++;
  }
  return i;
}

/** Index after the last character before `end` that is no space or tab, at least `start`. */
export function trimBlank(text: string, start: number, end: number): number {
  let i = end;
  while (i > start) {
    const code = text.charCodeAt(i - 1);
    if (code !== 0x20 && code !== 0x09) break;
    i--;
  }
  return i;
}

/** The range without upper-case ASCII letters; allocates a second string only when there are some. */
export function lowerSlice(text: string, start: number, end: number): string {
  const part = text.slice(start, end);
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x41 && code <= 0x5a) return part.toLowerCase();
  }
  return part;
}

/** Whether `text` holds a character that would end or corrupt a header line: CR, LF or NUL. */
export function hasLineBreak(text: string): boolean {
  return text.includes('\r') || text.includes('\n') || text.includes('\0');
}

/**
 * Index after the quoted string that opens at `start` (RFC 3261 §25.1), or -1 when it is not closed before `end`.
 */
export function endOfQuoted(text: string, start: number, end: number): number {
  for (let i = start + 1; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x22) return i + 1;
    if (code === 0x5c) i++;
  }
  return -1;
}

/** The content of a quoted string whose quotes are at `start` and `end - 1`, without its backslashes. */
export function unquote(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1);
  if (!inner.includes('\\')) return inner;
  const parts: string[] = [];
  let from = 0;
  for (let i = inner.indexOf('\\'); i !== -1; i = inner.indexOf('\\', i + 2)) {
    parts.push(inner.slice(from, i));
    from = i + 1;
  }
  parts.push(inner.slice(from));
  return parts.join('');
}

/** `text` as a quoted string. */
export function quote(text: string): string {
  if (!text.includes('"') && !text.includes('\\')) return `"${text}"`;
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
