import { isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Puts brackets around an IPv6 address, as a SIP host needs them (RFC 3261 §25.1). */
export function sipHost(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}

/** Takes the brackets off an IPv6 host. */
export function bareAddress(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** Whether the address stands for all addresses of the machine. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** IPv4 addresses that the public network does not route (RFC 1918, RFC 6598, RFC 3927, loopback). */
export function isPrivateIPv4(address: string): boolean {
  const [first = 0, second = 0] = address.split('.', 2).map(Number);
  if (first === 10 || first === 127) return true;
  if (first === 172) return second >= 16 && second <= 31;
  if (first === 192) return second === 168;
  if (first === 169) return second === 254;
  return first === 100 && second >= 64 && second <= 127;
}

const toNumber = (address: string): number =>
  address.split('.').reduce((value, octet) => ((value << 8) | Number(octet)) >>> 0, 0);

/**
 * The address of this machine that `remote` sees when we listen on all addresses: the one in the same subnet, else the
 * first that is not internal, else loopback.
 */
export function addressTowards(remote: string): string {
  const family = isIPv6(remote) ? 'IPv6' : 'IPv4';
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => entry.family === family && !entry.address.startsWith('fe80:'));
  if (family === 'IPv4') {
    const target = toNumber(remote);
    const near = own.find((entry) => {
      const mask = toNumber(entry.netmask);
      return (toNumber(entry.address) & mask) === (target & mask);
    });
    if (near !== undefined) return near.address;
  } else if (remote === '::1') return '::1';
  return own.find((entry) => !entry.internal)?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1');
}

/** Every address of this machine, for recognising a request to ourselves. */
export function ownAddresses(): Set<string> {
  return new Set(
    Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .map((entry) => entry.address),
  );
}
