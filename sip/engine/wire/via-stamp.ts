import type { Via } from '../../message/index.js';
import { bareAddress } from '../transport/local-address.js';
import type { Endpoint } from '../transport/channel.js';

const quote = 0x22;
const backslash = 0x5c;

/** Position of the first `wanted` character outside quotes at or after `from`, or the length. */
function findOutsideQuotes(text: string, wanted: number, from: number): number {
  let quoted = false;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) quoted = !quoted;
    else if (quoted && code === backslash) at += 1;
    else if (!quoted && code === wanted) return at;
  }
  return text.length;
}

/**
 * Adds `received` and `rport` to the first value of a Via header field and keeps the others (RFC 3261 §18.2.1,
 * RFC 3581 §4). What the sender put there itself is replaced.
 * Interop: `rport` is filled in even when it was not asked for, as drachtio-server does, and responses go to the
 * packet's source: peers behind a NAT that do not know RFC 3581 are reached that way.
 */
export function stampVia(value: string, via: Via, source: Endpoint): string {
  const end = findOutsideQuotes(value, 0x2c, 0);
  const rest = value.slice(end);
  let stamped = '';
  let hasPort = false;
  let at = 0;
  while (at < end) {
    const next = Math.min(findOutsideQuotes(value, 0x3b, at), end);
    const part = value.slice(at, next);
    const name = at === 0 ? '' : (part.split('=', 1)[0] ?? '').trim().toLowerCase();
    if (at === 0) stamped = part.trimEnd();
    else if (name === 'rport') {
      stamped += `;rport=${source.port}`;
      hasPort = true;
    } else if (name !== 'received') stamped += `;${part}`;
    at = next + 1;
  }
  stamped = stamped.trimEnd();
  if (!hasPort) stamped += `;rport=${source.port}`;
  if (bareAddress(via.host) !== source.address) stamped += `;received=${source.address}`;
  return stamped + rest;
}
