import { isUtf8 } from 'node:buffer';
import { hasLineBreak } from './chars.js';
import type { SipMessage } from './message.js';

/** Start line and header lines with the empty line. */
function serializeHead(message: SipMessage, bodyBytes: number): string {
  return `${startLine(message)}\r\n${message.headers.toLines()}Content-Length: ${bodyBytes}\r\n\r\n`;
}

function startLine(message: SipMessage): string {
  const line =
    message.kind === 'request'
      ? `${message.method} ${message.requestUri} SIP/2.0`
      : `SIP/2.0 ${message.status} ${message.reason}`;
  if (hasLineBreak(line)) throw new TypeError('line break in the start line');
  return line;
}

/**
 * The message as bytes, with its true Content-Length in place of any other.
 * @throws TypeError when the start line holds CR, LF or NUL; {@link Headers} keeps them out of header values.
 */
export function serializeMessage(message: SipMessage): Buffer {
  const head = serializeHead(message, message.body.length);
  const { body } = message;
  const headBytes = Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafe(headBytes + body.length);
  if (headBytes === head.length) bytes.write(head, 0, 'latin1');
  else bytes.write(head, 0, 'utf8');
  body.copy(bytes, headBytes);
  return bytes;
}

/**
 * The message as text for a WebSocket text frame. Of a body that is not UTF-8 only the readable part survives, under a
 * Content-Length that counts what is sent; {@link serializeMessage} keeps it whole.
 * @throws TypeError as serializeMessage does.
 */
export function serializeText(message: SipMessage): string {
  const { body } = message;
  if (body.length === 0) return serializeHead(message, 0);
  const text = body.toString('utf8');
  return serializeHead(message, isUtf8(body) ? body.length : Buffer.byteLength(text)) + text;
}
