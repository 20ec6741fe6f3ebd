import { lookup } from 'node:dns/promises';
import type { Clock, Timer } from '../../sip/clock.js';
import { parseUri } from '../../sip/message/index.js';
import { SourceList } from './source-list.js';
import type { Trunk } from './trunk.js';

/** How often names are looked up again: as long as most answers of name servers hold. */
const refreshMs = 60_000;

/** Finds the addresses of a SIP URI by RFC 3263; none when it has none. */
export type FindAddresses = (uri: string) => Promise<readonly string[]>;

/** The addresses of the host of a SIP URI alone, by the machine's own resolver. */
export async function lookUpHost(uri: string): Promise<readonly string[]> {
  try {
    return (await lookup(bareHost(uri), { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

export interface TrunkSourcesOptions {
  readonly trunk: Trunk;
  readonly find: FindAddresses;
  readonly clock: Clock;
  /** Hears once of a name that has no address, and again when it has lost it once more. */
  readonly unresolved: (host: string) => void;
}

/** Who may call in through one trunk: its allow-list, or its hosts; names are looked up again every minute. */
export class TrunkSources {
  readonly #options: TrunkSourcesOptions;
  readonly #names: readonly string[];
  /** Removed with the trunk. */
  readonly #addresses = new Map<string, readonly string[]>();
  readonly #missing = new Set<string>();
  #list = new SourceList();
  #timer: Timer | undefined;

  constructor(options: TrunkSourcesOptions) {
    this.#options = options;
    this.#names = sourcesOf(options.trunk).filter((source) => !new SourceList().add(bareHost(source)));
  }

  /** Looks the names up for the first time, and again from then on. */
  async open(): Promise<void> {
    await this.#refresh();
    if (this.#names.length === 0) return;
    this.#timer = this.#options.clock.every(refreshMs, () => void this.#refresh());
  }

  has(address: string): boolean {
    return this.#list.has(address);
  }

  /** Looks nothing up any more. Idempotent. */
  close(): void {
    this.#timer?.cancel();
  }

  async #refresh(): Promise<void> {
    await Promise.all(this.#names.map((name) => this.#lookUp(name)));
    const list = new SourceList();
    for (const source of sourcesOf(this.#options.trunk)) list.add(bareHost(source));
    for (const address of [...this.#addresses.values()].flat()) list.add(address);
    this.#list = list;
  }

  /** A name that has no address just now keeps those that it had. */
  async #lookUp(name: string): Promise<void> {
    const found = await this.#options.find(name.includes(':') ? name : `sip:${name}`);
    if (found.length > 0) {
      this.#addresses.set(name, found);
      this.#missing.delete(name);
    } else if (!this.#missing.has(name)) {
      this.#missing.add(name);
      this.#options.unresolved(bareHost(name));
    }
  }
}

function sourcesOf({ inbound, hosts }: Trunk): readonly string[] {
  return inbound.allow ?? hosts.map(({ uri }) => uri);
}

/** The host of a SIP URI, without brackets; anything else as it is. */
function bareHost(source: string): string {
  const uri = parseUri(source);
  if (uri?.scheme !== 'sip' && uri?.scheme !== 'sips') return source;
  return uri.host.replace(/^\[|\]$/g, '');
}
