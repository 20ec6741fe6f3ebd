import { parseUri } from '../sip/message/index.js';

/** The user part of a SIP URI as it is written; undefined when there is none. */
export function userOf(uri: string): string | undefined {
  const parsed = parseUri(uri);
  return parsed?.scheme === 'sip' || parsed?.scheme === 'sips' ? parsed.user : undefined;
}

/** An IP address as it stands in a URI. */
export function uriHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
