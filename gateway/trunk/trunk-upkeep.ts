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

  /** `channels`: of the same trunk before it was changed. */
  constructor(
    private readonly trunk: Trunk,
    private readonly options: UpkeepOptions,
    channels?: Channels,
  ) {
    const refusals = { full: 'limit.trunk_channels', tooFast: 'limit.trunk_rate' } as const;
    this.channels = channels ?? new Channels({}, refusals, options.clock);
    this.channels.renew(trunk.limits ?? {});
    this.hosts = trunk.hosts.map((host) => ({ ...host, health: this.#healthOf(host) }));
    this.#registration = registrationOf(trunk, options);
  }

  /** Begins to ask hosts, and signs in. */
  open(): void {
    for (const { health } of this.hosts) health.open();
    this.#registration?.open();
  }

  /** The engine is there again: the carrier may have forgotten us meanwhile. */
  engineUp(): void {
    this.#registration?.open();
  }

  /** Signs out; hosts are still asked. Resolves when the carrier has answered, or did not in time. Idempotent. */
  async signOut(): Promise<void> {
    await this.#registration?.close();
  }

  /** Asks nobody any more. Idempotent. */
  async close(): Promise<void> {
    for (const { health } of this.hosts) health.close();
    await this.signOut();
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

function registrationOf(
  trunk: Trunk,
  { asker, events, clock, chance }: UpkeepOptions,
): Registration | undefined {
  const { name, register } = trunk;
  const account = registrationAccountOf(trunk);
  if (register === undefined || account === undefined) return undefined;
  const order = [...trunk.hosts].sort((one, other) => one.priority - other.priority).map(({ uri }) => uri);
  const mechanism = new TrunkRegistration(asker, account, clock);
  return new Registration({
    send: (host, expiresSeconds, timeoutMs) => mechanism.register(host, expiresSeconds, timeoutMs),
    hosts: order,
    ...register,
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
