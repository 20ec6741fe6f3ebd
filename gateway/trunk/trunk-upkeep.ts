import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../sip/clock.js';
import type { TrunkStack } from '../../sip/trunk/srf.js';
import { TrunkRegistration, type RegistrationAccount } from '../../sip/trunk/trunk-registration.js';
import { parseUri } from '../../sip/message/index.js';
import type { TrunkEvents } from '../telemetry/trunk-events.js';
import { chanceOf, type Chance } from './chance.js';
import { Channels } from './channels.js';
import { HostHealth, type HostState } from './host-health.js';
import { hostOrder } from './host-order.js';
import { Registration, type RegistrationState } from './registration.js';
import type { Trunk, TrunkHost } from './trunk.js';

/** What asks hosts and registrars. */
export type TrunkAsker = Pick<TrunkStack, 'options' | 'request'>;

export interface UpkeepOptions {
  readonly asker: TrunkAsker;
  readonly events: TrunkEvents;
  readonly clock: Clock;
  readonly chance: Chance;
}

/** A host of a trunk, and whether it is alive. */
export interface KeptHost extends TrunkHost {
  readonly health: HostHealth;
}

/** How a trunk is, for whoever looks. Times are milliseconds since the Unix epoch. */
export interface TrunkStatus {
  readonly hosts: readonly {
    readonly uri: string;
    readonly state: HostState;
    readonly sinceMs: number;
    readonly lastAnswer: string | undefined;
  }[];
  /** Undefined: the trunk is not signed in to. */
  readonly registration:
    | {
        readonly state: RegistrationState;
        readonly sinceMs: number;
        readonly host: string;
        readonly lastAnswer: string | undefined;
        readonly expiresAtMs: number | undefined;
        readonly nextTryMs: number | undefined;
      }
    | undefined;
  readonly channels: { readonly in: number; readonly out: number };
}

/** An OPTIONS that is not answered in this time counts as not answered. */
const answerWithinMs = 5_000;

/** What keeps one trunk usable: the health of its hosts, its registration, its channels. */
export class TrunkUpkeep {
  readonly hosts: readonly KeptHost[];
  readonly channels: Channels;
  readonly #registration: Registration | undefined;
  /** What another one goes on with: it is not ours to close any more. */
  readonly #handedOver = new Set<HostHealth | Registration>();

  /**
   * `before`: of the same trunk before it was changed. Its channels are taken over, and what the change does not touch: the
   * registration, and what is known of each host. What is left of it has to be closed.
   */
  constructor(
    private readonly trunk: Trunk,
    private readonly options: UpkeepOptions,
    before?: TrunkUpkeep,
  ) {
    const refusals = { full: 'limit.trunk_channels', tooFast: 'limit.trunk_rate' } as const;
    this.channels = before?.channels ?? new Channels({}, refusals, options.clock);
    this.channels.renew(trunk.limits ?? {});
    this.hosts = trunk.hosts.map((host) => ({
      ...host,
      health: before?.handOverHealth(host, trunk) ?? this.#healthOf(host),
    }));
    this.#registration = before?.handOverRegistration(trunk) ?? registrationOf(trunk, options);
  }

