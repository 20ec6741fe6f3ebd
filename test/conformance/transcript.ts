import type { TappedFrame } from './control-tap.js';
import { canonicalMessage, headerOf, sameButForVia, type CanonicalMessage } from './canonical-message.js';

/** What one scenario made the engine say, raw. */
export interface Recording {
  /** What the engine sent to each peer, and what each peer sent, by the peer's name. */
  readonly peers: readonly {
    readonly name: string;
    readonly port: number;
    readonly received: readonly string[];
    readonly sent: readonly string[];
  }[];
  readonly apps: readonly {
    readonly name: string;
    readonly toApp: readonly TappedFrame[];
    readonly toEngine: readonly TappedFrame[];
  }[];
  readonly events: readonly string[];
  readonly enginePorts: readonly number[];
  /** Ends every Call-ID of the scenario's own. */
  readonly run: string;
}

/**
 * The recording as lines that are equal for two runs of the same behaviour: ids, tags, branches, sequence numbers, ports,
 * sizes and times are replaced by names in the order of their appearance; retransmissions are left out.
 */
export function transcriptOf(recording: Recording): string[] {
  const bases = new Map<string, number>();
  const lines: string[] = [];
  for (const { name, received } of recording.peers) {
    lines.push(`=== to ${name}`);
    for (const text of new Set(received)) lines.push(...present(canonicalMessage(text), bases));
  }
  const wire = {
    sent: recording.peers.flatMap(({ sent }) => sent.map(canonicalMessage)),
    received: recording.peers.flatMap(({ received }) => received.map(canonicalMessage)),
  };
  for (const app of recording.apps) {
    lines.push(`=== to ${app.name}`);
    const asked = new Map(app.toEngine.map((frame) => [frame.tokens[0] ?? '', nameOf(frame)]));
    for (const frame of app.toApp) lines.push(...presentFrame(frame, asked, wire, bases));
  }
  lines.push('=== events', ...recording.events.map(ofDialog));
  return withNames(lines.join('\n'), recording).split('\n');
}

interface Wire {
  readonly sent: readonly CanonicalMessage[];
  readonly received: readonly CanonicalMessage[];
}

/** What a frame of the application asked for: `INVITE`, `200 to INVITE`, `ping`. */
function nameOf({ tokens, text }: TappedFrame): string {
  const [, verb = ''] = tokens;
  if (verb === 'route') return `route ${tokens[2] ?? ''}`;
  if (verb !== 'sip' && verb !== 'proxy') return verb;
  const [first = '', second = ''] = text.split(' ');
  if (first !== 'SIP/2.0') return verb === 'proxy' ? `proxy ${first}` : first;
  return `${second} to ${/^cseq:\s*\d+\s+(\S+)/im.exec(text)?.[1] ?? '?'}`;
}

function presentFrame(
  frame: TappedFrame,
  asked: ReadonlyMap<string, string>,
  wire: Wire,
  bases: Map<string, number>,
): string[] {
  const [, kind = '', ...rest] = frame.tokens;
  const call = /^(?:call-id|i):\s*(.*)$/im.exec(frame.text)?.[1]?.trim() ?? '';
  const method = /^cseq:\s*\d+\s+(\S+)/im.exec(frame.text)?.[1] ?? 'id';
  const ofMethod = (token: string): string =>
    uuid.test(token) ? `${token}${scope}${call} ${method}${scope}` : token;
  const meta = (list: readonly string[]): string => ofDialog(tokens(list.map(ofMethod)));
  const text = wasSent(rest) ? frame.text : frame.text.replace(/^Via:.*\r\n/gim, '');
  if (kind !== 'response') return [`sip ${meta(rest)}`, ...presentText(text, wire, bases)];
  const [id = '', ...answer] = rest;
  const about = asked.get(id) ?? 'nothing';
  const said = about === 'authenticate' ? answer.slice(0, answer[0] === 'OK' ? 1 : 2) : answer;
  return [`answer to ${about}: ${meta(said)}`, ...presentText(text, wire, bases)];
}

/** Whether the message was on the wire; if not, its Via depends on how far the engine had come with it. */
function wasSent(list: readonly string[]): boolean {
  const source = list.findIndex((token) => token === 'network' || token === 'application');
  return source < 0 || list[source + 1] !== '0';
}

/** The size only as `0` or `n`, the time as `t`. */
function tokens(list: readonly string[]): string {
  const source = list.findIndex((token) => token === 'network' || token === 'application');
  const shown = list.map((token, index) => {
    if (source < 0) return token;
    if (index === source + 1) return token === '0' ? '0' : 'n';
    return index === source + 5 && token !== '' ? 't' : token;
  });
  return shown.join('|');
}

