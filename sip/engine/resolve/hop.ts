import type { Endpoint, TransportName } from '../transport/channel.js';

/** One address that a request can be sent to (RFC 3263 §4). */
export interface Hop extends Endpoint {
  readonly transport: TransportName;
  /** The host of the URI that led here: what a certificate has to name (RFC 5922 §4). */
  readonly name: string;
}

/** What two ways to the same hop have in common. */
export function hopKey({ transport, address, port }: Hop): string {
  return `${transport}|${address}|${port}`;
}

/** The port that is meant when none is named (RFC 3261 §19.1.2). */
export function defaultPort(transport: TransportName): number {
  return transport === 'tls' ? 5061 : 5060;
}
