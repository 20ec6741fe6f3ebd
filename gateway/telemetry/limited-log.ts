import type { Clock } from '../../sip/clock.js';
import type { Log } from '../../sip/log.js';

export interface LineLimits {
  /** Lines of one event about one address or user that are written in a minute. */
  readonly perMinute: number;
  /** Of events and subjects that are followed one by one; what comes from others counts together, by event. */
  readonly maxSubjects: number;
}

interface Minute {
  readonly event: string;
  readonly subject: string;
  readonly untilMs: number;
  lines: number;
}

type Level = 'info' | 'warn';

const defaultLimits: LineLimits = { perMinute: 100, maxSubjects: 10_000 };
const minuteMs = 60_000;
const others = 'others';
/** Events that a browser makes as many of as it likes in one call, by its media: the call is their subject. */
const byCall: ReadonlySet<string> = new Set(['call.tone_lost']);

/**
 * A log that nobody can flood from outside. Of each event with `remote`, `who` or `aor`, and of lost tones by call, it writes
 * so many lines a minute and subject, the others at debug; when the minute is over, one line says how many they were. Errors always pass.
 */
export function limitedLog(log: Log, clock: Clock, limits: LineLimits = defaultLimits): Log {
  const minutes = new Minutes(log, clock, limits);
  const write = (level: Level, fields: object, message: string): void =>
    log[minutes.take(fields) ? level : 'debug'](fields, message);
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => write('info', fields, message),
    warn: (fields, message) => write('warn', fields, message),
    error: (fields, message) => log.error(fields, message),
  };
}

class Minutes {
  /** By event and subject, in the order in which they end. */
  readonly #byKey = new Map<string, Minute>();
  #isWatched = false;

  constructor(
    private readonly log: Log,
    private readonly clock: Clock,
    private readonly limits: LineLimits,
  ) {}

  /** False when the line is one too many. */
  take(fields: object): boolean {
    const event = textOf(fields, 'event');
    if (event === undefined) return true;
    const subject = byCall.has(event) ? textOf(fields, 'callId') : subjectOf(fields);
    if (subject === undefined) return true;
    const minute = this.#minuteOf(event, subject);
    minute.lines += 1;
    return minute.lines <= this.limits.perMinute;
  }

  #minuteOf(event: string, subject: string): Minute {
    const known = this.#byKey.get(`${event} ${subject}`);
    if (known !== undefined) return known;
    if (subject !== others && this.#byKey.size >= this.limits.maxSubjects) {
      return this.#minuteOf(event, others);
    }
    const minute = { event, subject, untilMs: this.clock.nowMs() + minuteMs, lines: 0 };
    this.#byKey.set(`${event} ${subject}`, minute);
    this.#watch(minuteMs);
    return minute;
  }

  #watch(forMs: number): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.clock.after(forMs, () => this.#endMinutes());
  }

  #endMinutes(): void {
    this.#isWatched = false;
    const nowMs = this.clock.nowMs();
    for (const [key, minute] of this.#byKey) {
      if (minute.untilMs > nowMs) return this.#watch(minute.untilMs - nowMs);
      this.#byKey.delete(key);
      this.#tell(minute);
    }
  }

  #tell({ event, subject, lines }: Minute): void {
    const unwritten = lines - this.limits.perMinute;
    if (unwritten <= 0) return;
    const line = `${unwritten} more lines of ${event} about ${subject} in a minute were not written`;
    this.log.warn({ event: 'log.limited', of: event, subject, unwritten }, line);
  }
}

/** The address, without its port, or the user that the line is about. */
function subjectOf(fields: object): string | undefined {
  const remote = textOf(fields, 'remote');
  if (remote !== undefined) return remote.slice(0, remote.lastIndexOf(':'));
  return textOf(fields, 'who') ?? textOf(fields, 'aor');
}

function textOf(fields: object, name: string): string | undefined {
  const value: unknown = name in fields ? Reflect.get(fields, name) : undefined;
  return typeof value === 'string' ? value : undefined;
}
