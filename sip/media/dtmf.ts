/** By event code (RFC 4733 §3.2). */
const digits = '0123456789*#ABCD';

/** The digit of an event code; undefined when the event is no DTMF. */
export function digitOfEvent(code: number): string | undefined {
  return digits[code];
}

/** The event code of a digit, or -1. */
export function eventOfDigit(digit: string): number {
  return digit.length === 1 ? digits.indexOf(digit.toUpperCase()) : -1;
}
