import { SipFailure } from '../sip/failure.js';
import type { Clock } from '../sip/clock.js';
import type { Admission } from './call/call-controller.js';
import type { CallSource } from './call/ports.js';
import type { CallLimitsConfig } from './config/config.js';
import { Channels } from './trunk/channels.js';
import type { TrunkTable } from './trunk/trunk-table.js';

export interface CallAdmissionOptions {
  /** The trunks, and the limits of each user, that are in force. */
  readonly trunks: () => Pick<TrunkTable, 'takeIncoming' | 'limitsOf'> | undefined;
  readonly userLimits: () => CallLimitsConfig | undefined;
  readonly clock: Clock;
}

const refusals = { full: 'limit.user_channels', tooFast: 'limit.user_rate' } as const;

/** After so long without a call nothing is left to remember of a user: the rate is that of a second. */
const rememberMs = 1_000;

/** Grants calls to users and trunks, within their limits. */
export class CallAdmission {
  /** By address-of-record; an entry goes when its user has had no call for a second. */
  readonly #users = new Map<string, Channels>();

  constructor(private readonly options: CallAdmissionOptions) {}

  /** Calls of users that are counted. */
  get size(): number {
    return [...this.#users.values()].reduce((sum, channels) => sum + channels.size, 0);
  }

  /** Takes a channel of the caller, or says why there is none. */
  admit(source: CallSource, urgent: boolean): Admission | SipFailure {
    return source.side === 'browser' ? this.#user(source.aor, urgent) : this.#trunk(source.trunk, urgent);
  }

  #trunk(name: string, urgent: boolean): Admission | SipFailure {
    const trunks = this.options.trunks();
    const release = trunks?.takeIncoming(name, urgent) ?? (() => undefined);
    if (release instanceof SipFailure) return release;
    return { limits: urgent ? {} : (trunks?.limitsOf(name) ?? {}), release };
  }

  #user(aor: string, urgent: boolean): Admission | SipFailure {
    const limits = this.options.userLimits();
    if (limits === undefined) return { limits: {}, release: () => undefined };
    const channels = this.#channelsOf(aor, limits);
    const release = channels.take('out', urgent);
    if (release instanceof SipFailure) return release;
    return {
      limits: urgent ? {} : limits,
      release: (outcome) => {
        release(outcome);
        this.#forgetSoon(aor, channels);
      },
    };
  }

  #channelsOf(aor: string, limits: CallLimitsConfig): Channels {
    const known = this.#users.get(aor);
    if (known !== undefined) {
      known.renew(limits);
      return known;
    }
    const channels = new Channels(limits, refusals, this.options.clock);
    this.#users.set(aor, channels);
    return channels;
  }

  #forgetSoon(aor: string, channels: Channels): void {
    this.options.clock.after(rememberMs, () => {
      if (channels.size === 0 && this.#users.get(aor) === channels) this.#users.delete(aor);
    });
  }
}
