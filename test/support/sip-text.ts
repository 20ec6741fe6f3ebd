/** Messages for tests, from lines: each gets its CRLF, the empty line and the body follow. */
export function sipBytes(lines: readonly string[], body: string | Buffer = ''): Buffer {
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8'), Buffer.from(body)]);
}

/** The lines of a plain request, each of them replaceable by its name; `undefined` leaves it out. */
export function requestLines(
  method: string,
  changes: Readonly<Record<string, string | undefined>> = {},
): string[] {
  const fields: Record<string, string | undefined> = {
    Via: 'SIP/2.0/WS a.invalid;branch=z9hG4bKtest1',
    'Max-Forwards': '70',
    From: '<sip:alice@example.com>;tag=f1',
    To: '<sip:bob@example.com>',
    'Call-ID': 'call-1',
    CSeq: `7 ${method}`,
    Contact: '<sip:alice@a.invalid;transport=ws>',
    ...changes,
  };
  const startLine = fields['start'] ?? `${method} sip:bob@example.com SIP/2.0`;
  delete fields['start'];
  const lines = [startLine];
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) lines.push(`${name}: ${value}`);
  }
  return lines;
}

/** A request as bytes: see {@link requestLines}. */
export function requestBytes(
  method: string,
  changes: Readonly<Record<string, string | undefined>> = {},
  body: string | Buffer = '',
): Buffer {
  return sipBytes(
    requestLines(method, { 'Content-Length': String(Buffer.byteLength(body)), ...changes }),
    body,
  );
}
