import { hasLineBreak } from './chars.js';
import type { SipMessage } from './message.js';

/** Start line and header lines with the empty line; Content-Length is the body's size in bytes. */
function serializeHead(message: SipMessage): string {
  return `${startLine(message)}\r\n${message.headers.toLines()}Content-Length: ${message.body.length}\r\n\r\n`;
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
  const head = serializeHead(message);
  const { body } = message;
  const headBytes = Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafe(headBytes + body.length);
  if (headBytes === head.length) bytes.write(head, 0, 'latin1');
  else bytes.write(head, 0, 'utf8');
  body.copy(bytes, headBytes);
  return bytes;
}

/** The message as text for a WebSocket text frame: a body that is not UTF-8 does not survive; see {@link serializeMessage}. */
export function serializeText(message: SipMessage): string {
  return serializeHead(message) + message.body.toString('utf8');
}
