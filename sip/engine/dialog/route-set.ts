import {
  parseNameAddr,
  parseUri,
  serializeUri,
  splitCommaList,
  type Headers,
  type SipUri,
} from '../../message/index.js';

/** Where a request in a dialog goes, and what it carries to get there (RFC 3261 §12.2.1.1). */
export interface Path {
  readonly requestUri: string;
  /** Route header field lines. */
  readonly routes: string;
  /** The URI of the next hop; undefined when it cannot be read or is not a SIP URI. */
  readonly nextHop: SipUri | undefined;
}

/** The Record-Route values in the order in which they stand (RFC 3261 §12.1.1); reversed for a UAC (§12.1.2). */
export function routeSetOf(headers: Headers, role: 'uac' | 'uas'): readonly string[] {
  const values = headers.getAll('record-route').flatMap((value) => splitCommaList(value));
  return role === 'uac' ? values.reverse() : values;
}

/** The SIP URI in a text that is a URI or a name-addr. */
export function sipUriOf(text: string): SipUri | undefined {
  const uri = text.includes('<') ? parseNameAddr(text)?.uri : parseUri(text);
  return uri?.scheme === 'sip' || uri?.scheme === 'sips' ? uri : undefined;
}

/** Applies a route set to a remote target: loose routing, or strict routing when the first hop has no `lr`. */
export function pathTo(target: string, routeSet: readonly string[]): Path {
  const [first] = routeSet;
  if (first === undefined) return { requestUri: target, routes: '', nextHop: sipUriOf(target) };
  const nextHop = sipUriOf(first);
  if (nextHop === undefined || nextHop.params.has('lr')) {
    return { requestUri: target, routes: routeLines(routeSet), nextHop };
  }
  const requestUri = serializeUri({ ...nextHop, headers: undefined });
  return { requestUri, routes: routeLines([...routeSet.slice(1), `<${target}>`]), nextHop };
}

function routeLines(values: readonly string[]): string {
  return values.map((value) => `Route: ${value}\r\n`).join('');
}
