import type { HeaderView, IncomingCall, Party } from '../../sip/leg.js';
import type { CallSource } from './ports.js';
import type { Dialled } from './route.js';

/** Who calls, as the callee may be told. */
export interface CallerIdentity {
  /** User part as it is to be written in a URI. */
  readonly user: string;
  readonly displayName: string | undefined;
  /** The number that is shown to trunks instead of `user`. */
  readonly callerId: string | undefined;
  /** Other numbers that may be shown instead. */
  readonly callerIds?: readonly string[] | undefined;
  /** The calling endpoint; it is not rung itself. */
  readonly endpointId: string | undefined;
  /** The number that the caller asks to be shown with. */
  readonly claimed?: string | undefined;
  /** What the caller's Privacy header asks for, lower-case (RFC 3323 §4.2); empty: nothing. */
  readonly privacy?: readonly string[] | undefined;
}

/** What a signed-in user may show. */
export type UserIdentity = Pick<CallerIdentity, 'user' | 'displayName' | 'callerId' | 'callerIds'>;

/** How identities are read and whom is believed. */
export interface IdentityOptions {
  /** Reads a URI; undefined when it has no user part. */
  readDialled(uri: string): Dialled | undefined;
  /** Reads the values of a header that names parties; those that cannot be read are left out. */
  readParties(values: readonly string[]): readonly Party[];
  readonly users: {
    /** What the user of this address-of-record may show. */
    identityOf(aor: string): UserIdentity;
  };
  readonly trunks: BelievedTrunks;
}

/** What is believed of trunks. */
export interface BelievedTrunks {
  /** True when P-Asserted-Identity of the trunk is believed (RFC 3325 §5: it is in our trust domain). */
  trustsIdentity(trunk: string): boolean;
  /** A number of the trunk as routes and users see it. */
  received(trunk: string, number: string): string;
}

/** RFC 3323 §4.1.1.3: who hides behind this host wants to be hidden. */
const anonymousHost = 'anonymous.invalid';

/**
 * Who calls. A browser is who it signed in as, whatever it writes; P-Preferred-Identity is only a wish (RFC 3325 §9.2). A trunk
 * is believed in what From says of its caller, and before that in P-Asserted-Identity when it is trusted.
 */
export function identify(
  { from, headers }: Pick<IncomingCall, 'from' | 'headers'>,
  source: CallSource,
  options: IdentityOptions,
): CallerIdentity {
  const privacy = privacyOf(headers, options.readDialled(from.uri));
  if (source.side === 'browser') {
    const own = options.users.identityOf(source.aor);
    return { ...own, endpointId: source.endpointId, claimed: claimIn(headers, options), privacy };
  }
  const trusted = options.trunks.trustsIdentity(source.trunk);
  const [asserted] = trusted ? options.readParties(headers.getAll('P-Asserted-Identity')) : [];
  const shown = asserted ?? from;
  const read = options.readDialled(shown.uri);
  const user = read === undefined ? 'anonymous' : options.trunks.received(source.trunk, read.escapedUser);
  return {
    user,
    displayName: shown.displayName ?? from.displayName,
    callerId: undefined,
    endpointId: undefined,
    privacy,
  };
}

/** The user part that a browser would like to be shown with. */
function claimIn(headers: HeaderView, options: IdentityOptions): string | undefined {
  const [wish] = options.readParties(headers.getAll('P-Preferred-Identity'));
  return wish === undefined ? undefined : options.readDialled(wish.uri)?.escapedUser;
}

function privacyOf(headers: HeaderView, from: Dialled | undefined): readonly string[] {
  const asked = headers
    .getAll('Privacy')
    .flatMap((value) => value.toLowerCase().split(/[;,]/))
    .map((value) => value.trim())
    .filter((value) => value !== '');
  if (asked.length > 0) return asked;
  return from?.host === anonymousHost ? ['user'] : [];
}
