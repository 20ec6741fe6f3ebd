import { isIP } from 'node:net';
import { z } from 'zod';
import { compilePattern } from './pattern.js';
import {
  durationText,
  parseDurationMs,
  parseNgAddress,
  parsePortRange,
  parseSipListen,
  parseSizeBytes,
  sizeText,
} from './units.js';

/** The kinds of values in the file. Each knows an example: what an error proposes and the documentation shows. */

export const userName = /^[A-Za-z0-9._+~-]{1,64}$/;
export const phoneNumber = /^[+*#0-9A-Za-z._-]{1,64}$/;
/** Of a trunk or route. */
export const label = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

interface Explained {
  /** What is expected, for `expected …` in an error. */
  readonly expected: string;
  readonly example: string;
  /** Never shown in an error. */
  readonly secret?: boolean;
}

/** What a schema made here says about its values, for errors and documentation. */
export interface Explanation extends Partial<Explained> {
  readonly description?: string;
}

/** Empty when the schema says nothing. */
export function explanationOf(schema: z.ZodType): Explanation {
  const { description, expected, example, secret } = schema.meta() ?? {};
  return {
    ...(description === undefined || description === '' ? {} : { description }),
    ...(typeof expected === 'string' ? { expected } : {}),
    ...(typeof example === 'string' ? { example } : {}),
    ...(secret === true ? { secret } : {}),
  };
}

function explained(description: string, { expected, example, secret }: Explained) {
  return { description, expected, example, ...(secret === undefined ? {} : { secret }) };
}

export function text(description: string, expected: string, example: string, pattern = /^[^\r\n]+$/) {
  return z.string().max(4_096).regex(pattern).meta(explained(description, { expected, example }));
}

export function checkedText(
  description: string,
  kind: Explained,
  accepts: (value: string) => boolean,
): z.ZodString {
  return z.string().max(4_096).refine(accepts).meta(explained(description, kind));
}

export function secretText(description: string, example: string) {
  return z
    .string()
    .min(1)
    .max(4_096)
    .meta(explained(description, { expected: 'text', example, secret: true }));
}

export function integer(description: string, min: number, max: number, example: number) {
  return z
    .number()
    .int()
    .min(min)
    .max(max)
    .meta(explained(description, { expected: `a number from ${min} to ${max}`, example: String(example) }));
}

export function flag(description: string) {
  return z.boolean().meta(explained(description, { expected: 'true or false', example: 'true' }));
}

/** One of `values`. */
export function choice<const Values extends readonly [string, ...string[]]>(
  description: string,
  values: Values,
) {
  const expected = values.length === 1 ? values[0] : `one of ${values.join(', ')}`;
  return z.enum(values).meta(explained(description, { expected, example: values[0] }));
}

function rangeText(min: number, max: number, textOf: (value: number) => string): string {
  return min === 0 ? `up to ${textOf(max)}` : `from ${textOf(min)} to ${textOf(max)}`;
}

export function duration(description: string, minMs: number, maxMs: number, example: string) {
  const kind = {
    expected: `a duration ${rangeText(minMs, maxMs, durationText)}`,
    example,
  };
  return checkedText(description, kind, (value) => {
    const ms = parseDurationMs(value);
    return ms !== undefined && ms >= minMs && ms <= maxMs;
  });
}

export function size(description: string, minBytes: number, maxBytes: number, example: string) {
  const kind = {
    expected: `a size ${rangeText(minBytes, maxBytes, sizeText)}`,
    example,
  };
  return checkedText(description, kind, (value) => {
    const bytes = parseSizeBytes(value);
    return bytes !== undefined && bytes >= minBytes && bytes <= maxBytes;
  });
}

export function portRange(description: string, atLeast: number, example: string) {
  const kind = { expected: `a range of at least ${atLeast} ports`, example };
  return checkedText(description, kind, (value) => {
    const range = parsePortRange(value);
    return range !== undefined && range.max - range.min + 1 >= atLeast;
  });
}

export function sipListen(description: string, example: string) {
  const kind = { expected: 'udp:ADDRESS:PORT, tcp:ADDRESS:PORT or tls:ADDRESS:PORT', example };
  return checkedText(description, kind, (value) => {
    const listen = parseSipListen(value);
    return listen !== undefined && isIP(listen.address) !== 0;
  });
}

export function ngAddress(description: string, example: string) {
  const kind = { expected: 'udp:HOST:PORT', example };
  return checkedText(description, kind, (value) => {
    const address = parseNgAddress(value);
    return address !== undefined && isHost(address.host);
  });
}

export function ipAddress(description: string, example: string) {
  return checkedText(description, { expected: 'an IP address', example }, (value) => isIP(value) !== 0);
}

const hostName =
  /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*$/;

export function isHost(value: string): boolean {
  return isIP(value) !== 0 || hostName.test(value);
}

export function host(description: string, example: string) {
  return checkedText(description, { expected: 'a host name or IP address', example }, isHost);
}

/** An address, with or without a port. */
export function nameServer(description: string, example: string) {
  const kind = { expected: 'ADDRESS or ADDRESS:PORT', example };
  return checkedText(description, kind, (value) => {
    if (isIP(value) !== 0) return true;
    const [, six, four, port = ''] = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]{1,5})$/.exec(value) ?? [];
    return isIP(six ?? four ?? '') !== 0 && Number(port) <= 65_535;
  });
}

/** SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` prints it. */
export function fingerprint(description: string, example: string) {
  const kind = { expected: '32 octets in hex with colons', example };
  return checkedText(description, kind, (value) => /^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){31}$/.test(value));
}

/** An address, a CIDR block or a host name. */
export function source(description: string, example: string) {
  const kind = { expected: 'an IP address, a CIDR block such as 198.51.100.0/24, or a host name', example };
  return checkedText(description, kind, (value) => {
    return isNetwork(value) || isHost(value);
  });
}

function isNetwork(value: string): boolean {
  const [address = '', prefix = '0', ...rest] = value.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return rest.length === 0 && /^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= bits;
}

/** An address or a CIDR block. */
export function network(description: string, example: string) {
  const kind = { expected: 'an IP address, or a CIDR block such as 198.51.100.0/24', example };
  return checkedText(description, kind, (value) => isNetwork(value));
}

const trunkUri = /^sips?:(\[[0-9A-Fa-f:.]+\]|[^:;@\s[\]]+)(?::([0-9]{1,5}))?(?:;transport=(?:udp|tcp|tls))?$/;

export function trunkHostUri(description: string, example: string) {
  const kind = { expected: 'sip:HOST[:PORT][;transport=udp|tcp|tls]', example };
  return checkedText(description, kind, (value) => {
    const [, authority = '', port] = trunkUri.exec(value) ?? [];
    return isHost(authority.replace(/^\[|\]$/g, '')) && Number(port ?? 5_060) <= 65_535;
  });
}

/** In the syntax of RE2. */
export function regex(description: string, example: string) {
  const kind = { expected: 'a regular expression without look-around and back-references', example };
  return checkedText(description, kind, (value) => compilePattern(value) !== undefined);
}

export function webUrl(description: string, example: string) {
  const kind = { expected: 'an http or https URL without user name and password', example };
  return checkedText(description, kind, (value) => {
    if (!URL.canParse(value)) return false;
    const { protocol, username, password } = new URL(value);
    return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
  });
}

/** `memory`, or where Redis is. */
export function store(description: string, example: string) {
  const kind = { expected: 'memory, or redis://HOST[:PORT]', example, secret: true };
  return checkedText(description, kind, (value) => {
    if (value === 'memory') return true;
    if (!URL.canParse(value)) return false;
    const { protocol, hostname } = new URL(value);
    return (protocol === 'redis:' || protocol === 'rediss:') && hostname !== '';
  });
}

export function origin(description: string, example: string) {
  const kind = { expected: 'an origin such as https://phone.example.com, or *', example };
  return checkedText(description, kind, (value) => {
    if (value === '*') return true;
    return URL.canParse(value) && new URL(value).origin === value.toLowerCase();
  });
}
