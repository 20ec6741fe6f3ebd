import { failure, SipFailure } from '../sip/failure.js';
import type { Clock } from '../sip/clock.js';
import type { Admission } from './call/call-controller.js';
import type { CallSource } from './call/ports.js';
import type { CallLimitsConfig } from './config/config.js';
import { BucketTable, perMinute } from './edge/bucket-table.js';
import { Channels } from './trunk/channels.js';
import type { TrunkTable } from './trunk/trunk-table.js';

export interface CallAdmissionOptions {
  /** The trunks, and the limits of each user, that are in force. */
  readonly trunks: () => Pick<TrunkTable, 'takeIncoming' | 'limitsOf'> | undefined;
  readonly userLimits: () => CallLimitsConfig | undefined;
  /** New calls of each user; undefined: no limit. */
  readonly invitesPerMinute?: () => number | undefined;
  readonly clock: Clock;
}

const refusals = { full: 'limit.user_channels', tooFast: 'limit.user_rate' } as const;

/** After so long without a call nothing is left to remember of a user: the rate is that of a second. */
const rememberMs = 1_000;

/** A user or a trunk that calls on and on though it is refused does not push the other records out of the CDR file. */
const refusedPerMinute = perMinute(600);

/** Grants calls to users and trunks, within their limits. */
export class CallAdmission {
  /** By address-of-record; an entry goes when its user has had no call for a second. */
  readonly #users = new Map<string, Channels>();

  /** New calls by address-of-record. */
  readonly #invites = new BucketTable(undefined);

  /** Records of calls that were refused before they began, by address-of-record or trunk. */
  readonly #refused = new BucketTable(refusedPerMinute);

  constructor(private readonly options: CallAdmissionOptions) {}

  /** Calls of users that are counted, users whose new calls are, and callers whose refused calls are. */
  sizes(): { user_channels: number; invite_rates: number; refused_callers: number } {
    const nowMs = this.options.clock.nowMs();
    this.#invites.sweep(nowMs);
    this.#refused.sweep(nowMs);
    const channels = [...this.#users.values()].reduce((sum, { size }) => sum + size, 0);
    return {
      user_channels: channels,
      invite_rates: this.#invites.size,
      refused_callers: this.#refused.size,
    };
  }

  /** Takes a channel of the caller, or says why there is none. */
  admit(source: CallSource, urgent: boolean): Admission | SipFailure {
    if (source.side === 'trunk') return this.#trunk(source.trunk, urgent);
    const { aor } = source;
    const isSlowEnough = urgent || this.#takeInvite(aor);
    if (!isSlowEnough) {
      const headers = [['Retry-After', String(this.#invites.retryAfterSeconds)]] as const;
      return failure('limit.invite_rate', { headers });
    }
    const admission = this.#user(aor, urgent);
    if (admission instanceof SipFailure || urgent) return admission;
    return {
      ...admission,
      release: (outcome) => {
        if (outcome === 'unused') this.#invites.giveBack(aor);
        admission.release(outcome);
      },
    };
  }

  /** Whether a call of this caller that was refused before it began gets its record: 600 a minute do. */
  mayRecordRefused(source: CallSource): boolean {
    const nowMs = this.options.clock.nowMs();
    this.#refused.sweep(nowMs);
    return this.#refused.take(source.side === 'trunk' ? source.trunk : source.aor, nowMs);
  }

  /** Forgets how fast callers were. */
  close(): void {
    this.#invites.clear();
    this.#refused.clear();
  }

  #takeInvite(aor: string): boolean {
    const { clock, invitesPerMinute } = this.options;
    const nowMs = clock.nowMs();
    this.#invites.renew(perMinute(invitesPerMinute?.()));
    this.#invites.sweep(nowMs);
    return this.#invites.take(aor, nowMs);
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
