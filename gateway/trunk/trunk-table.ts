import { failure } from '../../sip/failure.js';
import type { CalleeLeg, CalleeListener, Invitation } from '../../sip/leg.js';
import type { MediaEndOptions } from '../../sip/media/media-engine.js';
import { parseUri, type SipUri } from '../../sip/message/index.js';
import type { TrunkTarget } from '../../sip/trunk/trunk-target.js';
import { SourceList } from './source-list.js';
import type { Trunk, TrunkHost } from './trunk.js';

/** Sends INVITEs through the SIP engine. */
export interface TrunkDialler {
  invite(target: TrunkTarget, invitation: Invitation, listener: CalleeListener): CalleeLeg;
}

/** What the table is asked to reach. */
export interface TrunkDestination {
  /** User part as it is to be written in a URI. */
  readonly escapedUser: string;
  readonly user: string;
}

interface TrunkCaller {
  readonly user: string;
  readonly callerId: string | undefined;
  readonly displayName: string | undefined;
}

interface TrunkEntry {
  readonly trunk: Trunk;
  readonly sources: SourceList;
  readonly media: MediaEndOptions;
}

/** The configured trunks: where they lead, and who may call in through them. */
export class TrunkTable {
  readonly #entries = new Map<string, TrunkEntry>();

  private constructor(private readonly dialler: TrunkDialler) {}

  /** Reads the trunks; resolves the names of their hosts. `unresolved` hears of a name that does not resolve. */
  static async create(
    trunks: readonly Trunk[],
    dialler: TrunkDialler,
    unresolved: (trunk: string, host: string, cause: unknown) => void,
  ): Promise<TrunkTable> {
    const table = new TrunkTable(dialler);
    for (const trunk of trunks) {
      const sources = new SourceList();
      for (const source of trunk.inbound.allow ?? trunk.hosts.map(hostOf)) {
        await sources.add(source).catch((cause: unknown) => unresolved(trunk.name, source, cause));
      }
      table.#entries.set(trunk.name, { trunk, sources, media: mediaOf(trunk) });
    }
    return table;
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** The trunk that a packet from this address belongs to. */
  identify(address: string): { readonly name: string; readonly media: MediaEndOptions } | undefined {
    for (const { trunk, sources, media } of this.#entries.values()) {
      if (sources.has(address)) return { name: trunk.name, media };
    }
    return undefined;
  }

  /** True when calls from the trunk to this number are wanted. */
  accepts(name: string, dialled: TrunkDestination): boolean {
    const numbers = this.#entries.get(name)?.trunk.inbound.numbers;
    return numbers === undefined || numbers.includes(dialled.user);
  }

  /** The trunk's targets for one call, best priority first. Throws `trunk.unavailable` when there is none. */
  targets(name: string, dialled: TrunkDestination, caller: TrunkCaller) {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.trunk.hosts.length === 0) {
      throw failure('trunk.unavailable', { detail: `trunk ${name} has no host` });
    }
    const hosts = [...entry.trunk.hosts].sort((one, other) => one.priority - other.priority);
    return hosts.map((host) => this.#target(entry, host, dialled, caller));
  }

  #target({ trunk, media }: TrunkEntry, host: TrunkHost, dialled: TrunkDestination, caller: TrunkCaller) {
    const authority = authorityOf(host);
    const fromUser = trunk.from?.user ?? caller.callerId ?? caller.user;
    const target: TrunkTarget = {
      requestUri: `sip:${dialled.escapedUser}@${authority}`,
      nextHop: withTransport(host.uri),
      ...(trunk.auth === undefined ? {} : { auth: trunk.auth }),
    };
    return {
      side: 'trunk' as const,
      label: `${trunk.name} ${host.uri}`,
      media,
      from: party(`sip:${fromUser}@${trunk.from?.domain ?? authority}`, caller.displayName),
      to: party(`sip:${dialled.escapedUser}@${authority}`, undefined),
      headers: [],
      invite: (invitation: Invitation, listener: CalleeListener) =>
        this.dialler.invite(target, invitation, listener),
    };
  }
}

function party(uri: string, displayName: string | undefined) {
  return displayName === undefined ? { uri } : { uri, displayName };
}

function mediaOf({ media }: Trunk): MediaEndOptions {
  return {
    profile: 'plain',
    ...(media.codecs === undefined ? {} : { codecs: media.codecs }),
    ...(media.ptimeMs === undefined ? {} : { ptimeMs: media.ptimeMs }),
  };
}

function sipUriOf(host: TrunkHost): SipUri {
  const uri = parseUri(host.uri);
  if (uri === undefined || (uri.scheme !== 'sip' && uri.scheme !== 'sips')) {
    throw failure('trunk.unavailable', { detail: `${host.uri} is not a SIP URI` });
  }
  return uri;
}

function hostOf(host: TrunkHost): string {
  return sipUriOf(host).host.replace(/^\[|\]$/g, '');
}

function authorityOf(host: TrunkHost): string {
  const { host: name, port } = sipUriOf(host);
  return port === undefined ? name : `${name}:${port}`;
}

/** Always with a transport: without it drachtio-server takes whichever of its own comes first. */
function withTransport(uri: string): string {
  return uri.includes(';transport=') ? uri : `${uri};transport=udp`;
}
