import {
  parseNameAddr,
  serializeNameAddr,
  splitCommaList,
  tagOf,
  withTag,
  type NameAddr,
} from '../../message/index.js';
import type { Channel } from '../transport/channel.js';
import type { AppMessage } from './app-message.js';

/** What the application may not set (PROTOCOL §6.1). */
const dropped = new Set(['via', 'route', 'record-route', 'rseq', 'content-length']);

/** What is written at its own place. */
const placed = new Set(['from', 'to', 'call-id', 'cseq', 'contact', 'max-forwards', 'content-type']);

/** Header fields that are written before Content-Type, with their canonical names; all others come after the length. */
const canonicalNames = new Map(
  [
    'Accept',
    'Accept-Encoding',
    'Accept-Language',
    'Alert-Info',
    'Allow',
    'Allow-Events',
    'Authentication-Info',
    'Authorization',
    'Call-Info',
    'Content-Disposition',
    'Content-Encoding',
    'Content-Language',
    'Date',
    'Error-Info',
    'Event',
    'Expires',
    'Identity',
    'In-Reply-To',
    'Join',
    'MIME-Version',
    'Min-Expires',
    'Min-SE',
    'Organization',
    'P-Asserted-Identity',
    'P-Preferred-Identity',
    'Path',
    'Priority',
    'Privacy',
    'Proxy-Authenticate',
    'Proxy-Authorization',
    'Proxy-Require',
    'RAck',
    'Reason',
    'Refer-Sub',
    'Refer-To',
    'Referred-By',
    'Remote-Party-ID',
    'Replaces',
    'Reply-To',
    'Require',
    'Retry-After',
    'SIP-ETag',
    'SIP-If-Match',
    'Server',
    'Service-Route',
    'Session-Expires',
    'Subject',
    'Subscription-State',
    'Supported',
    'Timestamp',
    'Unsupported',
    'User-Agent',
    'WWW-Authenticate',
    'Warning',
  ].map((name) => [name.toLowerCase(), name]),
);

const compactForms: Readonly<Record<string, string>> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
};

const isNumber = (value: string): boolean => /^[0-9]{1,10}$/.test(value);
const isAddress = (value: string): boolean => parseNameAddr(value) !== undefined;
const isAddressList = (value: string): boolean => value === '*' || splitCommaList(value).every(isAddress);

/** Header fields that are checked before they are sent (PROTOCOL §6.1). */
const checks: Readonly<Record<string, (value: string) => boolean>> = {
  from: isAddress,
  to: isAddress,
  contact: isAddressList,
  'refer-to': isAddress,
  'referred-by': isAddress,
  'p-asserted-identity': isAddressList,
  'p-preferred-identity': isAddressList,
  'remote-party-id': isAddressList,
  'call-id': (value) => /^[^\s]{1,256}$/.test(value),
  cseq: (value) => /^[0-9]{1,10}\s+[^\s]+$/.test(value),
  rack: (value) => /^[0-9]{1,10}\s+[0-9]{1,10}\s+[^\s]+$/.test(value),
  'max-forwards': isNumber,
  expires: isNumber,
  'min-expires': isNumber,
};

type SentBy = Channel['sentBy'];

/** The address with `localhost` replaced by our host and port (PROTOCOL §6.1). */
function atOurHost(address: NameAddr, { host, port }: SentBy): NameAddr {
  const { uri } = address;
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return address;
  if (uri.host !== 'localhost' || uri.user === undefined) return address;
  return { ...address, uri: { ...uri, host, port } };
}

/** The same for a list of addresses. */
export function replaceLocalhost(value: string, sentBy: SentBy): string {
  if (!/@localhost/i.test(value)) return value;
  return splitCommaList(value)
    .map((part) => {
      const address = parseNameAddr(part);
      return address === undefined ? part : serializeNameAddr(atOurHost(address, sentBy));
    })
    .join(', ');
}

/** The Contact that we give when the application gives none (PROTOCOL §6.2); of a `sips:` request a `sips:` one. */
export function ownContact(channel: Channel, isSecure = false): string {
  const { host, port } = channel.sentBy;
  if (isSecure) return `<sips:${host}:${port}>`;
  return `<sip:${host}:${port}${channel.transport === 'udp' ? '' : `;transport=${channel.transport}`}>`;
}

