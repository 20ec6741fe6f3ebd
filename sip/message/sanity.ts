import { failure, type SipFailure } from '../failure.js';
import { isDigits } from './chars.js';
import { mediaType } from './body.js';
import { headerNameOf } from './header-names.js';
import type { NameAddr, SipRequest } from './message.js';
import { parseNameAddr, splitCommaList } from './name-addr.js';

/** Every method in the registry of SIP methods: 405 when it is not served, while an unknown one gets 501. */
const knownMethods = new Set([
  'ACK',
  'BYE',
  'CANCEL',
  'INFO',
  'INVITE',
  'MESSAGE',
  'NOTIFY',
  'OPTIONS',
  'PRACK',
  'PUBLISH',
  'REFER',
  'REGISTER',
  'SUBSCRIBE',
  'UPDATE',
]);

const maxForwards = headerNameOf('Max-Forwards');
const requirements = [headerNameOf('Require'), headerNameOf('Proxy-Require')];
const contact = headerNameOf('Contact');
const contentEncoding = headerNameOf('Content-Encoding');
const accept = headerNameOf('Accept');

function malformed(reason: string): SipFailure {
  return failure('message.malformed', { reason, detail: reason });
}

/** RFC 3261 §8.1.1.5: the method in CSeq is the request's. */
export function checkCSeqMethod(request: SipRequest): SipFailure | undefined {
  return request.cseq.method === request.method ? undefined : malformed('CSeq Method Mismatch');
}

/** RFC 3261 §8.1.1.6, §16.3 step 3: 0 to 255, and not used up. */
export function checkMaxForwards(request: SipRequest): SipFailure | undefined {
  const value = request.headers.first(maxForwards);
  if (value === undefined) return undefined;
  if (!isDigits(value) || Number(value) > 255) return malformed('Malformed Max-Forwards');
  return Number(value) === 0 ? failure('message.too_many_hops') : undefined;
}

/** RFC 3261 §8.2.2.1: a Request-URI that we can route. */
export function checkRequestUriScheme(request: SipRequest): SipFailure | undefined {
  if (request.uri.scheme !== 'other') return undefined;
  return failure('message.uri_scheme', { detail: 'Request-URI is neither sip, sips nor tel' });
}

/** RFC 3261 §8.2.1: 501 to methods nobody knows, 405 with Allow to those that are not served. */
export function checkMethod(request: SipRequest, methods: readonly string[]): SipFailure | undefined {
  if (methods.includes(request.method)) return undefined;
  const headers = [['Allow', methods.join(', ')]] as const;
  return failure(knownMethods.has(request.method) ? 'message.method_not_allowed' : 'message.method_unknown', {
    headers,
  });
}

/** RFC 3261 §8.2.2.3: option tags that we do not know are named in Unsupported; never for CANCEL and ACK. */
export function checkRequire(request: SipRequest, supported: readonly string[]): SipFailure | undefined {
  if (request.method === 'CANCEL' || request.method === 'ACK') return undefined;
  const unsupported: string[] = [];
  for (const name of requirements) {
    if (request.headers.first(name) === undefined) continue;
    for (const value of request.headers.all(name)) {
      for (const tag of splitCommaList(value)) {
        if (!supported.includes(tag.toLowerCase())) unsupported.push(tag);
      }
    }
  }
  if (unsupported.length === 0) return undefined;
  return failure('message.extension', { headers: [['Unsupported', unsupported.join(', ')]] });
}

/** RFC 3261 §10.2: what is registered is a SIP address-of-record. */
export function checkAddressOfRecord(request: SipRequest): SipFailure | undefined {
  if (request.method !== 'REGISTER') return undefined;
  const { scheme } = request.to.uri;
  return scheme === 'sip' || scheme === 'sips' ? undefined : malformed('Address-of-Record Is No SIP URI');
}

/** Methods that make a dialog or change its target: their Contact is exactly one SIP URI (RFC 3261 §8.1.1.8, §12.2). */
const targetMethods = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'UPDATE']);

