import { failure, type SipFailure } from '../failure.js';
import { isDigits } from './chars.js';
import { scanHead } from './head.js';
import { defaultParseLimits, type ParseLimits } from './limits.js';
import { refuse } from './refusal.js';

export type StreamEvent =
  | { readonly kind: 'message'; readonly bytes: Buffer }
  /** CRLF CRLF between messages: to be answered with CRLF (RFC 5626 §4.4.1). Several in a row count as one. */
  | { readonly kind: 'ping' }
  /** The stream cannot be trusted any more: send `reply` when there is one, and close. */
  | { readonly kind: 'failure'; readonly failure: SipFailure; readonly reply: Buffer | undefined };

const headEnd = Buffer.from('\r\n\r\n');
const CR = 0x0d;
const LF = 0x0a;

/**
 * Cuts a byte stream into messages by Content-Length (RFC 3261 §18.3), skips line ends between them (§7.5) and finds
 * keep-alives. Holds at most one message and one chunk; each byte is looked at a fixed number of times.
 */
export class StreamFramer {
  private buffer = Buffer.alloc(0);
  private start = 0;
  private end = 0;
  /** Bytes after `start` in which no end of head was found. */
  private searched = 0;
  /** Whole size of the message at `start`, once its head is complete. */
  private messageBytes: number | undefined;
  /** LFs since the last message or ping. */
  private lineEnds = 0;
  private hasFailed = false;

  constructor(private readonly limits: ParseLimits = defaultParseLimits) {}

  /** Takes the next bytes of the stream; returns what they completed, in order. Nothing follows a failure. */
  push(chunk: Buffer): StreamEvent[] {
    const events: StreamEvent[] = [];
    if (this.hasFailed) return events;
    this.store(chunk);
    while (!this.hasFailed && this.next(events));
    return events;
  }

  /** Appends the chunk; the buffer doubles when it is full, so that small chunks cost no more than large ones. */
  private store(chunk: Buffer): void {
    const kept = this.end - this.start;
    if (this.end + chunk.length > this.buffer.length) {
      const isRoomy = kept + chunk.length <= this.buffer.length / 2;
      const target = isRoomy ? this.buffer : Buffer.allocUnsafe(Math.max(2 * (kept + chunk.length), 4096));
      this.buffer.copy(target, 0, this.start, this.end);
      this.buffer = target;
      this.start = 0;
      this.end = kept;
    }
    chunk.copy(this.buffer, this.end);
    this.end += chunk.length;
  }

  /** Takes one event off the buffer; false when more bytes are needed. */
  private next(events: StreamEvent[]): boolean {
    if (this.messageBytes === undefined) {
      this.skipLineEnds(events);
      if (this.start === this.end || !this.readHead(events)) return false;
    }
    const size = this.messageBytes;
    if (size === undefined || this.end - this.start < size) return false;
    events.push({ kind: 'message', bytes: Buffer.from(this.buffer.subarray(this.start, this.start + size)) });
    this.start += size;
    this.searched = 0;
    this.messageBytes = undefined;
    return true;
  }

  private skipLineEnds(events: StreamEvent[]): void {
    if (this.searched > 0) return;
    for (; this.start < this.end; this.start++) {
      const byte = this.buffer[this.start];
      if (byte === CR) continue;
      if (byte !== LF) {
        this.lineEnds = 0;
        return;
      }
      if (++this.lineEnds === 2) {
        if (events.at(-1)?.kind !== 'ping') events.push({ kind: 'ping' });
        this.lineEnds = 0;
      }
    }
  }

  /** Finds the size of the message at `start`; false when its head is incomplete or unusable. */
  private readHead(events: StreamEvent[]): boolean {
    const held = this.buffer.subarray(this.start, this.end);
    const end = held.indexOf(headEnd, Math.max(this.searched - 3, 0));
    if (end === -1) {
      this.searched = held.length;
      if (held.length > this.limits.maxBytes)
        this.fail(events, { failure: failure('message.too_large'), reply: undefined });
      return false;
    }
    const text = held.toString('utf8', 0, end + 2);
    const lineEnd = text.indexOf('\r\n');
    const head = scanHead(text, lineEnd + 2, this.limits);
    const length = head.contentLength;

    const method = text.slice(0, text.indexOf(' '));
    const requestMethod = method.toUpperCase().startsWith('SIP/') ? undefined : method;
    if (length === undefined || !isDigits(length)) {
      const reason =
        length === undefined ? (head.problem ?? 'Missing Content-Length') : 'Malformed Content-Length';
      this.fail(events, refuse({ code: 'message.malformed', reason }, requestMethod, head));
      return false;
    }
    const size = end + 4 + Number(length);
    if (size > this.limits.maxBytes) {
      this.fail(
        events,
        refuse({ code: 'message.too_large', reason: 'Message Too Large' }, requestMethod, head),
      );
      return false;
    }
    this.messageBytes = size;
    return true;
  }

  private fail(
    events: StreamEvent[],
    what: { readonly failure: SipFailure; readonly reply: Buffer | undefined },
  ): void {
    this.hasFailed = true;
    this.buffer = Buffer.alloc(0);
    this.start = this.end = 0;
    events.push({ kind: 'failure', failure: what.failure, reply: what.reply });
  }
}
