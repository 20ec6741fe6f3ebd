import { randomInt } from 'node:crypto';
import type { NaptrRecord } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';
import type { SipUri } from '../../message/index.js';
import type { TransportName } from '../transport/channel.js';
import { bareAddress } from '../transport/local-address.js';
import { DeadHops } from './dead-hops.js';
import { Dns } from './dns.js';
import { defaultPort, type Hop } from './hop.js';
import { orderServers, type SrvRecord } from './srv-order.js';

/** More addresses than this are not worth a caller's time. */
const maxHops = 32;

/** NAPTR services of RFC 3263 §4.1 and the transports that they stand for. */
const services: Readonly<Record<string, TransportName>> = {
  'sip+d2u': 'udp',
  'sip+d2t': 'tcp',
  'sips+d2t': 'tls',
};

const srvPrefixes: Readonly<Record<TransportName, string>> = {
  udp: '_sip._udp.',
  tcp: '_sip._tcp.',
  tls: '_sips._tcp.',
};

/** Which transports and address families we have. */
export interface OwnTransports {
  /** In the order of preference. */
  readonly names: readonly TransportName[];
  reaches(transport: TransportName, family: 4 | 6): boolean;
}

export interface NextHopsOptions {
  /** `address` or `address:port`; default: those of the machine. */
  readonly nameServers?: readonly string[] | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** An integer from 0 up to, but not including, its argument. */
  readonly random?: (below: number) => number;
}

type Done = (hops: readonly Hop[]) => void;

/** A server of the domain, and how to talk to it. */
interface Server {
  readonly transport: TransportName;
  readonly host: string;
  readonly port: number;
}

/** Finds the addresses that a SIP URI stands for, in the order in which they are to be tried (RFC 3263 §4). */
export class NextHops {
  readonly dead: DeadHops;
  private readonly dns: Dns;
  private readonly random: (below: number) => number;

  constructor(
    private readonly own: OwnTransports,
    { nameServers, clock, log, random = (below) => randomInt(below) }: NextHopsOptions,
  ) {
    this.dns = new Dns(nameServers, clock, log);
    this.dead = new DeadHops(clock);
    this.random = random;
  }

  /**
   * Calls `done` with the hops of `uri`: at once when nothing has to be looked up, with none when its host has no
   * address that we can reach. `transport` is used when the URI names none.
   */
  find(uri: SipUri, transport: TransportName | undefined, done: Done): void {
    const target = bareAddress(uri.params.get('maddr') ?? uri.host);
    const name = bareAddress(uri.host);
    const wanted = transportOf(uri) ?? (uri.scheme === 'sips' ? undefined : transport);
    if (isIP(target) !== 0) return done(this.literal(uri, target, name, wanted));
    const finish = (servers: readonly Server[]): void => this.addressesOf(servers, name, done);
    if (uri.port !== undefined) {
      return finish([{ transport: wanted ?? this.usual(uri), host: target, port: uri.port }]);
    }
    const plain = (): void => {
      const first = wanted ?? this.usual(uri);
      finish([{ transport: first, host: target, port: defaultPort(first) }]);
    };
    // RFC 6761 §6.3: no name server knows more about it.
    if (/(?:^|\.)localhost\.?$/i.test(target)) return plain();
    const found = (servers: readonly Server[]): void => (servers.length === 0 ? plain() : finish(servers));
    if (wanted !== undefined) return this.servers(`${srvPrefixes[wanted]}${target}`, wanted, found);
    this.byService(uri, target, found);
  }

  /** Gives up what is being looked up. */
  close(): void {
    this.dns.close();
  }

  get size(): number {
    return this.dead.size;
  }

  private literal(uri: SipUri, address: string, name: string, wanted: TransportName | undefined): Hop[] {
    const transport = wanted ?? this.usual(uri);
    const hop = { transport, address, port: uri.port ?? defaultPort(transport), name };
    return this.own.reaches(transport, isIPv6(address) ? 6 : 4) ? [hop] : [];
  }

  /** RFC 3263 §4.1: UDP for sip, TLS for sips; the first that we have when that is not among ours. */
  private usual(uri: SipUri): TransportName {
    if (uri.scheme === 'sips') return 'tls';
    const { names } = this.own;
    return names.includes('udp') ? 'udp' : (names[0] ?? 'udp');
  }

  /** RFC 3263 §4.1: NAPTR tells which transports the domain prefers; without it SRV is asked for each of ours. */
  private byService(uri: SipUri, target: string, done: (servers: readonly Server[]) => void): void {
    const isSecure = uri.scheme === 'sips';
    const wanted = this.own.names.filter((name) => !isSecure || name === 'tls');
    this.dns.naptr.find(target, (records) => {
      const usable = usableServices(records, wanted);
      const questions =
        usable.length > 0
          ? usable
          : wanted.map((transport) => ({ transport, name: `${srvPrefixes[transport]}${target}` }));
      this.allServers(questions, done);
    });
  }

  private allServers(
    questions: readonly { readonly transport: TransportName; readonly name: string }[],
    done: (servers: readonly Server[]) => void,
  ): void {
    const answers: (readonly Server[])[] = questions.map(() => []);
    let open = questions.length;
    if (open === 0) return done([]);
    questions.forEach(({ transport, name }, index) => {
      this.servers(name, transport, (servers) => {
        answers[index] = servers;
        open -= 1;
        if (open === 0) done(answers.flat());
      });
    });
  }

  private servers(name: string, transport: TransportName, done: (servers: readonly Server[]) => void): void {
    this.dns.srv.find(name, (records) => {
      // RFC 2782: a lone dot says that there is no such service.
      const real = records.filter((record) => record.name !== '' && record.name !== '.');
      const ordered: readonly SrvRecord[] = orderServers(real, this.random);
      done(ordered.map(({ name: host, port }) => ({ transport, host, port })));
    });
  }

  private addressesOf(servers: readonly Server[], name: string, done: Done): void {
    const found: Hop[][] = servers.slice(0, maxHops).map(() => []);
    let open = found.length;
    servers.slice(0, maxHops).forEach(({ transport, host, port }, index) => {
      this.dns.addresses.find(bareAddress(host), (addresses) => {
        found[index] = addresses
          .filter((address) => this.own.reaches(transport, isIPv6(address) ? 6 : 4))
          .map((address) => ({ transport, address, port, name }));
        open -= 1;
        if (open === 0) done(this.dead.last(found.flat().slice(0, maxHops)));
      });
    });
  }
}

/** What the URI itself says. */
function transportOf(uri: SipUri): TransportName | undefined {
  const named = uri.params.get('transport')?.toLowerCase();
  if (uri.scheme === 'sips') return named === undefined ? undefined : 'tls';
  return named === 'udp' || named === 'tcp' || named === 'tls' ? named : undefined;
}

function usableServices(records: readonly NaptrRecord[], wanted: readonly TransportName[]) {
  return [...records]
    .sort((one, other) => one.order - other.order || one.preference - other.preference)
    .flatMap(({ service, replacement, flags }) => {
      const transport = services[service.toLowerCase()];
      const isUsable = transport !== undefined && wanted.includes(transport) && flags.toLowerCase() === 's';
      return isUsable ? [{ transport, name: replacement }] : [];
    });
}
