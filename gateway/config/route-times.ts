/** Readers of `routes[].when`. */

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const clock = /^([01][0-9]|2[0-3]):([0-5][0-9])$/;

/** `mon`, `mon-fri`, `sat-sun` → days of the week, 0 being Sunday; undefined when it is none. */
export function parseDays(text: string): readonly number[] | undefined {
  const [first = '', last = first, ...rest] = text.toLowerCase().split('-');
  const from = dayNames.indexOf(first);
  const to = dayNames.indexOf(last);
  if (from < 0 || to < 0 || rest.length > 0) return undefined;
  const count = ((to - from + 7) % 7) + 1;
  return Array.from({ length: count }, (_, index) => (from + index) % 7);
}

/** `08:00-18:00`, or past midnight `22:00-06:00`, → minutes since midnight; the end may be `24:00`. */
export function parseHours(text: string): { readonly from: number; readonly to: number } | undefined {
  const [begin = '', end = '', ...rest] = text.split('-');
  const from = minuteOf(begin);
  const to = end === '24:00' ? 24 * 60 : minuteOf(end);
  if (from === undefined || to === undefined || from === to || rest.length > 0) return undefined;
  return { from, to };
}

function minuteOf(text: string): number | undefined {
  const [, hour, minute] = clock.exec(text) ?? [];
  return hour === undefined ? undefined : Number(hour) * 60 + Number(minute);
}

/** `12-24` every year, or `2026-12-24`. */
export function isDate(text: string): boolean {
  if (!/^(?:[0-9]{4}-)?[0-9]{2}-[0-9]{2}$/.test(text)) return false;
  const whole = text.length === 'MM-DD'.length ? `2024-${text}` : text;
  const ms = Date.parse(`${whole}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(whole);
}

/** An IANA time zone that this machine knows. */
export function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
