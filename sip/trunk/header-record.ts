import { isIP } from 'node:net';
import type { HeaderList, Party } from '../leg.js';
import { parseUri, serializeNameAddr, serializeUri } from '../message/index.js';
import type { SrfHeaders } from './srf-types.js';

/** True when the text could end a header line early: srf writes values as they are. */
function breaksLine(text: string): boolean {
  return text.includes('\r') || text.includes('\n') || text.includes('\0');
}

/**
 * Header fields in srf's form. Values of one name become a comma list (RFC 3261 §7.3.1); a name or value with a line
 * break is left out, for srf would write it as it is.
 */
export function headerRecord(...lists: readonly HeaderList[]): SrfHeaders {
  const record: SrfHeaders = {};
  const spelling = new Map<string, string>();
  for (const [name, value] of lists.flat()) {
    if (breaksLine(name) || breaksLine(value)) continue;
    const known = spelling.get(name.toLowerCase()) ?? name;
    const earlier = record[known];
    spelling.set(known.toLowerCase(), known);
    record[known] = earlier === undefined ? value : `${earlier}, ${value}`;
  }
  return record;
}

/** `"Name" <uri>`: always in brackets, or the URI's parameters would become the header's (RFC 3261 §20.10). */
export function bracketed(party: Party): string {
  const uri = parseUri(party.uri) ?? { scheme: 'other' as const, text: party.uri };
  return serializeNameAddr({ displayName: party.displayName, uri, params: new Map() });
}

/** The user part of a SIP URI as it is written, undefined when there is none. */
export function userOf(uriText: string): string | undefined {
  const uri = parseUri(uriText);
  return uri?.scheme === 'sip' || uri?.scheme === 'sips' ? uri.user : undefined;
}

/** The value of `;transport=` in lower case; `udp` when the URI names none. */
export function transportOf(uriText: string): string {
  const uri = parseUri(uriText);
  if (uri?.scheme === 'sips') return 'tls';
  const named = uri?.scheme === 'sip' ? uri.params.get('transport') : undefined;
  return (named ?? 'udp').toLowerCase();
}

/**
 * The URI with an explicit transport: without one drachtio-server takes whichever of its own transports it lists first,
 * WebSocket included. A name without port stays as it is: RFC 3263 §4.1 finds its transport by NAPTR and SRV.
 */
export function withTransport(uriText: string): string {
  const uri = parseUri(uriText);
  if (uri === undefined || (uri.scheme !== 'sip' && uri.scheme !== 'sips')) return uriText;
  if (uri.params.has('transport')) return uriText;
  if (uri.port === undefined && isIP(uri.host.replace(/^\[|\]$/g, '')) === 0) return uriText;
  return serializeUri({ ...uri, params: new Map([...uri.params, ['transport', transportOf(uriText)]]) });
}

/** Contact for a new request; the engine puts its own address for `@localhost` (RFC 3261 §8.1.1.8). */
export function localContact(user: string | undefined, transport: string): string {
  const parameter = transport === 'udp' ? '' : `;transport=${transport}`;
  return `<sip:${user ?? 'webtrunk'}@localhost${parameter}>`;
}
