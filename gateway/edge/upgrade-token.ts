import type { IncomingMessage } from 'node:http';

/** Where a token may be in the request that opens a WebSocket, for clients that cannot put it into a REGISTER. */
export interface UpgradeTokenOptions {
  /** Name of the cookie; undefined: cookies are not looked at. */
  readonly cookie: string | undefined;
}

/** Name of the query parameter, as RFC 6750 §2.3 has it. */
const queryName = 'access_token';
/** Of the entry in the list of subprotocols, which is never chosen. */
const subprotocolPrefix = 'bearer.';
/** Nothing that a token or a header field may not have; longer ones are nobody's. */
const tokenText = /^[A-Za-z0-9._~+/-]{1,8192}=*$/;

/** The token in a subprotocol `bearer.TOKEN`, else in the query, else in the cookie; undefined when there is none. */
export function upgradeToken(
  { headers, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>,
  { cookie }: UpgradeTokenOptions,
): string | undefined {
  const found =
    inSubprotocols(headers['sec-websocket-protocol']) ??
    inQuery(url) ??
    (cookie === undefined ? undefined : inCookies(headers.cookie, cookie));
  return found !== undefined && tokenText.test(found) ? found : undefined;
}

/** The path of a request without its query, which may hold a token: all that may be logged of it. */
export function pathOf(url = ''): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

function inSubprotocols(offered = ''): string | undefined {
  const entry = offered
    .split(',')
    .map((name) => name.trim())
    .find((name) => name.startsWith(subprotocolPrefix));
  return entry?.slice(subprotocolPrefix.length);
}

function inQuery(url: string): string | undefined {
  const query = url.indexOf('?');
  return query === -1 ? undefined : (new URLSearchParams(url.slice(query)).get(queryName) ?? undefined);
}

function inCookies(cookies = '', name: string): string | undefined {
  const pair = cookies
    .split(';')
    .map((text) => text.trim())
    .find((text) => text.startsWith(`${name}=`));
  return pair?.slice(name.length + 1);
}
