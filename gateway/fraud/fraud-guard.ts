import type { Clock } from '../../sip/clock.js';
import { failure, type SipFailure } from '../../sip/failure.js';
import type { FraudConfig } from '../config/config.js';
import { callingCodeOf, normalised } from '../routing/phone-number.js';

const hourMs = 3_600_000;
const dayMs = 86_400_000;
const maxUsers = 10_000;
/** Numbers that are remembered of each user; the one called longest ago is forgotten first. */
const maxKnownNumbers = 100;
/** What is shorter without `+` has no room for the code of another country: extensions, local and short numbers. */
const minForeignDigits = 8;

interface UserRecord {
  /** Numbers that were called, the one called longest ago first. */
  readonly known: Set<string>;
  /** When numbers were called for the first time, in the last hour. */
  newAtMs: readonly number[];
  /** Days since 1970, UTC, of `talkedMs`. */
  day: number;
  talkedMs: number;
}

/**
 * Bounds what a stolen password costs: which numbers a user may call over trunks, how many new ones in an hour, how long in
 * a day. It remembers `maxUsers` users, who called last, and nothing beyond the life of the process.
 */
export class FraudGuard {
  /** By address-of-record; who called longest ago first. */
  readonly #users = new Map<string, UserRecord>();

  constructor(
    /** As it is now; undefined: nothing is limited. */
    private readonly config: () => FraudConfig | undefined,
    private readonly clock: Clock,
  ) {}

  /** Users that are remembered. */
  get size(): number {
    return this.#users.size;
  }

  /** Whether the user may call those numbers, as they are sent to trunks; a failure says why not. */
  check(aor: string, sent: readonly string[]): SipFailure | undefined {
    const config = this.config();
    if (config === undefined) return undefined;
    const numbers = [...new Set(sent.map((number) => normalised(number, 'e164', config.country)))];
    const forbidden = [...sent, ...numbers].find((number) =>
      config.deny.some((begin) => number.startsWith(begin)),
    );
    if (forbidden !== undefined) {
      return failure('limit.denied_number', { detail: `${aor} dialled ${forbidden}` });
    }
    const foreign = numbers.find((number) => isForeign(number, config));
    if (foreign !== undefined) return failure('limit.international', { detail: `${aor} dialled ${foreign}` });
    return this.#minutesUsedUp(aor, config) ?? this.#tooManyNew(aor, numbers, config);
  }

  /** How long a call of the user over a trunk may last; undefined: as long as others. */
  remainingMs(aor: string): number | undefined {
    const minutes = this.config()?.minutesPerDay;
    if (minutes === undefined) return undefined;
    return Math.max(minutes * 60_000 - this.#talkedMs(aor), 0);
  }

  /** A call of the user over a trunk has ended. */
  talked(aor: string, durationMs: number): void {
    if (this.config()?.minutesPerDay === undefined || durationMs === 0) return;
    const record = this.#recordOf(aor);
    record.talkedMs = this.#talkedMs(aor) + durationMs;
    record.day = this.#today;
  }

  /** Forgets everything. */
  close(): void {
    this.#users.clear();
  }

  #minutesUsedUp(aor: string, { minutesPerDay }: FraudConfig): SipFailure | undefined {
    if (minutesPerDay === undefined || this.#talkedMs(aor) < minutesPerDay * 60_000) return undefined;
    return failure('limit.daily_minutes', { detail: `${aor} has talked ${minutesPerDay} minutes today` });
  }

  #tooManyNew(aor: string, numbers: readonly string[], config: FraudConfig): SipFailure | undefined {
    const { newDestinationsPerHour: limit } = config;
    if (limit === undefined) return undefined;
    const record = this.#recordOf(aor);
    const nowMs = this.clock.nowMs();
    record.newAtMs = record.newAtMs.filter((atMs) => nowMs - atMs < hourMs);
    const isNew = numbers.some((number) => !record.known.has(number));
    if (isNew && record.newAtMs.length >= limit) {
      const [first = nowMs] = record.newAtMs;
      const headers = [['Retry-After', String(Math.ceil((first + hourMs - nowMs) / 1_000))]] as const;
      const detail = `${aor} has called ${limit} new numbers within an hour`;
      return failure('limit.new_destinations', { headers, detail });
    }
    if (isNew) record.newAtMs = [...record.newAtMs, nowMs];
    for (const number of numbers) remember(record.known, number);
    return undefined;
  }

  #recordOf(aor: string): UserRecord {
    const record = this.#users.get(aor) ?? { known: new Set(), newAtMs: [], day: this.#today, talkedMs: 0 };
    this.#users.delete(aor);
    const [oldest] = this.#users.keys();
    if (oldest !== undefined && this.#users.size >= maxUsers) this.#users.delete(oldest);
    this.#users.set(aor, record);
    return record;
  }

  #talkedMs(aor: string): number {
    const record = this.#users.get(aor);
    return record?.day === this.#today ? record.talkedMs : 0;
  }

  get #today(): number {
    return Math.floor(this.clock.nowMs() / dayMs);
  }
}

function remember(known: Set<string>, number: string): void {
  known.delete(number);
  known.add(number);
  const [oldest] = known;
  if (oldest !== undefined && known.size > maxKnownNumbers) known.delete(oldest);
}

/** What cannot be read as a number of the country, and is no short one, is taken for one of another. */
function isForeign(number: string, { country, international, allow }: FraudConfig): boolean {
  const isOwn = number.startsWith(callingCodeOf(country)) || !/^\+?[0-9*#]+$/.test(number);
  if (international || isOwn || (!number.startsWith('+') && number.length < minForeignDigits)) return false;
  return !allow.some((begin) => number.startsWith(begin));
}
