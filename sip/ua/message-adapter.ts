import { IncomingRequestMessage, IncomingResponseMessage, NameAddrHeader } from 'sip.js/lib/core/index.js';
import {
  bodyText,
  mediaType,
  parseNameAddrList,
  serializeUri,
  splitCommaList,
  tagOf,
  type Headers,
  type NameAddr,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../message/index.js';
import { nameAddrText } from './header-lines.js';
import { WireUri } from './wire-uri.js';

/**
 * Our parsed messages in the shape that sip.js's transactions and dialogs read. Every slot that sip.js would fill with
 * its grammar (75–120 µs a header) is set here, so that the grammar never runs.
 */

/** Stands in From and To of messages that cannot start a dialog; sip.js reads only the tag there. */
const unread = new WireUri('sip:unread.invalid');

/** A request as sip.js sees it, with the message that it was made from. */
export class AdaptedRequest extends IncomingRequestMessage {
  constructor(readonly original: SipRequest) {
    super();
    this.method = original.method;
    this.viaBranch = transactionKey(original);
    fillCommon(this, original);
    const startsDialog = this.toTag === undefined && original.method === 'INVITE';
    this.from = header(startsDialog ? wireUriOf(original.from) : unread, tagOf(original.from));
    this.to = header(startsDialog ? wireUriOf(original.to) : unread, tagOf(original.to));
    this.headers['To'] = [{ raw: original.headers.get('to') ?? '', parsed: this.to }];
    if (startsDialog) fillDialogSlots(this, original.headers);
  }
}

/** A response as sip.js sees it, with the message that it was made from. */
export class AdaptedResponse extends IncomingResponseMessage {
  constructor(readonly original: SipResponse) {
    super();
    this.method = original.cseq.method;
    this.statusCode = original.status;
    this.reasonPhrase = original.reason;
    this.viaBranch = original.topVia.params.get('branch') ?? '';
    fillCommon(this, original);
    this.headers['To'] = [{ raw: original.headers.get('to') ?? '' }];
    if (original.cseq.method === 'INVITE') fillDialogSlots(this, original.headers);
  }
}

/**
 * What a server transaction is found by: branch, sent-by and method, ACK counting as INVITE (RFC 3261 §17.2.3). sip.js
 * itself compares the branch alone. Without the magic cookie the fields of RFC 2543 tell requests apart.
 */
export function transactionKey(request: SipRequest): string {
  const { topVia, cseq } = request;
  const branch = topVia.params.get('branch') ?? '';
  const method = cseq.method === 'ACK' || cseq.method === 'CANCEL' ? 'INVITE' : cseq.method;
  const key = `${branch} ${topVia.host}:${topVia.port ?? ''} ${method}`;
  if (branch.startsWith('z9hG4bK')) return key;
  return `${key} ${request.callId} ${tagOf(request.from) ?? ''} ${cseq.number}`;
}

/** The SDP of a message; undefined when its body is empty or something else. */
export function sdpOf(message: SipMessage): string | undefined {
  return message.body.length > 0 && isSdp(message) ? bodyText(message) : undefined;
}

export function isSdp(message: SipMessage): boolean {
  return mediaType(message) === 'application/sdp';
}

/** The URI of the first Contact, as text; undefined when there is none to send a request to (`*`, unreadable). */
export function contactUri(headers: Headers): string | undefined {
  const first = parseNameAddrList(headers.getAll('contact'))?.[0];
  return first === undefined || first.uri.scheme === 'other' ? undefined : serializeUri(first.uri);
}

/** Sets the remote target of a dialog to be made from this message (RFC 3261 §12.1). */
export function setContact(message: IncomingRequestMessage | IncomingResponseMessage, uri: string): void {
  message.headers['Contact'] = [{ raw: `<${uri}>`, parsed: header(new WireUri(uri), undefined) }];
}

function fillCommon(message: AdaptedRequest | AdaptedResponse, original: SipMessage): void {
  message.callId = original.callId;
  message.cseq = original.cseq.number;
  const fromTag = tagOf(original.from);
  const toTag = tagOf(original.to);
  if (fromTag !== undefined) message.fromTag = fromTag;
  if (toTag !== undefined) message.toTag = toTag;
  message.headers['Via'] = original.headers.getAll('via').map((raw) => ({ raw }));
  message.headers['From'] = [{ raw: original.headers.get('from') ?? '' }];
}

function fillDialogSlots(message: AdaptedRequest | AdaptedResponse, headers: Headers): void {
  const contact = contactUri(headers);
  if (contact !== undefined) setContact(message, contact);
  const routes = headers.getAll('record-route');
  if (routes.length === 0) return;
  message.headers['Record-Route'] = routes.flatMap(splitCommaList).map((raw) => ({ raw }));
}

function wireUriOf(address: NameAddr): WireUri {
  const uri = serializeUri(address.uri);
  return new WireUri(uri, nameAddrText(uri, address.displayName));
}

function header(uri: WireUri, tag: string | undefined): NameAddrHeader {
  return new NameAddrHeader(uri, '', tag === undefined ? {} : { tag });
}
