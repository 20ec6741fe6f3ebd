import type { Clock } from '../../sip/clock.js';
import { failure, SipFailure } from '../../sip/failure.js';
import type { CalleeLeg, CalleeListener, HeaderList, Invitation, Party } from '../../sip/leg.js';
import { parseUri, type SipUri } from '../../sip/message/index.js';
import type { TrunkTarget } from '../../sip/trunk/trunk-target.js';
import type { HostPatience, SideLimits, TargetLimits } from '../call/call-limits.js';
import { plainCallerId, presentCaller, type PresentableCaller } from '../routing/caller-id.js';
import { plainHeaders, type HeaderRule, type OfferedHeaders } from '../routing/header-rule.js';
import { dialledAt, escapedUser, plainNumbers, receivedFrom } from '../routing/number-rule.js';
import { TrunkSources, type FindAddresses } from './trunk-sources.js';
import type { Channels, Direction, Release } from './channels.js';
import { plainUpkeep, type CallUpkeep } from './call-upkeep.js';
import type { KeptHost } from './trunk-upkeep.js';
import type { Trunk, TrunkHost, TrunkMedia } from './trunk.js';
import { watchedCallee } from './watched-callee.js';

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

/** A request that goes to a PBX as its own user has written it (domains with `auth: pbx`). */
export interface UnchangedRequest {
  /** Canonical `sip:user@domain`: all that this user asks goes to the hosts in the same order. */
  readonly aor: string;
  readonly requestUri: string;
  readonly from: Party;
  readonly to: Party;
  readonly headers: HeaderList;
}

/** What may be special about a call. */
export interface TrunkCallExtras {
  /** Nothing is rewritten, no password of ours is added, and challenges are told. */
  readonly unchanged?: UnchangedRequest;
  /** Header fields of the caller that the trunk may pick from. */
  readonly offered?: Pick<OfferedHeaders, 'forTrunk'>;
  readonly emergency?: boolean;
}

/** The hosts that one user's requests try, in order. */
export interface HostsForUser {
  readonly hosts: readonly KeptHost[];
  /** How long a host may leave a request without a word when there is another; undefined: as long as the SIP engine waits. */
  readonly patienceMs: number | undefined;
}

/** Whom a packet came from. */
export interface IdentifiedTrunk {
  readonly name: string;
  readonly media: TrunkMedia;
  /** Where the called number stands. */
  readonly numberFrom: 'request_uri' | 'to';
}

export interface TrunkTableOptions {
  readonly trunks: readonly Trunk[];
  readonly dialler: TrunkDialler;
  readonly find: FindAddresses;
  readonly clock: Clock;
  /** Hears of a host, or an entry of an allow-list, that has no address: it cannot call in. */
  readonly unresolved: (trunk: string, host: string) => void;
  /** Undefined: nobody watches or limits the trunks. */
  readonly upkeepOf?: (name: string) => CallUpkeep | undefined;
  /** How long a call waits for a host, unless the trunk says; undefined: as long as the SIP engine waits. */
  readonly patience?: HostPatience;
  /** Hears of a call that found no channel. */
  readonly full?: (trunk: string, direction: 'in' | 'out', refusal: SipFailure) => void;
}

interface TrunkEntry {
  readonly trunk: Trunk;
  readonly upkeep: CallUpkeep;
  readonly sources: TrunkSources;
  readonly media: TrunkMedia;
}

/** The configured trunks: where they lead, and who may call in through them. */
export class TrunkTable {
  readonly #entries = new Map<string, TrunkEntry>();

  private constructor(private readonly options: TrunkTableOptions) {}

