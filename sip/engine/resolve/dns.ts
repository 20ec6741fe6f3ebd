import { promises, type NaptrRecord } from 'node:dns';
import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import { DnsCache, type DnsAnswer } from './dns-cache.js';
import type { SrvRecord } from './srv-order.js';

/** A server that is silent for this long is asked once more, then given up. */
const timeoutMs = 2000;

/** Answers to the three questions of RFC 3263, with their caches. */
export class Dns {
  readonly naptr: DnsCache<NaptrRecord>;
  readonly srv: DnsCache<SrvRecord>;
  readonly addresses: DnsCache<string>;
  private readonly resolver = new promises.Resolver({ timeout: timeoutMs, tries: 2 });

  /**
   * Asks `nameServers` (`address` or `address:port`), or those of the machine. Only without `nameServers` do the
   * machine's other sources of host addresses count (`/etc/hosts`, mDNS…). Throws when a name server is no address.
   */
  constructor(nameServers: readonly string[] | undefined, clock: Clock, log: Log) {
    if (nameServers !== undefined) this.resolver.setServers(nameServers);
    const byResolver = (name: string) => this.resolveAddresses(name);
    this.naptr = new DnsCache((name) => this.resolver.resolveNaptr(name).then(lasting), clock, log);
    this.srv = new DnsCache((name) => this.resolver.resolveSrv(name).then(lasting), clock, log);
    this.addresses = new DnsCache(nameServers === undefined ? lookUp : byResolver, clock, log);
  }

  /** Gives up what is being asked. */
  close(): void {
    this.resolver.cancel();
  }

  /** IPv6 before IPv4 as RFC 6724 has it; one family without records, or failing, does not harm the other. */
  private async resolveAddresses(name: string): Promise<DnsAnswer<string>> {
    const [six, four] = await Promise.allSettled([
      this.resolver.resolve6(name, { ttl: true }),
      this.resolver.resolve4(name, { ttl: true }),
    ]);
    const records = [six, four].flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    if (records.length === 0 && four.status === 'rejected') throw four.reason;
    const ttlMs = 1000 * Math.min(...records.map(({ ttl }) => ttl));
    return { items: records.map(({ address }) => address), ttlMs };
  }
}

function lasting<Item>(items: readonly Item[]): DnsAnswer<Item> {
  return { items };
}

async function lookUp(name: string): Promise<DnsAnswer<string>> {
  const found = await promises.lookup(name, { all: true, verbatim: true });
  return { items: found.map(({ address }) => address) };
}