/** An application's header fields, sorted into what we interpret and what is passed on. */
export class AppHeaders {
  private readonly first = new Map<string, string>();
  private readonly knownLines: (readonly [name: string, value: string])[] = [];
  /** Whole lines that follow Content-Length. */
  readonly other: string = '';
  /** Name of the first header field that is not well-formed, in lower case. */
  readonly malformed: string | undefined;

  constructor(message: AppMessage) {
    for (const [given, value] of message.headers) {
      const lower = given.toLowerCase();
      const name = compactForms[lower] ?? lower;
      if (dropped.has(name)) continue;
      if (checks[name]?.(value) === false) this.malformed ??= name;
      if (!this.first.has(name)) this.first.set(name, value);
      if (placed.has(name)) continue;
      const canonical = canonicalNames.get(name);
      if (canonical !== undefined) this.knownLines.push([canonical, value]);
      else this.other += `${capitalised(given)}: ${value}\r\n`;
    }
  }

  /** First value of a header field; its name in lower case. */
  get(name: string): string | undefined {
    return this.first.get(name);
  }

  /** Whole lines that precede Content-Type, but for those named in `except`. */
  known(sentBy: SentBy, ...except: string[]): string {
    let lines = '';
    for (const [name, value] of this.knownLines) {
      if (except.includes(name)) continue;
      const isOurs = name.startsWith('P-') || name === 'Path';
      lines += `${name}: ${isOurs ? replaceLocalhost(value, sentBy) : value}\r\n`;
    }
    return lines;
  }

  /** Authorization lines, which an ACK repeats. */
  get credentials(): string {
    return this.knownLines
      .filter(([name]) => name === 'Authorization' || name === 'Proxy-Authorization')
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
  }

  /** From or To as it is to be sent, with its own tag or else `tag`. */
  party(name: 'from' | 'to', sentBy: SentBy, tag: string | undefined): string | undefined {
    const value = this.first.get(name);
    const address = value === undefined ? undefined : parseNameAddr(value);
    if (address === undefined) return undefined;
    const ours = atOurHost(address, sentBy);
    return serializeNameAddr(tag === undefined || tagOf(ours) !== undefined ? ours : withTag(ours, tag));
  }

  /**
   * The application's Contact; a URI at our own host names the transport that it is reached by, and is a `sips:` one in a
   * `sips:` request (RFC 3261 §8.1.1.8).
   */
  contact(channel: Channel, isSecure = false): string | undefined {
    const value = this.first.get('contact');
    if (value === undefined || !/@localhost/i.test(value)) return value;
    const replaced = replaceLocalhost(value, channel.sentBy);
    const address = parseNameAddr(replaced);
    if (address?.uri.scheme !== 'sip') return replaced;
    const { uri } = address;
    const params = new Map(uri.params);
    params.delete('transport');
    if (isSecure) return serializeNameAddr({ ...address, uri: { ...uri, scheme: 'sips', params } });
    if (channel.transport === 'udp' && !uri.params.has('transport')) return replaced;
    if (channel.transport !== 'udp') params.set('transport', channel.transport);
    return serializeNameAddr({ ...address, uri: { ...uri, params } });
  }

  /** The To tag that the application chose for its response. */
  get toTag(): string | undefined {
    const value = this.first.get('to');
    const address = value === undefined ? undefined : parseNameAddr(value);
    return address === undefined ? undefined : tagOf(address);
  }

  /** Whether a list header field (Require, Supported) has the option tag. */
  hasOption(name: string, option: string): boolean {
    return listHas(this.first.get(name), option);
  }

  /** Content-Type of the body: given, or SDP when it looks like SDP. Undefined when there is a body and neither. */
  contentType(body: string): string | undefined {
    return this.first.get('content-type') ?? (body.startsWith('v=0') ? 'application/sdp' : undefined);
  }
}

/** Whether a comma list has the option tag. */
export function listHas(list: string | undefined, option: string): boolean {
  return list !== undefined && list.split(',').some((entry) => entry.trim().toLowerCase() === option);
}

/** `p-custom` → `P-Custom`; names that start with `X-` stay as given. */
function capitalised(name: string): string {
  if (/^x-/i.test(name)) return name;
  return name.replace(/(^|-)([a-z])/g, (_all, dash: string, letter: string) => dash + letter.toUpperCase());
}
