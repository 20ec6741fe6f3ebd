import { isIP, isIPv6 } from 'node:net';
import { addressTowards, isWildcard, sipHost } from './local-address.js';
import type { Channel, Endpoint, TransportName } from './channel.js';

/** What listener addresses have in common: who we are towards a peer. */
export class LocalIdentity {
  readonly family: 4 | 6;
  /** Undefined when it is of the other address family. */
  readonly externalAddress: string | undefined;
  private readonly wildcard: boolean;
  private readonly fixed: Endpoint;
  private readonly fixedSentBy: Channel['sentBy'];
  private readonly towards = new Map<string, Endpoint>();

  /** `bound` is the address that the socket reported; `externalAddress` is put into Via and Contact when given: an
   * address of the same family, or a name. */
  constructor(
    readonly transport: TransportName,
    readonly bound: Endpoint,
    externalAddress: string | undefined,
  ) {
    this.family = isIPv6(bound.address) ? 6 : 4;
    const isUsable = externalAddress !== undefined && [0, this.family].includes(isIP(externalAddress));
    this.externalAddress = isUsable ? externalAddress : undefined;
    this.wildcard = isWildcard(bound.address);
    this.fixed = bound;
    this.fixedSentBy = { host: sipHost(this.externalAddress ?? bound.address), port: bound.port };
  }

  /** Our own address as `remote` reaches us. */
  localFor(remote: string): Endpoint {
    if (!this.wildcard) return this.fixed;
    const known = this.towards.get(remote);
    if (known !== undefined) return known;
    if (this.towards.size >= 256) this.towards.clear();
    const found = { address: addressTowards(remote), port: this.bound.port };
    this.towards.set(remote, found);
    return found;
  }

  /** What Via and Contact carry towards `remote`. */
  sentByFor(remote: string): Channel['sentBy'] {
    if (!this.wildcard || this.externalAddress !== undefined) return this.fixedSentBy;
    return { host: sipHost(this.localFor(remote).address), port: this.bound.port };
  }
}
