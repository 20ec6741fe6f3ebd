/** A SIP message as an application writes it: readable, but neither complete nor checked. */
export interface AppMessage {
  /** Empty for a response. */
  readonly method: string;
  readonly requestUri: string;
  /** 0 for a request. */
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

const startOfResponse = 'SIP/2.0 ';
/** RFC 3261 §25.1 token. */
const token = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/** Whether the text can stand in a header field or start line: no line break, no NUL. */
export function isPrintable(text: string): boolean {
  return !text.includes('\r') && !text.includes('\n') && !text.includes('\0');
}

/** Whether the text is a token, as header field names and methods must be. */
export function isToken(text: string): boolean {
  return token.test(text);
}

/** Reads an application's message. Header fields that could not be sent are left out. Returns undefined when unreadable. */
export function parseAppMessage(text: string): AppMessage | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  const head = headEnd < 0 ? text : text.slice(0, headEnd);
  const body = headEnd < 0 ? '' : text.slice(headEnd + 4);
  const [start = '', ...lines] = head.split('\r\n');
  const startLine = parseStartLine(start);
  if (startLine === undefined) return undefined;
  const headers: (readonly [string, string])[] = [];
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim();
    const value = line.slice(colon + 1).trim();
    if (isToken(name) && isPrintable(value)) headers.push([name, value]);
  }
  return { ...startLine, headers, body };
}

function parseStartLine(
  line: string,
): Pick<AppMessage, 'method' | 'requestUri' | 'status' | 'reason'> | undefined {
  if (!isPrintable(line)) return undefined;
  if (line.startsWith(startOfResponse)) {
    const status = Number(line.slice(8, 11));
    if (!Number.isInteger(status) || status < 100 || status > 699) return undefined;
    return { method: '', requestUri: '', status, reason: line.slice(12) };
  }
  const [method = '', requestUri = '', version, ...rest] = line.split(' ');
  if (version !== 'SIP/2.0' || rest.length > 0 || !isToken(method) || requestUri === '') return undefined;
  return { method, requestUri, status: 0, reason: '' };
}