/** RFC 3261 §8.1.1.8, §10.3 step 6, §20.10: Contacts that can be read, as many as the method allows. */
export function checkContact(request: SipRequest): SipFailure | undefined {
  const isRegister = request.method === 'REGISTER';
  if (!isRegister && !targetMethods.has(request.method)) return undefined;
  let hasWildcard = false;
  let count = 0;
  let last: NameAddr | undefined;
  for (const value of request.headers.all(contact)) {
    for (const part of splitCommaList(value)) {
      count++;
      if (part === '*') {
        hasWildcard = true;
        continue;
      }
      last = parseNameAddr(part);
      if (last === undefined) return malformed('Malformed Contact');
    }
  }
  if (hasWildcard && !isRegister) return malformed('Contact Wildcard Outside REGISTER');
  if (hasWildcard && count > 1) return malformed('Contact Wildcard Beside Others');
  return isRegister ? undefined : checkTarget(last, count);
}

function checkTarget(target: NameAddr | undefined, count: number): SipFailure | undefined {
  if (target === undefined) return malformed('Missing Contact');
  if (count > 1) return malformed('More Than One Contact');
  const { scheme } = target.uri;
  return scheme === 'sip' || scheme === 'sips' ? undefined : malformed('Contact Is No SIP URI');
}

/** RFC 3261 §8.2.3: no Content-Encoding but identity. */
export function checkContentEncoding(request: SipRequest): SipFailure | undefined {
  if (request.body.length === 0) return undefined;
  const value = request.headers.first(contentEncoding);
  if (value === undefined || value.toLowerCase() === 'identity') return undefined;
  return failure('message.content_encoding', { headers: [['Accept-Encoding', 'identity']] });
}

/** Methods whose body we read ourselves: it must be a session description. */
const offerMethods = new Set(['INVITE', 'UPDATE', 'PRACK']);

/** RFC 3261 §7.4.1, §8.2.3: a body has a Content-Type, and in an offer or answer it is SDP unless it is optional. */
export function checkContentType(request: SipRequest): SipFailure | undefined {
  if (request.body.length === 0) return undefined;
  const type = mediaType(request);
  if (type === undefined) return malformed('Missing Content-Type');
  if (!offerMethods.has(request.method) || type === 'application/sdp') return undefined;
  const disposition = request.headers.get('Content-Disposition')?.toLowerCase() ?? '';
  if (disposition.includes('handling=optional')) return undefined;
  return failure('message.content_type', { headers: [['Accept', 'application/sdp']] });
}

/** RFC 3261 §8.2.3, §20.1: a caller that takes no SDP cannot be answered. */
export function checkAccept(request: SipRequest): SipFailure | undefined {
  if (request.method !== 'INVITE' || request.headers.first(accept) === undefined) return undefined;
  for (const value of request.headers.all(accept)) {
    for (const range of splitCommaList(value.toLowerCase())) {
      const type = range.split(';', 1)[0]?.trim();
      if (type === 'application/sdp' || type === 'application/*' || type === '*/*') return undefined;
    }
  }
  return failure('message.not_acceptable', { detail: 'Accept excludes application/sdp' });
}

/**
 * All checks of a request that the parser has read, in the order in which their answers take precedence. `supported`
 * are our option tags in lower case, `methods` the methods that are served here. A failed ACK is dropped, never answered.
 */
export function checkRequest(
  request: SipRequest,
  supported: readonly string[],
  methods: readonly string[],
): SipFailure | undefined {
  return (
    checkCSeqMethod(request) ??
    checkMaxForwards(request) ??
    checkRequestUriScheme(request) ??
    checkMethod(request, methods) ??
    checkRequire(request, supported) ??
    checkAddressOfRecord(request) ??
    checkContact(request) ??
    checkContentEncoding(request) ??
    checkContentType(request) ??
    checkAccept(request)
  );
}
