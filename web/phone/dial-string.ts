/** What was typed, made into the URI to call, or why it cannot be called. */
export type DialTarget = { readonly uri: string; readonly shown: string } | { readonly problem: string };

const keypadLetters = /^[0-9A-Da-d*#+ ().\-/\u00a0\u2011]*$/;
const userCharacters = /^(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/]|%[0-9A-Fa-f]{2})+$/;
const hostCharacters = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/;

/** True when the text is a telephone number as people write it, with at least one digit. */
function isNumber(text: string): boolean {
  return keypadLetters.test(text) && /[0-9*#]/.test(text) && !/[A-Da-d]/.test(text);
}

/**
 * Turns what was typed or pasted into the SIP URI to call: numbers lose their visual separators (RFC 3966 §5.1.1),
 * names get our domain, and `user@host`, `sip:` and `tel:` are taken as they are.
 */
export function dialTarget(typed: string, domain: string): DialTarget {
  const text = typed.trim();
  if (text === '') return { problem: 'Enter a number or a name' };
  const scheme = /^(sip|sips|tel):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 'sips') return { problem: 'Addresses that begin with sips: cannot be called' };
  const address = scheme === undefined ? text : text.slice(scheme.length + 1);
  if (isNumber(address)) {
    const digits = address.replace(/[^0-9*#+]/g, '');
    // `#` is not allowed in the user part (RFC 3261 §25.1).
    return { uri: `sip:${digits.replaceAll('#', '%23')}@${domain}`, shown: digits };
  }
  const at = address.lastIndexOf('@');
  const user = at === -1 ? address : address.slice(0, at);
  const host = at === -1 ? domain : address.slice(at + 1);
  if (!userCharacters.test(user) || !/[A-Za-z0-9]/.test(user))
    return { problem: 'That is not a number or a name that can be called' };
  if (!hostCharacters.test(host)) return { problem: 'The part after @ is not a host name' };
  const shown = host === domain ? user : `${user}@${host}`;
  return { uri: `sip:${user}@${host}`, shown };
}

/** The keys of a telephone keypad, in rows. */
export const keypadKeys = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'] as const;

/** True for a character that can be sent as a telephone event (RFC 4733 §3.2). */
export function isDigit(key: string): boolean {
  return /^[0-9*#A-D]$/.test(key);
}
