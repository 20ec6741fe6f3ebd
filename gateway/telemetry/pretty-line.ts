const colourOf: Readonly<Record<string, string>> = {
  debug: '\u001b[2m',
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};
const dim = '\u001b[2m';
const plain = '\u001b[0m';

const shownElsewhere: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'event']);
/** The words of an event say everything but ids and these. */
const besideWords: ReadonlySet<string> = new Set(['detail', 'cause', 'err', 'pages', 'sip', 'admin']);
const framesShown = 4;

/** Turns one JSON log line into one line for people: `12:00:01.234 info  alice calls 600  callId=c_…`. */
export function prettyLine(json: string, colours: boolean): string {
  const entry = JSON.parse(json) as Record<string, unknown>;
  const level = typeof entry['level'] === 'string' ? entry['level'] : 'info';
  const time = typeof entry['time'] === 'string' ? entry['time'].slice(11, 23) : '';
  const message = typeof entry['msg'] === 'string' ? printable(entry['msg']) : '';
  const fields = fieldsOf(entry);
  const label = level.padEnd(5);
  if (!colours) return `${time} ${label} ${message}${fields === '' ? '' : `  ${fields}`}\n`;
  const head = `${dim}${time}${plain} ${colourOf[level] ?? ''}${label}${plain}`;
  return `${head} ${message}${fields === '' ? '' : `  ${dim}${fields}${plain}`}\n`;
}

function fieldsOf(entry: Record<string, unknown>): string {
  const shown: string[] = [];
  for (const [name, value] of Object.entries(entry)) {
    if (shownElsewhere.has(name) || value === null || value === '') continue;
    if (entry['event'] !== undefined && !name.endsWith('Id') && !besideWords.has(name)) continue;
    shown.push(`${name}=${printable(textOf(value))}`);
  }
  return shown.join(' ');
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return isThrown(value) ? shortStack(value) : JSON.stringify(value);
}

function isThrown(value: unknown): value is { readonly message: string; readonly stack: string } {
  return typeof value === 'object' && value !== null && 'stack' in value && typeof value.stack === 'string';
}

function shortStack({ message, stack }: { readonly message: string; readonly stack: string }): string {
  const frames = stack.split('\n').filter((line) => line.startsWith('    at '));
  const where = frames.slice(0, framesShown).map((line) => line.trim());
  return where.length === 0 ? message : `${message} (${where.join(', ')})`;
}

/** What peers sent must not move the cursor, hide text or begin a line of its own. */
function printable(text: string): string {
  let shown = '';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (!isControl(code)) continue;
    shown += `${text.slice(from, at)}\\u${code.toString(16).padStart(4, '0')}`;
    from = at + 1;
  }
  return from === 0 ? text : shown + text.slice(from);
}

/** C0, DEL, C1, line and paragraph separators, and the marks that turn the direction of text. */
function isControl(code: number): boolean {
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  if (code === 0x2028 || code === 0x2029) return true;
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}