  /** Reads the trunks and looks the names of their hosts up. */
  static async create(options: TrunkTableOptions): Promise<TrunkTable> {
    const { trunks, find, clock, unresolved, upkeepOf } = options;
    const table = new TrunkTable(options);
    for (const trunk of trunks) {
      const upkeep = upkeepOf?.(trunk.name) ?? plainUpkeep(trunk, clock);
      const missing = (host: string): void => unresolved(trunk.name, host);
      const sources = new TrunkSources({ trunk, find, clock, unresolved: missing });
      table.#entries.set(trunk.name, { trunk, upkeep, sources, media: mediaOf(trunk) });
    }
    await Promise.all([...table.#entries.values()].map(({ sources }) => sources.open()));
    return table;
  }

  /** Looks no names up any more. Idempotent. */
  close(): void {
    for (const { sources } of this.#entries.values()) sources.close();
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /**
   * The trunk that a packet from this address belongs to. When several accounts are at one carrier, `user`, whom the packet is
   * addressed to, tells them apart: it is the one that we have registered.
   */
  identify(address: string, user?: string): IdentifiedTrunk | undefined {
    const possible = [...this.#entries.values()].filter(({ sources }) => sources.has(address));
    const entry = possible.find(({ trunk }) => isAccount(trunk, user)) ?? possible[0];
    if (entry === undefined) return undefined;
    const { trunk, media } = entry;
    return { name: trunk.name, media, numberFrom: trunk.inbound.numberFrom ?? 'request_uri' };
  }

  /** Whether packets from this address may belong to that trunk. */
  isFrom(name: string, address: string): boolean {
    return this.#entries.get(name)?.sources.has(address) === true;
  }

  /** Media of calls with the trunk. */
  mediaOf(name: string): TrunkMedia | undefined {
    return this.#entries.get(name)?.media;
  }

  /**
   * Where requests of the user of this address-of-record go: to the same host as long as it lives, since another may not know its
   * nonces.
   */
  hostsFor(name: string, aor: string): HostsForUser {
    const entry = this.#entries.get(name);
    const patienceMs = entry?.trunk.attemptTimeoutMs ?? this.options.patience?.attemptTimeoutMs;
    return { hosts: entry?.upkeep.hostsForCall(aor) ?? [], patienceMs };
  }

  /** True when calls from the trunk to this number are wanted. */
  accepts(name: string, dialled: TrunkDestination): boolean {
    const numbers = this.#entries.get(name)?.trunk.inbound.numbers;
    return numbers === undefined || numbers.includes(dialled.user);
  }

  /** Whether the trunk's P-Asserted-Identity is believed. */
  trustsIdentity(name: string): boolean {
    return this.#entries.get(name)?.trunk.inbound.trustIdentity === true;
  }

  /** A number of the trunk as routes and users see it. */
  received(name: string, number: string): string {
    return receivedFrom(this.#entries.get(name)?.trunk.numbers ?? plainNumbers, number);
  }

  /** Which header fields of the trunk cross. */
  headersOf(name: string): HeaderRule {
    return this.#entries.get(name)?.trunk.headers ?? plainHeaders;
  }

  /** The trunk's targets for one call, best priority first. Throws `trunk.unavailable` when there is none. */
  targets(name: string, dialled: TrunkDestination, caller: PresentableCaller, extras: TrunkCallExtras = {}) {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.trunk.hosts.length === 0) {
      throw failure('trunk.unavailable', { detail: `trunk ${name} has no host` });
    }
    const hosts = entry.upkeep.hostsForCall(extras.unchanged?.aor);
    return hosts.map((host) => this.#target(entry, host, dialled, caller, extras));
  }

  #target(
    { trunk, media, upkeep }: TrunkEntry,
    host: KeptHost,
    dialled: TrunkDestination,
    caller: PresentableCaller,
    { offered, emergency = false, unchanged }: TrunkCallExtras,
  ) {
    const { scheme } = sipUriOf(host);
    const authority = authorityOf(host);
    const numbers = trunk.numbers ?? plainNumbers;
    const wanted = dialledAt(numbers, dialled.user, emergency);
    const number = wanted === dialled.user ? dialled.escapedUser : escapedUser(wanted);
    const written: TrunkTarget = {
      requestUri: `${scheme}:${number}@${authority}`,
      nextHop: host.uri,
      ...(trunk.auth === undefined ? {} : { auth: trunk.auth }),
    };
    const target: TrunkTarget =
      unchanged === undefined
        ? written
        : { requestUri: unchanged.requestUri, nextHop: host.uri, passesChallenge: true };
    const presented = presentedBy(trunk, caller, authority, emergency);
    return {
      side: 'trunk' as const,
      label: `${trunk.name} ${host.uri}`,
      place: { trunk: trunk.name },
      media,
      from: unchanged?.from ?? presented.from,
      to: unchanged?.to ?? { uri: `sip:${number}@${authority}` },
      headers: [
        ...(unchanged ?? presented).headers,
        ...(offered?.forTrunk(trunk.headers ?? plainHeaders) ?? []),
      ],
      limits: limitsOf(emergency ? { ...trunk, limits: undefined } : trunk, this.options.patience),
      failsOver: (refusal: SipFailure) => failsOver(trunk, refusal),
      ...this.#attemptOf(target, { trunk, upkeep }, host, emergency),
    };
  }

  /** One that is left for its silence gives its channel back at once: it may take long to be sure of its end. */
  #attemptOf(
    target: TrunkTarget,
    { trunk, upkeep }: Pick<TrunkEntry, 'trunk' | 'upkeep'>,
    { health }: KeptHost,
    emergency: boolean,
  ) {
    let channel: Release = () => undefined;
    const invite = (invitation: Invitation, listener: CalleeListener): CalleeLeg => {
      const release = this.#take(trunk.name, upkeep.channels, 'out', emergency);
      if (release instanceof SipFailure) throw release;
      channel = release;
      const watch = {
        heard: (answer: string) => health.heard(answer),
        missed: () => health.missed(),
        over: release,
      };
      try {
        return this.options.dialler.invite(target, invitation, watchedCallee(listener, watch));
      } catch (thrown) {
        release();
        throw thrown;
      }
    };
    const wasSilent = (): void => {
      channel();
      health.missed();
    };
    return { invite, wasSilent };
  }

  /** Takes a channel for a call from the trunk, or says why there is none. */
  takeIncoming(name: string, urgent: boolean): Release | SipFailure {
    const entry = this.#entries.get(name);
    if (entry === undefined) return failure('trunk.unavailable', { detail: `there is no trunk ${name}` });
    return this.#take(name, entry.upkeep.channels, 'in', urgent);
  }

  /** Counts a call to the trunk that is up already: nothing limits it. */
  holdOutgoing(name: string): Release {
    const taken = this.#entries.get(name)?.upkeep.channels.take('out', true);
    return taken === undefined || taken instanceof SipFailure ? () => undefined : taken;
  }

  /** What a call from the trunk is limited by. */
  limitsOf(name: string): SideLimits {
    return this.#entries.get(name)?.trunk.limits ?? {};
  }

  #take(name: string, channels: Channels, direction: Direction, urgent: boolean): Release | SipFailure {
    const taken = channels.take(direction, urgent);
    if (taken instanceof SipFailure) this.options.full?.(name, direction, taken);
    return taken;
  }
}

function presentedBy(trunk: Trunk, caller: PresentableCaller, authority: string, emergency: boolean) {
  return presentCaller(caller, {
    rule: trunk.callerId ?? plainCallerId,
    numbers: trunk.numbers ?? plainNumbers,
    fromUser: trunk.from?.user,
    domain: trunk.from?.domain ?? authority,
    emergency,
  });
}

/** A trunk that cannot is passed over, whatever the configuration says of answers. */
function failsOver({ failoverOn }: Trunk, { code, status }: SipFailure): boolean {
  if (code.startsWith('trunk.') || code.startsWith('limit.')) return true;
  return failoverOn?.includes(status) ?? (status === 408 || (status >= 500 && status < 600));
}

function limitsOf(
  { limits, attemptTimeoutMs, progressTimeoutMs }: Trunk,
  usual: HostPatience = {},
): TargetLimits {
  return {
    ...limits,
    attemptTimeoutMs: attemptTimeoutMs ?? usual.attemptTimeoutMs,
    progressTimeoutMs: progressTimeoutMs ?? usual.progressTimeoutMs,
  };
}

function isAccount({ register, auth }: Trunk, user: string | undefined): boolean {
  return register !== undefined && user !== undefined && auth?.username === user;
}

function mediaOf({ media }: Trunk): TrunkMedia {
  const { dtmf = 'rfc4733', srtp = 'off' } = media;
  const infoDtmf = dtmf === 'info' ? 'application/dtmf-relay' : 'application/dtmf';
  return {
    profile: 'plain',
    ...(media.codecs === undefined ? {} : { codecs: media.codecs }),
    ...(media.ptimeMs === undefined ? {} : { ptimeMs: media.ptimeMs }),
    ...(media.video === undefined ? {} : { video: media.video }),
    ...(srtp === 'off' ? {} : { srtp }),
    ...(dtmf === 'rfc4733' ? {} : { dtmf: 'signalled', infoDtmf }),
  };
}

function sipUriOf(host: TrunkHost): SipUri {
  const uri = parseUri(host.uri);
  if (uri === undefined || (uri.scheme !== 'sip' && uri.scheme !== 'sips')) {
    throw failure('trunk.unavailable', { detail: `${host.uri} is not a SIP URI` });
  }
  return uri;
}

function authorityOf(host: TrunkHost): string {
  const { host: name, port } = sipUriOf(host);
  return port === undefined ? name : `${name}:${port}`;
}
