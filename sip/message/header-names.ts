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
  /** As it is written. */
  readonly name: string;
  /** Lower-case long form: what names are compared by. */
  readonly key: string;
  readonly slot: Slot;
  /** Its bit in the set of single header fields already seen; 0 for the others. */
  readonly bit: number;
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
let nextBit = 1;

function add(name: string, slot: Slot): void {
  const key = name.toLowerCase();
  const isSingle = slot >= Slot.from && slot <= Slot.single;
  const entry: HeaderName = { name, key, slot, bit: isSingle ? nextBit : 0 };
  if (isSingle) nextBit <<= 1;
  known.set(name, entry);
  known.set(key, entry);
}

for (const [name, slot] of slotted) add(name, slot);
for (const name of plain) add(name, Slot.none);
for (const [compact, name] of Object.entries(compactForms)) {
  const entry = known.get(name);
  if (entry === undefined) throw new Error(`compact form of an unknown header field: ${name}`);
  known.set(compact, entry);
  known.set(compact.toUpperCase(), entry);
}

/** The entry of a name in any case, compact or long; undefined when we do not know it. */
export function findHeaderName(name: string): HeaderName | undefined {
  return known.get(name) ?? known.get(name.toLowerCase());
}

/** What two names of the same header field have in common. */
export function headerKey(name: string): string {
  const entry = known.get(name);
  if (entry !== undefined) return entry.key;
  const lower = name.toLowerCase();
  return known.get(lower)?.key ?? lower;
}

/** The name as it is to be written: compact forms in full, all others as given. */
export function writtenName(name: string): string {
  return name.length === 1 ? (known.get(name)?.name ?? name) : name;
}
