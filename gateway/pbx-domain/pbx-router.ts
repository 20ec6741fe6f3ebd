import { failure, toFailure, type SipFailure } from '../../sip/failure.js';
import type { Party } from '../../sip/leg.js';
import { browserEnd } from '../../sip/media/media-engine.js';
import { parseNameAddrList, parseUri, serializeUri, splitCommaList } from '../../sip/message/index.js';
import { dialledOf } from '../call/dialled.js';
import type { CallRouter } from '../call/call-router.js';
import { identify, type CallerIdentity } from '../call/identity.js';
import type { CallSource, CalleeTarget, RoutableCall, RoutePlan } from '../call/ports.js';
import type { EndpointFinder } from '../call/user-directory.js';
import { anonymous, wantsPrivacy } from '../routing/caller-id.js';
import { offeredHeaders } from '../routing/header-rule.js';
import type { TrunkTable } from '../trunk/trunk-table.js';
import { askerOf, credentialsIn, hostOf } from './pass-on.js';
import { PbxContacts, type PbxContact } from './pbx-contacts.js';

export interface PbxRouterOptions {
  readonly trunks: TrunkTable;
  readonly contacts: PbxContacts;
  readonly endpoints: EndpointFinder;
  /** The trunk of a domain whose PBX knows the passwords. */
  trunkOf(domain: string): string | undefined;
}

/** Name of the route in log and CDR. */
const routeName = 'pbx domain';

/** A call that the PBX decides about, or has decided. */
interface PbxCall {
  readonly caller: CallerIdentity;
  /** Whom the call is for: a URI of the domain. */
  readonly called: string;
  readonly domain: string;
  readonly note: string;
  /** Throws a SipFailure when it can go nowhere. */
  plan(): RoutePlan;
}

/**
 * Calls between the users of a PBX and their PBX go past the routes, but for emergencies: the PBX decides. All other calls are
 * `inner`'s.
 */
export function createPbxRouter(inner: CallRouter, options: PbxRouterOptions): CallRouter {
  const read = (incoming: RoutableCall, source: CallSource): PbxCall | undefined =>
    source.side === 'trunk'
      ? fromPbx(incoming, source, options)
      : fromBrowser(incoming, source, options, () => inner.isEmergency(incoming, source));
  return {
    isEmergency: (incoming, source) => inner.isEmergency(incoming, source),
    async plan(incoming, source) {
      return read(incoming, source)?.plan() ?? inner.plan(incoming, source);
    },
    async explain(incoming, source, atMs) {
      const call = read(incoming, source);
      const dialled = call === undefined ? undefined : dialledOf(parseUri(call.called));
      if (call === undefined || dialled === undefined) return inner.explain(incoming, source, atMs);
      const { caller, domain, note } = call;
      const question = { dialled, source, caller: caller.user, domain, atMs };
      return { question, caller, steps: [], notes: [note], plan: planned(call) };
    },
  };
}

function planned(call: PbxCall): RoutePlan | SipFailure {
  try {
    return call.plan();
  } catch (thrown) {
    return toFailure(thrown);
  }
}

/** Undefined: the caller is in no such domain, or the call is not for the PBX. Throws `auth.unregistered`. */
function fromBrowser(
  incoming: RoutableCall,
  { aor, endpointId }: CallSource & { readonly side: 'browser' },
  options: PbxRouterOptions,
  isEmergency: () => boolean,
): PbxCall | undefined {
  const domain = domainOf(aor);
  const trunk = options.trunkOf(domain);
  if (trunk === undefined) return undefined;
  if (options.contacts.ofEndpoint(endpointId) === undefined) throw failure('auth.unregistered');
  if (hostOf(incoming.requestUri) !== domain || isEmergency()) return undefined;
  const user = aor.slice(aor.indexOf(':') + 1, aor.lastIndexOf('@'));
  return {
    caller: { user, displayName: undefined, callerId: undefined, endpointId },
    called: incoming.requestUri,
    domain,
    note:
      `${domain} is a domain with auth: pbx: its PBX (trunk ${trunk}) decides, the routes are asked for emergencies only; ` +
      'the INVITE is sent once more with the credentials of the browser when the PBX challenges it',
    plan: () => toPbx(trunk, incoming, aor, options),
  };
}

