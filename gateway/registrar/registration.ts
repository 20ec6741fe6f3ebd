import { failure, SipFailure } from '../../sip/failure.js';
import {
  parseNameAddrList,
  splitCommaList,
  type NameAddr,
  type SipRequest,
} from '../../sip/message/index.js';
import { instanceIdOf } from '../endpoint/endpoint-identity.js';

/** What a REGISTER asks for, read from its headers. */
export interface Registration {
  /** `*`: all bindings are to be removed. Empty: the bindings are only asked for. */
  readonly contacts: '*' | readonly NameAddr[];
  /** The Expires header in seconds; undefined without one. */
  readonly expiresSeconds: number | undefined;
  readonly sipCallId: string;
  readonly cseq: number;
  readonly path: readonly string[];
  readonly userAgent: string | undefined;
  /** The client lists `outbound` in Supported (RFC 5626 §4.2.1). */
  readonly outbound: boolean;
}

/** RFC 3261 §20.19: an expiry that cannot be read counts as one hour. */
const unreadableExpirySeconds = 3_600;
const maxUserAgentLength = 128;

/** Reads a REGISTER, checking what RFC 3261 §10.3 step 6 says of `*`. */
export function readRegistration(request: SipRequest): Registration | SipFailure {
  const { headers } = request;
  const contacts = readContacts(headers.getAll('contact'));
  if (contacts === undefined) return failure('message.malformed', { detail: 'Contact cannot be read' });
  const misnamed = contacts === '*' ? undefined : contacts.map(instanceIdOf).find(isFailure);
  if (misnamed !== undefined) return misnamed;
  const expiresSeconds = readExpiry(headers.get('expires'));
  if (contacts === '*' && expiresSeconds !== 0) {
    return failure('message.malformed', { detail: 'Contact: * needs Expires: 0 and no other Contact' });
  }
  return {
    contacts,
    expiresSeconds,
    sipCallId: request.callId,
    cseq: request.cseq.number,
    path: headers.getAll('path').flatMap(splitCommaList),
    userAgent: headers.get('user-agent')?.slice(0, maxUserAgentLength),
    outbound: headers.getAll('supported').some((value) => splitCommaList(value).includes('outbound')),
  };
}

/** The seconds that one contact asks for: its own parameter, else the Expires header (RFC 3261 §10.2.1.1). */
export function requestedExpiry(
  contact: NameAddr,
  registration: Registration,
  defaultSeconds: number,
): number {
  const own = contact.params.get('expires');
  return own === undefined ? (registration.expiresSeconds ?? defaultSeconds) : (readExpiry(own ?? '') ?? 0);
}

function readContacts(values: readonly string[]): '*' | NameAddr[] | undefined {
  if (values.length === 0) return [];
  if (values.length === 1 && values[0] === '*') return '*';
  const contacts = parseNameAddrList(values);
  return contacts?.every(({ uri }) => uri.scheme === 'sip' || uri.scheme === 'sips') ? contacts : undefined;
}

function readExpiry(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) return unreadableExpirySeconds;
  return Number(text);
}

function isFailure(value: unknown): value is SipFailure {
  return value instanceof SipFailure;
}
