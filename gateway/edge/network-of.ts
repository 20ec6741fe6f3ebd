import { isIPv6 } from 'node:net';

const groupsOfNetwork = 4;

/**
 * What limits by address count: an IPv4 address, or the /64 of an IPv6 address, since who has one of those has all of its
 * addresses (RFC 4291 §2.5.4, RFC 6177). A mapped IPv4 address is that one.
 */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = '', tail] = address.toLowerCase().split('%', 1).join('').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  // A dotted end stands for two groups.
  const written = front.length + back.length + (address.includes('.') ? 1 : 0);
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - written)).fill('0');
  const groups = [...front, ...zeros, ...back].slice(0, groupsOfNetwork);
  return `${groups.map((group) => group.replace(/^0+(?=.)/, '')).join(':')}::/64`;
}