/** Undefined: the call is not for a browser that is registered at that PBX. */
function fromPbx(
  incoming: RoutableCall,
  source: CallSource & { readonly side: 'trunk' },
  options: PbxRouterOptions,
): PbxCall | undefined {
  const called = contactsFor(incoming, options.contacts).filter(({ trunk }) => trunk === source.trunk);
  const [first] = called;
  if (first === undefined) return undefined;
  const caller = identify(incoming, source, {
    readDialled: (uri) => dialledOf(parseUri(uri)),
    readParties: partiesIn,
    users: { identityOf: () => ({ user: '', displayName: undefined, callerId: undefined }) },
    trunks: options.trunks,
  });
  return {
    caller,
    called: first.aor,
    domain: domainOf(first.aor),
    note: `the Request-URI is the Contact of ${first.aor} at trunk ${source.trunk}: no route is asked`,
    plan: () => toBrowsers(first, called, caller, incoming, options),
  };
}

/** What the PBX has sent to a browser, as far as it says to which. */
export type AddressedRequest = Pick<RoutableCall, 'requestUri' | 'headers'>;

/**
 * By what the PBX knows the browser that it addresses, or has known it: the user of the Route that it has had as Path (RFC 3327
 * §5), else of the Request-URI.
 */
export function tokenIn({ requestUri, headers }: AddressedRequest): string | undefined {
  const [route] = parseNameAddrList(headers.getAll('Route')) ?? [];
  const users = [route?.uri, parseUri(requestUri)].map((uri) =>
    uri?.scheme === 'sip' || uri?.scheme === 'sips' ? uri.user : undefined,
  );
  return users.find((user) => user !== undefined && PbxContacts.isToken(user));
}

/**
 * Whom an INVITE of the PBX is to ring: the browser that it addresses. A PBX that is a proxy sends one to each of a
 * user's browsers, all with one Call-ID, of which only the first can be here (RFC 3261 §8.2.2.2): that one rings them all.
 */
export function contactsFor(request: AddressedRequest, contacts: PbxContacts): readonly PbxContact[] {
  const token = tokenIn(request);
  if (token === undefined) return [];
  const isOfProxy = request.headers.getAll('Via').flatMap(splitCommaList).length > 1;
  if (isOfProxy) return contacts.alike(token);
  const contact = contacts.find(token);
  return contact === undefined ? [] : [contact];
}

/** The INVITE as the browser has written it where its digest is about it: method and Request-URI (RFC 3261 §22.4). */
function toPbx(
  trunk: string,
  { requestUri, from, headers }: RoutableCall,
  aor: string,
  { trunks }: PbxRouterOptions,
): RoutePlan {
  const dialled = dialledOf(parseUri(requestUri));
  if (dialled === undefined) {
    throw failure('route.no_match', { detail: 'the dialled URI has no user part' });
  }
  const user = aor.slice(aor.indexOf(':') + 1, aor.lastIndexOf('@'));
  const asker = askerOf(from, aor);
  const isHidden = asker === anonymous;
  const unchanged = {
    aor,
    requestUri,
    from: asker,
    to: { uri: requestUri },
    headers: [...credentialsIn(headers), ...(isHidden ? [['Privacy', 'id'] as const] : [])],
  };
  const caller = { user, displayName: undefined, callerId: undefined, endpointId: undefined };
  const offered = offeredHeaders(headers, 'browser');
  const targets = trunks.targets(trunk, dialled, caller, { unchanged, offered });
  return { route: routeName, stages: targets.map((target) => [target]) };
}

function toBrowsers(
  contact: PbxContact,
  called: readonly PbxContact[],
  caller: CallerIdentity,
  incoming: RoutableCall,
  { trunks, endpoints }: PbxRouterOptions,
): RoutePlan {
  const { user, displayName } = caller;
  const uri = `sip:${user}@${domainOf(contact.aor)}`;
  const shown = displayName === undefined ? { uri } : { uri, displayName };
  const headers = offeredHeaders(incoming.headers, 'trunk', trunks.headersOf(contact.trunk)).forBrowser();
  const targets = called.map(({ aor, endpointId, contactUri }): CalleeTarget => ({
    side: 'browser',
    label: `${aor} ${endpointId}`,
    remote: endpoints.find(endpointId)?.remote,
    place: { endpointId },
    media: browserEnd,
    from: wantsPrivacy(caller) ? anonymous : shown,
    to: { uri: aor },
    headers,
    invite(invitation, listener) {
      const endpoint = endpoints.find(endpointId);
      if (endpoint === undefined) throw failure('route.user_offline');
      return endpoint.invite(contactUri, invitation, listener);
    },
  }));
  return { route: routeName, stages: [targets] };
}

function partiesIn(values: readonly string[]): readonly Party[] {
  return (parseNameAddrList(values) ?? []).map(({ uri, displayName }) =>
    displayName === undefined ? { uri: serializeUri(uri) } : { uri: serializeUri(uri), displayName },
  );
}

const domainOf = (aor: string): string => aor.slice(aor.lastIndexOf('@') + 1);
