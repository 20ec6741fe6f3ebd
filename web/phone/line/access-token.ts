/** Tokens of people who sign in elsewhere, handed over in the address of the page: `#access_token=TOKEN`. */

/** Takes the token out of the address, where neither the history nor a copied link should keep it; empty without one. */
export function takeTokenFromAddress(): string {
  const token = new URLSearchParams(window.location.hash.slice(1)).get('access_token') ?? '';
  if (token !== '')
    history.replaceState(history.state, '', window.location.pathname + window.location.search);
  return token;
}

/**
 * The user that the token names by `claim`, for `sip:USER@domain`; empty when it names none. Nothing is checked here: the
 * server does that.
 */
export function userOfToken(token: string, claim: string): string {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const named: unknown =
      typeof claims === 'object' && claims !== null ? Reflect.get(claims, claim) : undefined;
    if (typeof named !== 'string') return '';
    return named.replace(/^sips?:/i, '').replace(/@[^@]*$/, '');
  } catch {
    return '';
  }
}