  /** Begins to ask hosts, and signs in, where that has not begun yet. */
  open(): void {
    for (const { health } of this.hosts) if (!health.isOpen) health.open();
    if (this.#registration?.isOpen === false) this.#registration.open();
  }

  /** The engine is there again: the carrier may have forgotten us meanwhile. */
  engineUp(): void {
    if (this.#registration?.isOpen === true) this.#registration.open();
  }

  /** Signs out; hosts are still asked. Resolves when the carrier has answered, or did not in time. Idempotent. */
  async signOut(): Promise<void> {
    const registration = this.#registration;
    if (registration !== undefined && !this.#handedOver.has(registration)) await registration.close();
  }

  /** Asks nobody any more, but for what was handed over. Idempotent. */
  async close(): Promise<void> {
    for (const { health } of this.hosts) if (!this.#handedOver.has(health)) health.close();
    await this.signOut();
  }

  /** What is known of this host, when the changed trunk watches it like ours; undefined: nothing. */
  handOverHealth({ uri }: TrunkHost, { options }: Trunk): HostHealth | undefined {
    if (!isDeepStrictEqual(options, this.trunk.options)) return undefined;
    const given = this.hosts.find((host) => host.uri === uri && !this.#handedOver.has(host.health));
    if (given !== undefined) this.#handedOver.add(given.health);
    return given?.health;
  }

  /** The registration, when the changed trunk signs in like ours; undefined: none. */
  handOverRegistration(trunk: Trunk): Registration | undefined {
    const given = this.#registration;
    if (given === undefined || !isDeepStrictEqual(signInOf(trunk), signInOf(this.trunk))) return undefined;
    this.#handedOver.add(given);
    return given;
  }

  /**
   * The hosts that a call tries, in order: those that are down only when all are. With a `key` the order is always the same but
   * for those that are down.
   */
  hostsForCall(key?: string): readonly KeptHost[] {
    const order = hostOrder(this.hosts, key === undefined ? this.options.chance : chanceOf(key));
    const alive = order.filter(({ health }) => health.state !== 'down');
    return alive.length > 0 ? alive : order;
  }

  get status(): TrunkStatus {
    const registration = this.#registration;
    return {
      hosts: this.hosts.map(({ uri, health: { state, sinceMs, lastAnswer } }) => ({
        uri,
        state,
        sinceMs,
        lastAnswer,
      })),
      registration:
        registration === undefined
          ? undefined
          : {
              state: registration.state,
              sinceMs: registration.sinceMs,
              host: registration.host,
              lastAnswer: registration.lastAnswer,
              expiresAtMs: registration.expiresAtMs,
              nextTryMs: registration.nextTryMs,
            },
      channels: this.channels.inUse,
    };
  }

  #healthOf({ uri }: TrunkHost): HostHealth {
    const { trunk } = this;
    const { asker, events, clock, chance } = this.options;
    const timeoutMs = Math.min(trunk.options?.everyMs ?? answerWithinMs, answerWithinMs);
    return new HostHealth({
      ask: () => asker.options({ requestUri: uri, nextHop: uri }, timeoutMs),
      watch: trunk.options,
      clock,
      chance,
      changed: (state, answer) => {
        const told = { trunk: trunk.name, host: uri, answer };
        if (state === 'up') events.trunkHostUp(told);
        else events.trunkHostDown(told);
      },
    });
  }
}

/** With what the trunk is signed in to; undefined: it has no user name and password. */
export function registrationAccountOf({ auth, hosts, from }: Trunk): RegistrationAccount | undefined {
  if (auth === undefined) return undefined;
  const [first] = [...hosts].sort((one, other) => one.priority - other.priority);
  const domain = from?.domain ?? authorityOf(first?.uri ?? '');
  return { ...auth, aor: `sip:${encodedUser(auth.username)}@${domain}`, registrar: `sip:${domain}` };
}

/** All that a registration depends on; undefined: there is none. */
function signInOf(trunk: Trunk) {
  const account = registrationAccountOf(trunk);
  if (trunk.register === undefined || account === undefined) return undefined;
  const order = [...trunk.hosts].sort((one, other) => one.priority - other.priority);
  return { account, hosts: order.map(({ uri }) => uri), ...trunk.register };
}

function registrationOf(
  trunk: Trunk,
  { asker, events, clock, chance }: UpkeepOptions,
): Registration | undefined {
  const { name } = trunk;
  const signIn = signInOf(trunk);
  if (signIn === undefined) return undefined;
  const { account, ...terms } = signIn;
  const mechanism = new TrunkRegistration(asker, account, clock);
  return new Registration({
    send: (host, expiresSeconds, timeoutMs) => mechanism.register(host, expiresSeconds, timeoutMs),
    ...terms,
    clock,
    chance,
    listener: {
      registered: (told) => events.trunkRegistered({ trunk: name, ...told }),
      failed: (told) => events.trunkRegistrationFailed({ trunk: name, ...told }),
      ended: (told) => events.trunkUnregistered({ trunk: name, ...told }),
    },
  });
}

/** RFC 3261 §25.1 `user`. */
const encodedUser = (user: string): string => encodeURIComponent(user).replaceAll('%2B', '+');

function authorityOf(uri: string): string {
  const parsed = parseUri(uri);
  if (parsed?.scheme !== 'sip' && parsed?.scheme !== 'sips') return uri;
  return parsed.port === undefined ? parsed.host : `${parsed.host}:${parsed.port}`;
}
