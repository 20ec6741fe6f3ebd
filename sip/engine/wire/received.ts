import { serializeText, type SipMessage, type SipRequest, type SipResponse } from '../../message/index.js';
import type { Channel } from '../transport/channel.js';
import { stampVia } from './via-stamp.js';

const endOfHead = Buffer.from('\r\n\r\n');

/** Length of the line ends that may stand before a message (RFC 3261 §7.5). */
function leadingLineEnds(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 13 || bytes[at] === 10) at += 1;
  return at;
}

/** The message as it was received, with exactly its own body and a Content-Length when it has one. */
function textOf(bytes: Buffer, message: SipMessage): string {
  const start = leadingLineEnds(bytes);
  const end = bytes.indexOf(endOfHead, start);
  if (end < 0) return serializeText(message);
  const head = bytes.toString('utf8', start, end + 2);
  if (head.includes('\0')) return serializeText(message);
  if (message.body.length === 0) return `${head}\r\n`;
  const length = message.headers.has('content-length') ? '' : `Content-Length: ${message.body.length}\r\n`;
  return `${head}${length}\r\n${message.body.toString('utf8')}`;
}

/** Start and end of the value of the first Via header field in a message. */
function locateVia(text: string): readonly [start: number, end: number] | undefined {
  let line = text.indexOf('\r\n') + 2;
  while (line >= 2 && line < text.length && text[line] !== '\r') {
    const colon = text.indexOf(':', line);
    let end = text.indexOf('\r\n', line);
    while (end >= 0 && (text[end + 2] === ' ' || text[end + 2] === '\t')) end = text.indexOf('\r\n', end + 2);
    if (end < 0) return undefined;
    if (colon > 0 && colon < end) {
      const name = text.slice(line, colon).trim().toLowerCase();
      if (name === 'via' || name === 'v') return [colon + 1, end];
    }
    line = end + 2;
  }
  return undefined;
}

/** A request from the network. Texts are made on demand: most requests are absorbed or answered without them. */
export class ReceivedRequest {
  private preparedVias: string | undefined;
  private preparedText: string | undefined;

  constructor(
    readonly message: SipRequest,
    readonly channel: Channel,
    readonly bytes: Buffer,
    /** The way back for responses; the channel itself over UDP. */
    readonly back: Channel = channel,
  ) {}

  /** Whether the Contact of our answer has to be a `sips:` URI (RFC 3261 §12.1.1). */
  get isSecure(): boolean {
    return this.message.uri.scheme === 'sips';
  }

  /** The Via header fields for its responses, the top one with `received` and `rport` (RFC 3261 §8.2.6.2, §18.2.1). */
  get vias(): string {
    return (this.preparedVias ??= this.message.headers
      .getAll('via')
      .map((value, index) => `Via: ${index === 0 ? this.stamped(value) : value}\r\n`)
      .join(''));
  }

  /** The message as the application gets it: as received, but for the top Via. */
  get text(): string {
    return (this.preparedText ??= this.stampedText());
  }

  private stampedText(): string {
    const text = textOf(this.bytes, this.message);
    const via = locateVia(text);
    if (via === undefined) return text;
    const [start, end] = via;
    return `${text.slice(0, start)} ${this.stamped(text.slice(start, end).trim())}${text.slice(end)}`;
  }

  private stamped(value: string): string {
    return stampVia(value, this.message.topVia, this.channel.remote);
  }
}

/** A response from the network. */
export class ReceivedResponse {
  constructor(
    readonly message: SipResponse,
    readonly channel: Channel,
    readonly bytes: Buffer,
  ) {}

  /** The message as received. */
  get text(): string {
    return textOf(this.bytes, this.message);
  }
}
