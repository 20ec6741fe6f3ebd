import { parseNameAddr, serializeUri, splitCommaList, type SipMessage } from '../../message/index.js';

/** The URI of the first Contact, as a remote target (RFC 3261 §12.1.1). Undefined when there is none that can be used. */
export function contactUri(message: SipMessage): string | undefined {
  const value = message.headers.get('contact');
  if (value === undefined) return undefined;
  const uri = parseNameAddr(splitCommaList(value)[0] ?? '')?.uri;
  return uri?.scheme === 'sip' || uri?.scheme === 'sips'
    ? serializeUri({ ...uri, headers: undefined })
    : undefined;
}
