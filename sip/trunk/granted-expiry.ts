import type { HeaderView } from '../leg.js';
import { parseNameAddrList, type NameAddr, type SipUri } from '../message/index.js';

/** What a REGISTER has asked for. */
export interface AskedBinding {
  /** Our Contact as it was sent; undefined: nobody knows. */
  readonly contact: string | undefined;
  /** User of our Contact, in case that is unknown. */
  readonly user: string | undefined;
  readonly seconds: number;
}

interface Binding {
  readonly uri: SipUri;
  readonly seconds: number | undefined;
}

/**
 * How many seconds our binding lasts by a 2xx to REGISTER: as the Contact says that we sent, else Expires; undefined when neither
 * does. The answer lists bindings of others too (RFC 3261 §10.2.4): phones with the same account, earlier processes. A registrar
 * that writes the address that it sees in place of ours leaves us to guess; a guess that is too short only costs a refresh.
 */
export function grantedExpiry(headers: HeaderView, asked: AskedBinding): number | undefined {
  const own = bindingsIn([asked.contact ?? ''])[0]?.uri;
  const user = own?.user ?? asked.user;
  const ofUser = bindingsIn(headers.getAll('Contact')).filter(({ uri }) => uri.user === user);
  const usual = secondsIn(headers.get('Expires'));
  const ours = own === undefined ? undefined : ofUser.find(({ uri }) => isSameAddress(uri, own));
  if (ours !== undefined) return ours.seconds ?? usual;
  const possible = ofUser.flatMap(({ seconds = 0 }) => (seconds > 0 ? seconds : []));
  if (possible.includes(asked.seconds)) return asked.seconds;
  return possible.length > 0 ? Math.min(...possible) : usual;
}

/** Leading digits: Retry-After may be followed by a comment (RFC 3261 §20.33). */
export function secondsIn(text: string | undefined): number | undefined {
  const [, digits] = /^\s*([0-9]{1,10})/.exec(text ?? '') ?? [];
  return digits === undefined ? undefined : Number(digits);
}

function bindingsIn(contacts: readonly string[]): readonly Binding[] {
  return (parseNameAddrList(contacts) ?? []).flatMap(({ uri, params }: NameAddr) =>
    uri.scheme === 'sip' || uri.scheme === 'sips'
      ? { uri, seconds: secondsIn(params.get('expires') ?? undefined) }
      : [],
  );
}

/** The parts of RFC 3261 §19.1.4 that tell our Contact from others; registrars add parameters of their own. */
function isSameAddress(one: SipUri, other: SipUri): boolean {
  return addressOf(one) === addressOf(other);
}

function addressOf({ scheme, host, port, params }: SipUri): string {
  const transport = (params.get('transport') ?? (scheme === 'sips' ? 'tls' : 'udp')).toLowerCase();
  return `${transport} ${host.toLowerCase()} ${port ?? (transport === 'tls' ? 5061 : 5060)}`;
}
