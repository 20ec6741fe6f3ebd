import { isIP } from 'node:net';
import type { AddressFamily, SdpAddress, SdpCandidate } from './description.js';
import { isUnspecified } from './direction.js';

/** As many candidates of one end are checked at most: each of them gets packets from us before it has agreed to any. */
const maxCandidates = 32;

/** Host candidate priority of RFC 8445 §5.1.2.1 for the first component: type preference 126, local preference 65535. */
const hostPriority = 126 * 2 ** 24 + 65_535 * 2 ** 8 + 255;

/** The family of an address literal, or undefined for a name or for an address that is only good on one link. */
export function addressFamily(host: string): AddressFamily | undefined {
  if (host.includes('%')) return undefined;
  const family = isIP(host);
  return family === 4 || family === 6 ? family : undefined;
}

/** True for 224.0.0.0/4, 255.255.255.255 and ff00::/8. */
export function isGroupAddress(host: string): boolean {
  if (addressFamily(host) === 6) return host.toLowerCase().startsWith('ff');
  const first = Number(host.slice(0, host.indexOf('.')));
  return host === '255.255.255.255' || (first >= 224 && first < 240);
}

/**
 * The candidates that packets may be sent to: UDP, RTP component, address literals of `family`. mDNS names, TCP
 * candidates and the other family are passed over in silence, as DESIGN §5 asks: the peer is then found by its own checks.
 */
export function usableCandidates(
  candidates: readonly SdpCandidate[],
  family: AddressFamily,
): readonly SdpCandidate[] {
  const usable = candidates.filter(
    (candidate) =>
      candidate.transport.toLowerCase() === 'udp' &&
      candidate.component === 1 &&
      candidate.port > 0 &&
      addressFamily(candidate.host) === family &&
      !isUnspecified(candidate.host) &&
      !isGroupAddress(candidate.host),
  );
  return usable.slice(0, maxCandidates);
}

/** The one candidate that we announce. */
export function hostCandidate(address: SdpAddress, port: number): SdpCandidate {
  return {
    foundation: '1',
    component: 1,
    transport: 'UDP',
    priority: hostPriority,
    host: address.host,
    port,
    type: 'host',
  };
}
