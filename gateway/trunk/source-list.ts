import { BlockList, isIP } from 'node:net';

/** The addresses from which a trunk may call in. */
export class SourceList {
  readonly #list = new BlockList();

  /** Adds an address or a CIDR block. Returns false when it is neither. */
  add(source: string): boolean {
    const [address = '', prefix] = source.split('/');
    const family = isIP(address);
    if (family === 0) return false;
    if (prefix === undefined) this.#list.addAddress(address, nameOf(family));
    else this.#list.addSubnet(address, Number(prefix), nameOf(family));
    return true;
  }

  /** True when `address` (IPv4, IPv6, or IPv4 mapped into IPv6) is listed. */
  has(address: string): boolean {
    const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, nameOf(family));
  }
}

function nameOf(family: number): 'ipv4' | 'ipv6' {
  return family === 6 ? 'ipv6' : 'ipv4';
}
