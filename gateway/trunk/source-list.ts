import { BlockList, isIP } from 'node:net';
import { lookup } from 'node:dns/promises';

/** The addresses from which a trunk may call in. */
export class SourceList {
  readonly #list = new BlockList();

  /** Adds an address, a CIDR block, or all addresses of a host name. Rejects when the name does not resolve. */
  async add(source: string): Promise<void> {
    const [address = '', prefix] = source.split('/');
    const family = isIP(address);
    if (family === 0) return this.#addHost(source);
    if (prefix === undefined) this.#list.addAddress(address, nameOf(family));
    else this.#list.addSubnet(address, Number(prefix), nameOf(family));
  }

  /** True when `address` (IPv4, IPv6, or IPv4 mapped into IPv6) is listed. */
  has(address: string): boolean {
    const plain = address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, nameOf(family));
  }

  async #addHost(host: string): Promise<void> {
    for (const { address, family } of await lookup(host, { all: true })) {
      this.#list.addAddress(address, nameOf(family));
    }
  }
}

function nameOf(family: number): 'ipv4' | 'ipv6' {
  return family === 6 ? 'ipv6' : 'ipv4';
}
