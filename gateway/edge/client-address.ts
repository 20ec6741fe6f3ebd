import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import type { TrustedProxies } from '../config/trusted-proxies.js';
import type { FlowOrigin } from './flow.js';

const mappedIpv4 = '::ffff:';
/** More hops than any chain of proxies has. */
const maxHops = 32;

/**
 * Finds out where a request comes from. Behind trusted proxies it is the rightmost address in their header that is none of
 * them: what is left of it the client may have written itself. The other header is never looked at.
 */
export class ClientAddress {
  readonly #trusted = new BlockList();
  readonly #hasTrusted: boolean;

  /** @throws when an address is none. */
  constructor(private readonly proxies: TrustedProxies) {
    this.#hasTrusted = proxies.addresses.length > 0;
    for (const source of proxies.addresses) {
      const [address = '', prefix] = source.split('/');
      if (prefix === undefined) this.#trusted.addAddress(address, familyOf(address));
      else this.#trusted.addSubnet(address, Number(prefix), familyOf(address));
    }
  }

  /** True for the address of a proxy in front, which speaks for many clients. */
  isProxy(address: string): boolean {
    return this.#hasTrusted && isIP(address) !== 0 && this.#trusted.check(address, familyOf(address));
  }

  /** Address, port and transport of whoever sent the request; port 0 when a proxy did not tell it. */
  of({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): FlowOrigin {
    const transport = 'encrypted' in socket ? 'WSS' : 'WS';
    const { remoteAddress = '', remotePort = 0 } = socket;
    const peer = { address: plainAddress(remoteAddress), port: remotePort };
    if (!this.isProxy(peer.address)) return { ...peer, transport };
    const written = headers[this.proxies.header];
    const text = Array.isArray(written) ? written.join(',') : (written ?? '');
    const hops = this.proxies.header === 'forwarded' ? forwardedHops(text) : text.split(',').map(hopOf);
    let nearest = peer;
    for (const hop of hops.slice(-maxHops).reverse()) {
      // What cannot be read ends the trust: the last proxy that could be named stands for what is behind it.
      if (hop === undefined) break;
      nearest = hop;
      if (!this.isProxy(hop.address)) break;
    }
    return { ...nearest, transport };
  }
}

interface Hop {
  readonly address: string;
  readonly port: number;
}

/** IPv4 in its own notation. */
function plainAddress(address: string): string {
  return address.toLowerCase().startsWith(mappedIpv4) ? address.slice(mappedIpv4.length) : address;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** `192.0.2.1`, `192.0.2.1:1234`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:1234`. */
function hopOf(text: string): Hop | undefined {
  const trimmed = text.trim();
  if (isIP(trimmed) !== 0) return { address: plainAddress(trimmed), port: 0 };
  const [, six, four, port = '0'] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::([0-9]{1,5}))?$/.exec(trimmed) ?? [];
  const address = six ?? four ?? '';
  return isIP(address) === 0 ? undefined : { address: plainAddress(address), port: Number(port) };
}

/** The `for=` of each element of Forwarded (RFC 7239 §4); undefined for one that hides it. */
function forwardedHops(text: string): (Hop | undefined)[] {
  return text.split(',').map((element) => {
    const pair = element.split(';').find((part) => /^\s*for\s*=/i.test(part));
    const value = pair?.slice(pair.indexOf('=') + 1).trim() ?? '';
    return hopOf(value.replace(/^"(.*)"$/, '$1'));
  });
}
