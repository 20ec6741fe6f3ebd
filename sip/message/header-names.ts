/** What the parser does with a header field besides keeping it. */
export const Slot = {
  none: 0,
  via: 1,
  from: 2,
  to: 3,
  callId: 4,
  cseq: 5,
  contentLength: 6,
  /** May stand only once, since two values would be read differently by different readers. */
  single: 7,
  /** A list whose number of values is limited. */
  list: 8,
} as const;

export type Slot = (typeof Slot)[keyof typeof Slot];

/** A header field name that we know. */
export interface HeaderName {
  /** As it is written: compact forms in full, known names in their usual case, all others as received. */
  readonly name: string;
  /** Lower-case long form: what names are compared by. */
  readonly key: string;
  readonly slot: Slot;
  /** Its bit in the set of single header fields already seen; 0 for the others. */
  readonly bit: number;
  /** There is one entry for all header lines of this name, so that entries can be compared instead of keys. */
  readonly isKnown: boolean;
}

/** Compact forms (IANA registry of SIP header fields). */
const compactForms: Readonly<Record<string, string>> = {
  a: 'Accept-Contact',
  b: 'Referred-By',
  c: 'Content-Type',
  d: 'Request-Disposition',
  e: 'Content-Encoding',
  f: 'From',
  i: 'Call-ID',
  j: 'Reject-Contact',
  k: 'Supported',
  l: 'Content-Length',
  m: 'Contact',
  n: 'Identity-Info',
  o: 'Event',
  r: 'Refer-To',
  s: 'Subject',
  t: 'To',
  u: 'Allow-Events',
  v: 'Via',
  x: 'Session-Expires',
  y: 'Identity',
};

const slotted: readonly (readonly [string, Slot])[] = [
  ['Via', Slot.via],
  ['From', Slot.from],
  ['To', Slot.to],
  ['Call-ID', Slot.callId],
  ['CSeq', Slot.cseq],
  ['Content-Length', Slot.contentLength],
  ['Content-Type', Slot.single],
  ['Content-Disposition', Slot.single],
  ['Max-Forwards', Slot.single],
  ['Expires', Slot.single],
  ['Min-Expires', Slot.single],
  ['Event', Slot.single],
  ['Refer-To', Slot.single],
  ['Referred-By', Slot.single],
  ['Replaces', Slot.single],
  ['RAck', Slot.single],
  ['RSeq', Slot.single],
  ['Session-Expires', Slot.single],
  ['Min-SE', Slot.single],
  ['Subscription-State', Slot.single],
  ['SIP-ETag', Slot.single],
  ['SIP-If-Match', Slot.single],
  ['Contact', Slot.list],
  ['Route', Slot.list],
  ['Record-Route', Slot.list],
  ['Path', Slot.list],
  ['Service-Route', Slot.list],
  ['P-Associated-URI', Slot.list],
  ['P-Asserted-Identity', Slot.list],
  ['P-Preferred-Identity', Slot.list],
  ['Diversion', Slot.list],
  ['History-Info', Slot.list],
  ['Accept-Contact', Slot.list],
  ['Reject-Contact', Slot.list],
  ['Require', Slot.list],
  ['Proxy-Require', Slot.list],
  ['Supported', Slot.list],
  ['Unsupported', Slot.list],
  ['Allow', Slot.list],
  ['Allow-Events', Slot.list],
  ['Accept', Slot.list],
  ['Accept-Encoding', Slot.list],
  ['Accept-Language', Slot.list],
  ['Call-Info', Slot.list],
  ['Alert-Info', Slot.list],
  ['Error-Info', Slot.list],
  ['In-Reply-To', Slot.list],
  ['Reason', Slot.list],
  ['Warning', Slot.list],
];

const plain = [
  'Authorization',
  'Authentication-Info',
  'Content-Encoding',
  'Content-Language',
  'Date',
  'Geolocation',
  'Identity',
  'Identity-Info',
  'Join',
  'MIME-Version',
  'Organization',
  'Priority',
  'Privacy',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'Proxy-Authentication-Info',
  'P-Access-Network-Info',
  'P-Charging-Vector',
  'Remote-Party-ID',
  'Reply-To',
  'Request-Disposition',
  'Retry-After',
  'Server',
  'Subject',
  'Target-Dialog',
  'Timestamp',
  'User-Agent',
  'User-to-User',
  'WWW-Authenticate',
];

const known = new Map<string, HeaderName>();
/** The same entries by {@link bucketOf} their key, so that the parser can look them up without cutting the name out. */
const buckets: HeaderName[][] = Array.from({ length: 256 }, () => []);
let nextBit = 1;

/** Spreads names over the buckets by their length and outer letters, without case. */
function bucketOf(text: string, start: number, end: number): number {
  const outer = (text.charCodeAt(start) | 0x20) * 7 + (text.charCodeAt(end - 1) | 0x20) * 3;
  return ((end - start) * 31 + outer) & 0xff;
}

function add(name: string, slot: Slot): void {
  const key = name.toLowerCase();
  const isSingle = slot >= Slot.from && slot <= Slot.single;
  const entry: HeaderName = { name, key, slot, bit: isSingle ? nextBit : 0, isKnown: true };
  if (isSingle) nextBit <<= 1;
  known.set(name, entry);
  known.set(key, entry);
  buckets[bucketOf(key, 0, key.length)]?.push(entry);
}

for (const [name, slot] of slotted) add(name, slot);
for (const name of plain) add(name, Slot.none);

/** Entries of compact forms by the code of their letter. */
const compact: (HeaderName | undefined)[] = new Array<HeaderName | undefined>(128).fill(undefined);
for (const [letter, name] of Object.entries(compactForms)) {
  const entry = known.get(name);
  if (entry === undefined) throw new Error(`compact form of an unknown header field: ${name}`);
  known.set(letter, entry);
  known.set(letter.toUpperCase(), entry);
  compact[letter.charCodeAt(0)] = entry;
}

/** Whether that range is `key`, which is in lower case. A CR counts as `-`: no such line gets through the parser. */
function isKey(text: string, start: number, key: string): boolean {
  for (let i = 0; i < key.length; i++) {
    if ((text.charCodeAt(start + i) | 0x20) !== key.charCodeAt(i)) return false;
  }
  return true;
}

/** The entry of the name in that range, in any case, compact or long; undefined when we do not know it. */
export function findHeaderName(text: string, start: number, end: number): HeaderName | undefined {
  if (end - start === 1) return compact[text.charCodeAt(start) | 0x20];
  for (const entry of buckets[bucketOf(text, start, end)] ?? []) {
    if (entry.key.length === end - start && isKey(text, start, entry.key)) return entry;
  }
  return undefined;
}

/** The entry of a name; one of its own when we do not know it, which keeps the name as given. */
export function headerNameOf(name: string): HeaderName {
  const entry = known.get(name);
  if (entry !== undefined) return entry;
  const key = name.toLowerCase();
  return known.get(key) ?? unknownName(name);
}

/** The entry of one header line whose name we do not know. */
export function unknownName(name: string): HeaderName {
  return { name, key: name.toLowerCase(), slot: Slot.none, bit: 0, isKnown: false };
}
