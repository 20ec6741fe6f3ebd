import { newTag } from '../../message/index.js';
import type { Channel } from '../transport/channel.js';

/** Everything that a request is written from. Header values are complete; `known` and `other` are whole lines. */
export interface RequestParts {
  readonly method: string;
  readonly requestUri: string;
  readonly channel: Channel;
  readonly branch: string;
  /** Route header field lines. */
  readonly routes: string;
  readonly maxForwards: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly sequence: number;
  readonly contact: string | undefined;
  readonly known: string;
  readonly contentType: string | undefined;
  readonly other: string;
  readonly body: string;
}

/** A request of ours: its text, and what other messages derive from it. */
export class SentRequest {
  readonly text: string;
  readonly bytes: Buffer;
  private readonly via: string;

  constructor(private readonly parts: RequestParts) {
    const { channel, contact, contentType, body } = parts;
    const port = channel.reliable ? '' : ';rport';
    const { host, port: sentByPort } = channel.sentBy;
    this.via = `SIP/2.0/${channel.transport.toUpperCase()} ${host}:${sentByPort}${port};branch=${parts.branch}`;
    this.text =
      this.head(parts.method, parts.maxForwards, parts.to) +
      (contact === undefined ? '' : `Contact: ${contact}\r\n`) +
      parts.known +
      (contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`) +
      `Content-Length: ${Buffer.byteLength(body)}\r\n${parts.other}\r\n${body}`;
    this.bytes = Buffer.from(this.text);
  }

  get method(): string {
    return this.parts.method;
  }

  get branch(): string {
    return this.parts.branch;
  }

  get callId(): string {
    return this.parts.callId;
  }

  get sequence(): number {
    return this.parts.sequence;
  }

  /** The value of From, with our tag. */
  get from(): string {
    return this.parts.from;
  }

  get contact(): string | undefined {
    return this.parts.contact;
  }

  get channel(): Channel {
    return this.parts.channel;
  }

  /** The body, as text. */
  get body(): string {
    return this.parts.body;
  }

  /** The ACK for a final response other than 2xx; `to` is that response's To (RFC 3261 §17.1.1.3). */
  failureAck(to: string): Buffer {
    return Buffer.from(`${this.head('ACK', '70', to)}Content-Length: 0\r\n\r\n`);
  }

  /** The CANCEL for this INVITE, with whole header field lines to add (RFC 3261 §9.1). */
  cancel(extra: string): string {
    return `${this.head('CANCEL', '70', this.parts.to)}${extra}Content-Length: 0\r\n\r\n`;
  }

  /** A response of our own that stands for one that did not come; `detail` says why, in a Reason (RFC 3326). */
  localResponse(status: number, reason: string, detail?: string): string {
    const { from, to, callId, sequence, method } = this.parts;
    const tagged = /;\s*tag=/i.test(to) ? to : `${to};tag=${newTag()}`;
    const why = detail === undefined ? '' : `Reason: SIP;cause=${status};text="${quotable(detail)}"\r\n`;
    return (
      `SIP/2.0 ${status} ${reason}\r\nVia: ${this.via}\r\nFrom: ${from}\r\nTo: ${tagged}\r\n` +
      `Call-ID: ${callId}\r\nCSeq: ${sequence} ${method}\r\n${why}Content-Length: 0\r\n\r\n`
    );
  }

  private head(method: string, maxForwards: string, to: string): string {
    const { requestUri, routes, from, callId, sequence } = this.parts;
    return (
      `${method} ${requestUri} SIP/2.0\r\nVia: ${this.via}\r\n${routes}Max-Forwards: ${maxForwards}\r\n` +
      `From: ${from}\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: ${sequence} ${method}\r\n`
    );
  }
}

/** The text without what a quoted string cannot hold. */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/g, ' ').slice(0, 200);
}
