const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1_024,
  MiB: 1_024 * 1_024,
  GiB: 1_024 * 1_024 * 1_024,
};

const quantity = /^([0-9]{1,9})([A-Za-z]{1,3})$/;

/** Milliseconds of `500ms`, `30s`, `5m`, `4h` or `1d`; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  return parseQuantity(text, durationUnits);
}

/** Bytes of `512B`, `64KiB`, `1MiB` or `1GiB`; undefined for anything else. */
export function parseSizeBytes(text: string): number | undefined {
  return parseQuantity(text, sizeUnits);
}

/** `30s`, in the largest unit up to hours that gives a whole number. */
export function durationText(ms: number): string {
  const { ms: one = 1, s = 1, m = 1, h = 1 } = durationUnits;
  return quantityText(ms, { ms: one, s, m, h });
}

/** `64KiB`, in the largest unit that gives a whole number. */
export function sizeText(bytes: number): string {
  return quantityText(bytes, sizeUnits);
}

function quantityText(value: number, units: Readonly<Record<string, number>>): string {
  const fitting = Object.entries(units).filter(([, factor]) => value % factor === 0);
  const [unit = '', factor = 1] = fitting.at(-1) ?? [];
  return `${value / factor}${unit}`;
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, amount = '', unit = ''] = quantity.exec(text) ?? [];
  const factor = units[unit];
  return factor === undefined ? undefined : Number(amount) * factor;
}

/** `20000-29999`: both included, an even count is not required. Undefined for anything else. */
export function parsePortRange(text: string): { min: number; max: number } | undefined {
  const [, low = '', high = ''] = /^([0-9]{1,5})-([0-9]{1,5})$/.exec(text) ?? [];
  const min = Number(low);
  const max = Number(high);
  return low !== '' && min >= 1 && max <= 65_535 && min <= max ? { min, max } : undefined;
}

/** `udp:127.0.0.1:2223`, `udp:[::1]:2223` or `udp:media.example.com:2223`; undefined for anything else. */
export function parseNgAddress(text: string): { host: string; port: number } | undefined {
  const [, inBrackets, bare, portText = ''] =
    /^udp:(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = inBrackets ?? bare;
  const port = Number(portText);
  return host !== undefined && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

export interface SipListenText {
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly address: string;
  readonly port: number;
}

/** `udp:0.0.0.0:5060`, `tcp:[::]:5060` or `tls:0.0.0.0:5061`; undefined for anything else. */
export function parseSipListen(text: string): SipListenText | undefined {
  const [, transport, inBrackets, bare, portText = ''] =
    /^(udp|tcp|tls):(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const address = inBrackets ?? bare;
  const port = Number(portText);
  if (address === undefined || port > 65_535) return undefined;
  if (transport !== 'udp' && transport !== 'tcp' && transport !== 'tls') return undefined;
  return { transport, address, port };
}
