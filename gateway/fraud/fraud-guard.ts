import type { Clock } from '../../sip/clock.js';
import { failure, type SipFailure } from '../../sip/failure.js';
import type { FraudConfig } from '../config/config.js';
import { callingCodeOf, normalised } from '../routing/phone-number.js';

const hourMs = 3_600_000;
const dayMs = 86_400_000;
const maxUsers = 10_000;
/** Numbers that are remembered of each user; the one called longest ago is forgotten first. */
const maxKnownNumbers = 100;
/** What has fewer without `+` has no room for the code of another country: names, extensions, local and short numbers. */
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

  /** Counts a call of the user to those numbers, as they are sent to trunks; a failure says why there is to be none. */
  check(aor: string, sent: readonly string[]): SipFailure | undefined {
    const config = this.config();
    if (config === undefined) return undefined;
    const numbers = written(sent, config);
    return (
      this.forbidden(aor, sent) ?? this.#minutesUsedUp(aor, config) ?? this.#tooManyNew(aor, numbers, config)
    );
  }

  /** Why nobody may call those numbers. */
  forbidden(aor: string, sent: readonly string[]): SipFailure | undefined {
    const config = this.config();
    if (config === undefined) return undefined;
    const numbers = written(sent, config);
    const denied = [...sent, ...sent.map(withoutSigns), ...numbers].find((number) =>
      config.deny.some((begin) => number.startsWith(begin)),
    );
    if (denied !== undefined) return failure('limit.denied_number', { detail: `${aor} dialled ${denied}` });
    const foreign = numbers.find((number) => isForeign(number, config));
    if (foreign === undefined) return undefined;
    return failure('limit.international', { detail: `${aor} dialled ${foreign}` });
  }

  /** What is counted of each user, in words; undefined: nothing. */
  get counted(): string | undefined {
    const { newDestinationsPerHour: numbers, minutesPerDay: minutes } = this.config() ?? {};
    const limits = [
      ...(numbers === undefined ? [] : [`${numbers} new numbers an hour`]),
      ...(minutes === undefined ? [] : [`${minutes} minutes a day`]),
    ];
    return limits.length === 0 ? undefined : limits.join(', ');
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

/** As E.164 numbers, each once; what is none stays as it is. */
function written(sent: readonly string[], { country }: FraudConfig): readonly string[] {
  return [...new Set(sent.map((number) => normalised(number, 'e164', country)))];
}

/** The digits, whatever stands between them: a PBX may pass over it. */
function withoutSigns(number: string): string {
  return `${number.startsWith('+') ? '+' : ''}${number.replace(/[^0-9]/g, '')}`;
}

/** What cannot be read as a number of the country, and is no short one, is taken for one of another. */
function isForeign(number: string, { country, international, allow }: FraudConfig): boolean {
  if (international || number.startsWith(callingCodeOf(country))) return false;
  const digits = withoutSigns(number);
  if (!digits.startsWith('+') && digits.length < minForeignDigits) return false;
  return !allow.some((begin) => number.startsWith(begin));
}
