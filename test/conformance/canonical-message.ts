/** A SIP message in an order and a spelling of its own, so that two can be compared line by line. */
export interface CanonicalMessage {
  readonly startLine: string;
  readonly headers: readonly string[];
  readonly body: string;
}

const compactForms: Readonly<Record<string, string>> = {
  c: 'Content-Type',
  f: 'From',
  i: 'Call-ID',
  l: 'Content-Length',
  m: 'Contact',
  t: 'To',
  v: 'Via',
};

/** Sorts the headers by name, keeps the order of equal names; sorts the parameters of Via. */
export function canonicalMessage(text: string): CanonicalMessage {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text.trimEnd() : text.slice(0, end);
  const [startLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map(canonicalHeader);
  const byName = (line: string): string => line.slice(0, line.indexOf(':')).toLowerCase();
  headers.sort((a, b) => (byName(a) < byName(b) ? -1 : byName(a) > byName(b) ? 1 : 0));
  return { startLine, headers, body: end < 0 ? '' : text.slice(end + 4) };
}

/** The value of a header of a canonical message. */
export function headerOf(message: CanonicalMessage, name: string): string | undefined {
  const start = `${name.toLowerCase()}: `;
  return message.headers.find((line) => line.toLowerCase().startsWith(start))?.slice(start.length);
}

/** Whether both are the same but for Via, which the receiver writes into. */
export function sameButForVia(one: CanonicalMessage, other: CanonicalMessage): boolean {
  const rest = ({ headers }: CanonicalMessage): string =>
    headers.filter((line) => !line.startsWith('Via: ')).join('\n');
  return one.startLine === other.startLine && one.body === other.body && rest(one) === rest(other);
}

function canonicalHeader(line: string): string {
  const colon = line.indexOf(':');
  const typed = line.slice(0, colon).trim();
  const name = compactForms[typed] ?? typed;
  const value = line.slice(colon + 1).trim();
  if (/^(proxy-)?authorization$/i.test(name)) return `${name}: ${value.split(' ', 1)[0] ?? ''} …`;
  return `${name}: ${name === 'Via' ? sortedParameters(value) : value}`;
}

function sortedParameters(via: string): string {
  const [first = '', ...parameters] = via.split(';').map((part) => part.trim());
  return [first, ...parameters.sort()].join(';');
}
