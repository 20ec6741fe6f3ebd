import { escapedUser } from '../routing/number-rule.js';
import type { Dialled } from './route.js';

/** A parsed URI, as far as routing needs it. */
type ReadUri =
  | { readonly scheme: 'sip' | 'sips'; readonly user: string | undefined; readonly host: string }
  | { readonly scheme: 'tel'; readonly number: string }
  | { readonly scheme: 'other' };

/** What a Request-URI dials; undefined when it names nobody (RFC 3261 §19.1.1, RFC 3966 §5.1.1). */
export function dialledOf(uri: ReadUri | undefined): Dialled | undefined {
  if (uri === undefined || uri.scheme === 'other') return undefined;
  if (uri.scheme === 'tel') {
    const number = uri.number.replace(/[-.()]/g, '');
    return { user: number, escapedUser: number, host: undefined };
  }
  if (uri.user === undefined) return undefined;
  const user = unescaped(uri.user);
  return user === undefined ? undefined : { user, escapedUser: uri.user, host: uri.host };
}

/** The same with another number (RFC 3261 §25.1 `user`). */
export function redialled(dialled: Dialled, user: string): Dialled {
  if (user === dialled.user) return dialled;
  return { ...dialled, user, escapedUser: escapedUser(user) };
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
