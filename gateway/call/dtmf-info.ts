import type { DtmfTone } from '../../sip/media/media-engine.js';

/** Bodies of INFO that tell a key: what nearly all PBXs write, described by no RFC. */
export type DtmfContentType = 'application/dtmf-relay' | 'application/dtmf';

/** When the body tells none. */
const usualMs = 250;
const longestMs = 6_000;
const digits = '0123456789*#ABCD';

/** The tone in the body of an INFO; undefined when it is something else, or no digit. */
export function readDtmfInfo(contentType: string | undefined, body: string): DtmfTone | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === 'application/dtmf') return toneOf(body.trim(), undefined);
  if (type !== 'application/dtmf-relay') return undefined;
  const lines = new Map(body.split('\n', 8).map(nameAndValue));
  return toneOf(lines.get('signal') ?? '', lines.get('duration'));
}

/** The body for a tone. `application/dtmf` has no place for the duration. */
export function writeDtmfInfo({ digit, durationMs }: DtmfTone, contentType: DtmfContentType) {
  const body =
    contentType === 'application/dtmf' ? `${digit}\r\n` : `Signal=${digit}\r\nDuration=${durationMs}\r\n`;
  return { contentType, body };
}

function nameAndValue(line: string): readonly [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, Math.max(0, at)).trim().toLowerCase(), line.slice(at + 1).trim()];
}

/** A signal is a key, or, as some write `*` and the rest, its event code in RFC 4733. */
function toneOf(signal: string, duration: string | undefined): DtmfTone | undefined {
  const digit = /^1[0-5]$/.test(signal) ? digits[Number(signal)] : signal.toUpperCase();
  if (digit?.length !== 1 || !digits.includes(digit)) return undefined;
  const told = duration !== undefined && /^\d{1,5}$/.test(duration) ? Number(duration) : 0;
  return { digit, durationMs: told === 0 ? usualMs : Math.min(told, longestMs) };
}
