import type { SipMessage } from './message.js';

/** The body as text (RFC 3261 §7.4.1: UTF-8 unless its type says otherwise). */
export function bodyText(message: SipMessage): string {
  return message.body.length === 0 ? '' : message.body.toString('utf8');
}

/** The media type of the body, `type/subtype` in lower case without parameters; undefined without Content-Type. */
export function mediaType(message: SipMessage): string | undefined {
  const value = message.headers.get('Content-Type');
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(';');
  return (semicolon === -1 ? value : value.slice(0, semicolon)).trim().toLowerCase();
}
