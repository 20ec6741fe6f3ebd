import { isDigits, isToken, skipBlank } from './chars.js';
import type { CSeq } from './message.js';

/** RFC 3261 §8.1.1.5: the number is less than 2^31. */
const maxNumber = 2 ** 31 - 1;

/** Parses a CSeq value; undefined when it is malformed or its number is out of range. */
export function parseCSeq(text: string): CSeq | undefined {
  let at = 0;
  while (at < text.length && text.charCodeAt(at) !== 0x20 && text.charCodeAt(at) !== 0x09) at++;
  if (!isDigits(text, 0, at)) return undefined;
  const number = Number(text.slice(0, at));
  const start = skipBlank(text, at, text.length);
  if (number > maxNumber || !isToken(text, start)) return undefined;
  return { number, method: text.slice(start) };
}
