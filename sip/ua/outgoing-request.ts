import { OutgoingRequestMessage, type Body, type URI } from 'sip.js/lib/core/index.js';
import type { OutgoingRequestMessageOptions } from 'sip.js/lib/core/messages/outgoing-request-message.js';
import { newBranch } from '../message/index.js';
import { WireUri } from './wire-uri.js';

/**
 * A request of ours. sip.js keeps its fields (tags, CSeq, Request-URI); the text is written here, with From and To
 * alike in the whole dialog, a branch of ours on the ACK of a 2xx and Content-Length in bytes.
 */
export class OutgoingRequest extends OutgoingRequestMessage {
  /** An INVITE that is cancelled, or that a BYE has overtaken. */
  takenBack = false;
  private via = '';
  private readonly routes: readonly string[];
  private readonly viaHost: string;
  private readonly content: Body | undefined;

  constructor(
    method: string,
    target: URI,
    from: URI,
    to: URI,
    options: OutgoingRequestMessageOptions,
    extraHeaders: string[] | undefined,
    content: Body | undefined,
  ) {
    super(method, target, from, to, options, extraHeaders);
    this.routes = options.routeSet ?? [];
    this.viaHost = options.viaHost ?? '';
    this.content = content;
  }

  /** Kept out of sip.js's own table, which only its text would be made from. */
  override setHeader(): void {
    // See toString.
  }

  override setViaHeader(branch: string, transport: string): void {
    // The ACK of a 2xx is no transaction of sip.js's, which would give it a guessable branch.
    this.branch = this.method === 'ACK' ? newBranch() : branch;
    this.via = `SIP/2.0/${transport} ${this.viaHost};branch=${this.branch}`;
  }

  /** Read by sip.js for the ACK of a non-2xx (RFC 3261 §17.1.1.3). */
  override getHeader(name: string): string | undefined {
    switch (name) {
      case 'via':
        return this.via;
      case 'from':
        return addressText(this.fromURI, this.fromTag);
      case 'to':
        return addressText(this.toURI, this.toTag);
      case 'route':
        return this.routes.length === 0 ? undefined : this.routes.join(', ');
      default:
        return super.getHeader(name);
    }
  }

  override toString(): string {
    let text =
      `${this.method} ${this.ruri.toString()} SIP/2.0\r\nVia: ${this.via}\r\n${this.hops()}` +
      `From: ${addressText(this.fromURI, this.fromTag)}\r\nTo: ${addressText(this.toURI, this.toTag)}\r\n` +
      `Call-ID: ${this.callId}\r\nCSeq: ${this.cseq} ${this.method}\r\n`;
    for (const route of this.routes) text += `Route: ${route}\r\n`;
    for (const line of this.extraHeaders) text += `${line}\r\n`;
    if (this.content === undefined) return `${text}Content-Length: 0\r\n\r\n`;
    const { contentType, content } = this.content;
    return `${text}Content-Type: ${contentType}\r\nContent-Length: ${Buffer.byteLength(content)}\r\n\r\n${content}`;
  }

  /** RFC 3261 §8.1.1.6, unless call control passes on what is left of a caller's hops. */
  private hops(): string {
    return this.extraHeaders.some(isMaxForwards) ? '' : 'Max-Forwards: 70\r\n';
  }
}

function isMaxForwards(line: string): boolean {
  return line.startsWith('Max-Forwards:');
}

function addressText(uri: URI, tag: string | undefined): string {
  const address = uri instanceof WireUri ? uri.nameAddr : `<${uri.toString()}>`;
  return tag === undefined || tag === '' ? address : `${address};tag=${tag}`;
}

/** A body for sip.js. */
export function bodyOf(contentType: string, content: string): Body {
  return {
    contentDisposition: contentType === 'application/sdp' ? 'session' : 'render',
    contentType,
    content,
  };
}

/** Options for sip.js: it tells an absent body from an undefined one. */
export function requestOptions(
  extraHeaders: string[],
  sdp: string | undefined,
): { extraHeaders: string[]; body?: Body } {
  return sdp === undefined ? { extraHeaders } : { extraHeaders, body: bodyOf('application/sdp', sdp) };
}
