import { failure } from '../../sip/failure.js';
import type { CalleeLeg, CalleeListener, Invitation, Party } from '../../sip/leg.js';
import { browserEnd } from '../../sip/media/media-engine.js';
import type { Binding, Location } from '../location/location.js';
import { anonymous, wantsPrivacy } from '../routing/caller-id.js';
import type { UserDirectory } from './call-router.js';
import type { CallerIdentity } from './identity.js';
import type { CalleeTarget } from './ports.js';

/** A configured user, without the password. */
export interface DirectoryUser {
  readonly user: string;
  readonly domain: string;
  readonly displayName: string | undefined;
  readonly callerId: string | undefined;
  /** More numbers that the user may show instead. */
  readonly callerIds?: readonly string[] | undefined;
}

/** The part of the endpoint table that calls need. */
export interface EndpointFinder {
  find(endpointId: string):
    | {
        readonly remote?: string | undefined;
        invite(contactUri: string, invitation: Invitation, listener: CalleeListener): CalleeLeg;
      }
    | undefined;
}

export interface UserDirectoryOptions {
  readonly users: readonly DirectoryUser[];
  /** True also for users that are known by their credentials only (htdigest). */
  hasCredential(user: string, domain: string): boolean;
  readonly location: Pick<Location, 'find'>;
  readonly endpoints: EndpointFinder;
}

const aorOf = (user: string, domain: string): string => `sip:${user}@${domain}`;

/** Finds users and the devices that they have online. */
export function createUserDirectory(options: UserDirectoryOptions): UserDirectory {
  const byAor = new Map(options.users.map((user) => [aorOf(user.user, user.domain), user]));
  return {
    knows: (user, domain) => byAor.has(aorOf(user, domain)) || options.hasCredential(user, domain),
    async targets(user, domain, caller) {
      const aor = aorOf(user, domain);
      const bindings = await options.location.find(aor);
      return bindings
        .filter((binding) => binding.endpointId !== caller.endpointId)
        .map((binding) => targetOf(binding, domain, caller, options.endpoints));
    },
    identityOf(aor) {
      const known = byAor.get(aor);
      const user = aor.slice(aor.indexOf(':') + 1, aor.lastIndexOf('@'));
      return {
        user,
        displayName: known?.displayName,
        callerId: known?.callerId,
        callerIds: known?.callerIds,
      };
    },
  };
}

/** From lies in the callee's own domain, so that calling back leads through webtrunk again. */
function targetOf(
  binding: Binding,
  domain: string,
  caller: CallerIdentity,
  endpoints: EndpointFinder,
): CalleeTarget {
  const from = wantsPrivacy(caller) ? anonymous : shown(caller, domain);
  return {
    side: 'browser',
    label: `${binding.aor} ${binding.endpointId}`,
    remote: endpoints.find(binding.endpointId)?.remote,
    place: { endpointId: binding.endpointId },
    media: browserEnd,
    from,
    to: { uri: binding.aor },
    headers: [],
    invite(invitation, listener) {
      const endpoint = endpoints.find(binding.endpointId);
      if (endpoint === undefined) throw failure('route.user_offline');
      return endpoint.invite(binding.contactUri, invitation, listener);
    },
  };
}

function shown({ user, displayName }: CallerIdentity, domain: string): Party {
  const uri = aorOf(user, domain);
  return displayName === undefined ? { uri } : { uri, displayName };
}
