import type { HeaderView, Party } from '../leg.js';
import {
  bodyText,
  mediaType,
  parseMessage,
  serializeUri,
  type NameAddr,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../message/index.js';
import type { SrfMessage } from './srf-types.js';

/** The media type of offers and answers. */
export const sdpType = 'application/sdp';

/** Reads the text that srf took its own view from; undefined when our codec refuses it. */
export function readMessage(received: SrfMessage): SipMessage | undefined {
  if (received.raw === undefined) return undefined;
  const parsed = parseMessage(Buffer.from(received.raw), { framing: 'datagram' });
  return parsed.kind === 'failure' ? undefined : parsed;
}

/** Reads a request; undefined when it is none or our codec refuses it. */
export function readRequest(received: SrfMessage): SipRequest | undefined {
  const message = readMessage(received);
  return message?.kind === 'request' ? message : undefined;
}

/** Reads a response; undefined when it is none or our codec refuses it. */
export function readResponse(received: SrfMessage): SipResponse | undefined {
  const message = readMessage(received);
  return message?.kind === 'response' ? message : undefined;
}

/** The media type of the body; undefined when there is no body. */
export function contentTypeOf(message: SipMessage): string | undefined {
  return message.body.length === 0 ? undefined : (mediaType(message) ?? sdpType);
}

/** The session description in the body; undefined when the body is something else or empty. */
export function sdpOf(message: SipMessage): string | undefined {
  return contentTypeOf(message) === sdpType ? bodyText(message) : undefined;
}

/** Who is named in From or To. */
export function partyOf({ uri, displayName }: NameAddr): Party {
  const text = serializeUri(uri);
  return displayName === undefined || displayName === '' ? { uri: text } : { uri: text, displayName };
}

/** No header fields at all: for responses that cannot be read. */
export const noHeaders: HeaderView = { get: () => undefined, getAll: () => [] };
