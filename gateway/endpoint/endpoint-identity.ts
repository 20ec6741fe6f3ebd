import { failure, SipFailure } from '../../sip/failure.js';
import { parseNameAddrList, type NameAddr, type SipRequest } from '../../sip/message/index.js';

/** What tells the user agents of one address-of-record apart. */
export interface EndpointIdentity {
  /** Canonical `sip:user@domain`, authenticated. */
  readonly aor: string;
  /** `+sip.instance` with its angle brackets (RFC 5626 §4.1). */
  readonly instanceId: string | undefined;
  /** `user@host:port` of the contact; stands in for a missing instance-id. */
  readonly contact: string | undefined;
  /** The contact's host is a random `.invalid` name (RFC 7118 §5), so that no two clients share it. */
  readonly contactIsRandom: boolean;
}

/** An instance-id that needs no escaping where it is written back. */
const instanceIdForm = /^<[\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]{1,254}>$/;

/** The instance-id of a contact; undefined without one, a failure when it is not a URN in angle brackets. */
export function instanceIdOf(contact: NameAddr): string | SipFailure | undefined {
  const instanceId = contact.params.get('+sip.instance');
  if (instanceId === undefined) return undefined;
  if (instanceId !== null && instanceIdForm.test(instanceId)) return instanceId;
  return failure('message.malformed', { detail: '+sip.instance is not a URN in angle brackets' });
}

/** Tells by its contact which of the user agents of `aor` a request comes from. */
export function identifyContact(contact: NameAddr | undefined, aor: string): EndpointIdentity | SipFailure {
  const anonymous = { aor, instanceId: undefined, contact: undefined, contactIsRandom: false };
  if (contact === undefined) return anonymous;
  const instanceId = instanceIdOf(contact);
  if (instanceId instanceof SipFailure) return instanceId;
  const { uri } = contact;
  if (uri.scheme !== 'sip' && uri.scheme !== 'sips') return { ...anonymous, instanceId };
  return {
    aor,
    instanceId,
    contact: `${uri.user ?? ''}@${uri.host}:${uri.port ?? ''}`,
    contactIsRandom: uri.host.endsWith('.invalid'),
  };
}

/** As {@link identifyContact}, for the first Contact of any request. */
export function identifyRequest(request: SipRequest, aor: string): EndpointIdentity | SipFailure {
  const value = request.headers.get('contact');
  if (value === undefined) return identifyContact(undefined, aor);
  const contact = parseNameAddrList([value])?.[0];
  if (contact === undefined) return failure('message.malformed', { detail: 'Contact cannot be read' });
  return identifyContact(contact, aor);
}
