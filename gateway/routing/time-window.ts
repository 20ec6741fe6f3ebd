/** When a route holds, on the clock of a time zone. */
export interface TimeWindow {
  /** IANA name, such as Europe/Berlin. */
  readonly timezone: string;
  /** 0 is Sunday; undefined: every day. */
  readonly days: readonly number[] | undefined;
  /** `MM-DD`, every year, or `YYYY-MM-DD`; undefined: every date. */
  readonly dates: readonly string[] | undefined;
  /** Undefined: all day. */
  readonly hours: readonly MinuteSpan[] | undefined;
}

/** Minutes since midnight, the second one not included. A span that ends before it begins goes on past midnight. */
export interface MinuteSpan {
  readonly from: number;
  readonly to: number;
}

/** A moment on the clock of a time zone. */
interface LocalTime {
  /** `YYYY-MM-DD` */
  readonly date: string;
  /** 0 is Sunday. */
  readonly day: number;
  readonly minute: number;
}

const dayMs = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * True when `atMs` (since the Unix epoch) lies in the window. What goes on past midnight belongs to the day on which it began:
 * `fri` with `22:00-06:00` holds on Saturday at 3.
 */
export function isWithin({ timezone, days, dates, hours }: TimeWindow, atMs: number): boolean {
  const now = localTime(timezone, atMs);
  const isDay = ({ date, day }: LocalTime): boolean =>
    (days === undefined || days.includes(day)) &&
    (dates === undefined || dates.includes(date) || dates.includes(date.slice('YYYY-'.length)));
  if (hours === undefined) return isDay(now);
  return hours.some(({ from, to }) => {
    if (from < to) return now.minute >= from && now.minute < to && isDay(now);
    if (now.minute >= from) return isDay(now);
    return now.minute < to && isDay(dayBefore(now));
  });
}

/** `2026-12-24 20:00` on the clock of the zone, for people. */
export function clockText(timezone: string, atMs: number): string {
  const { date, minute } = localTime(timezone, atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

function localTime(timezone: string, atMs: number): LocalTime {
  const parts = new Map(
    formatOf(timezone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, value]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): string => parts.get(name) ?? '';
  const date = `${part('year')}-${part('month')}-${part('day')}`;
  const minute = Number(part('hour')) * 60 + Number(part('minute'));
  return { date, day: new Date(date).getUTCDay(), minute };
}

function dayBefore({ date, day, minute }: LocalTime): LocalTime {
  const before = new Date(Date.parse(date) - dayMs).toISOString().slice(0, 'YYYY-MM-DD'.length);
  return { date: before, day: (day + 6) % 7, minute };
}

/** Making a format takes longer than using it; there are as many as the configuration names zones. */
function formatOf(timezone: string): Intl.DateTimeFormat {
  const known = formats.get(timezone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  formats.set(timezone, made);
  return made;
}