function presentText(text: string, wire: Wire, bases: Map<string, number>): string[] {
  if (text === '') return [];
  const message = canonicalMessage(text);
  const call = headerOf(message, 'Call-ID') ?? '';
  const via = message.headers
    .filter((line) => line.startsWith('Via: '))
    .map((line) => `    ${ofCall(line, call)}`);
  if (wire.sent.some((sent) => sameButForVia(sent, message)))
    return [`  ${message.startLine}, as received`, ...via];
  const isOnWire = wire.received.some(
    (sent) => sameButForVia(sent, message) && sent.headers.join() === message.headers.join(),
  );
  return isOnWire ? [`  ${message.startLine}, as sent`] : present(message, bases);
}

function present(message: CanonicalMessage, bases: Map<string, number>): string[] {
  const call = headerOf(message, 'Call-ID') ?? '';
  const headers = message.headers.map((header) => {
    const line = ofCall(header, call);
    const sequence = /^(CSeq: |RAck: \d+ )(\d{5,})( .*)$/.exec(line);
    if (sequence === null) return line;
    const [, start = '', number = '', end = ''] = sequence;
    const base = bases.get(call) ?? Number(number);
    bases.set(call, base);
    return `${start}n+${Number(number) - base}${end}`;
  });
  const body = message.body.trim() === '' ? [] : [`    body ${bodyName(message.body)}`];
  return [`  ${message.startLine}`, ...headers.map((line) => `    ${line}`), ...body];
}

function bodyName(body: string): string {
  const media = /^m=audio (\d+) /m.exec(body);
  return media === null ? JSON.stringify(body) : `sdp of port ${media[1] ?? ''}`;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Encloses the Call-ID that an id is numbered in, until it has its name. */
const scope = '\uE000';
/** Tags of the scenario's own are shorter. */
const engineTag = 8;

/** Marks the tags and branches of a line with their call, so that they are numbered call by call. */
function ofCall(line: string, call: string): string {
  if (line.startsWith('Call-ID: ')) return line;
  return line
    .replace(/(?<=\btag=)[^;>\s",]+/g, (tag) =>
      tag.length < engineTag ? tag : `${tag}${scope}${call}${scope}`,
    )
    .replace(/(?<=\bbranch=)[^;,\s]+/g, `$&${scope}${call}${scope}`);
}

/** The same for dialog ids, `Call-ID;from-tag=tag`. */
function ofDialog(text: string): string {
  return text.replace(/([^|\s]+);from-tag=([^|\s,]+)/g, (_all, call: string, tag: string) => {
    const end = tag.length < engineTag ? '' : scope + call + scope;
    return `${call};from-tag=${tag}${end}`;
  });
}

function withNames(text: string, { peers, enginePorts, run }: Recording): string {
  const ports = new Map([
    ...enginePorts.map((number): [number, string] => [number, 'engine']),
    ...peers.map(({ port, name }): [number, string] => [port, name]),
  ]);
  const port = (digits: string): string => ports.get(Number(digits)) ?? 'port';
  const placed = text
    .replace(/(127\.0\.0\.1[:|])(\d+)/g, (_all, before: string, digits: string) => before + port(digits))
    .replace(/(rport=)(\d+)/g, (_all, before: string, digits: string) => before + port(digits));
  const scoped = numberedPerCall(placed);
  const callIds = [...scoped.matchAll(/^ *Call-ID: (.*)$/gm)].map((match) => match[1] ?? '');
  const others = [...new Set(callIds)].filter((id) => !id.endsWith(run));
  const called = others.reduce((all, id, index) => all.replaceAll(id, `call${index + 1}`), scoped);
  return numbered(called.replaceAll(`-${run}`, ''), /(?<=RSeq: |RAck: )\d{3,}/g, 'rseq');
}

/** Names the ids that are marked with their call: `branch1`, `tag1`, `INVITE1` … in every call anew. */
function numberedPerCall(text: string): string {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  return text.replace(/([^\s;:,|<>="\uE000]+)\uE000([^\uE000]*)\uE000/g, (all, id: string, call: string) => {
    const [, method] = call.split(' ');
    const kind = method ?? (id.startsWith('z9hG4bK') ? 'branch' : 'tag');
    // The ACK of a 2xx bears the id of its INVITE.
    const key = method === undefined ? all : id;
    const count = (counts.get(`${kind} ${call}`) ?? 0) + 1;
    const known = names.get(key) ?? `${kind}${count}`;
    if (!names.has(key)) counts.set(`${kind} ${call}`, count);
    names.set(key, known);
    return known;
  });
}

/** Replaces each different match by the name and its number. */
function numbered(text: string, what: RegExp, name: string): string {
  const names = new Map<string, string>();
  return text.replace(what, (match) => {
    const known = names.get(match) ?? `${name}${names.size + 1}`;
    names.set(match, known);
    return known;
  });
}
