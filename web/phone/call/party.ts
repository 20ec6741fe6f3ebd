import type { Session } from 'sip.js';
import type { Party } from '../state/call-state.js';

/** What is needed of sip.js's name-addr; its types promise a display name that a header need not have. */
interface NameAddress {
  readonly displayName: string | undefined;
  readonly uri: { readonly user: string | undefined; readonly host: string };
}

function decoded(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}

/** The other party as people read it: a display name with the number below, or the number alone. */
export function partyOf(identity: NameAddress, ownDomain: string): Party {
  const user = decoded(identity.uri.user ?? '');
  const address = identity.uri.host === ownDomain || user === '' ? user : `${user}@${identity.uri.host}`;
  const name = (identity.displayName ?? '').trim();
  if (user === 'anonymous' || (name === '' && address === ''))
    return { name: name || 'Unknown caller', address: '' };
  return name === '' || name === address ? { name: address, address: '' } : { name, address };
}

/** Who the session speaks with: the identity that the server vouches for (RFC 3325) before the one claimed. */
export function sessionParty(session: Session, ownDomain: string): Party {
  return partyOf(session.assertedIdentity ?? session.remoteIdentity, ownDomain);
}
