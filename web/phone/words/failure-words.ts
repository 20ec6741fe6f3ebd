/** A title in plain words and, as small print, what the server said. */
export interface Words {
  readonly title: string;
  readonly detail: string;
}

const byStatus: Readonly<Record<number, string>> = {
  400: 'The call could not be set up',
  401: 'Not allowed',
  402: 'Not allowed',
  403: 'Not allowed',
  404: 'No such number',
  407: 'Not allowed',
  408: 'No answer',
  410: 'This number is no longer in use',
  414: 'The number is too long',
  415: 'No shared way to speak',
  416: 'This kind of address cannot be called',
  480: 'Not reachable right now',
  481: 'The call was lost',
  482: 'The call goes round in circles',
  483: 'The call goes round in circles',
  484: 'The number is incomplete',
  485: 'The number is not unique',
  486: 'Busy',
  487: 'Cancelled',
  488: 'No shared way to speak',
  500: 'The server had a problem',
  501: 'The server cannot do that',
  502: 'The other network had a problem',
  503: 'The service is not available right now',
  504: 'The other network did not answer',
  513: 'The call could not be set up',
  600: 'Busy',
  603: 'Declined',
  604: 'No such number',
  606: 'No shared way to speak',
  607: 'Declined as unwanted',
  608: 'Blocked on the way',
};

const byClass: Readonly<Record<number, string>> = {
  3: 'This number has moved',
  4: 'The call could not be set up',
  5: 'The server had a problem',
  6: 'Nobody can take the call',
};

/** Why a call failed (RFC 3261 §21), with the server's own words as small print. */
export function failureWords(status: number, reason: string): Words {
  const title = byStatus[status] ?? byClass[Math.floor(status / 100)] ?? 'The call could not be set up';
  return { title, detail: `${status} ${reason}`.trim() };
}

const signInByStatus: Readonly<Record<number, string>> = {
  401: 'Wrong user name or password',
  403: 'Wrong user name or password',
  407: 'Wrong user name or password',
  404: 'This server does not know the domain or the user',
};

/**
 * The user has as many devices as one may have, by the reason phrase of the refusal: webtrunk's (`limit.bindings`) or that
 * of a PBX. The status is no help: it is the 403 of a wrong password, with some the 503 of overload.
 */
export function tooManyDevices(reason: string): boolean {
  return /\b(?:too many|max).*(?:binding|contact|device|registration)/i.test(reason);
}

/** Why the registrar refused to sign the user in, or undefined when trying again later may help. */
export function signInRefusal(status: number, reason: string): Words | undefined {
  if (tooManyDevices(reason)) return undefined;
  const title = signInByStatus[status];
  return title === undefined ? undefined : { title, detail: `${status} ${reason}`.trim() };
}

/** The same for people who have signed in elsewhere and brought a token. */
export function tokenRefusal(status: number, reason: string): Words | undefined {
  if (tooManyDevices(reason)) return undefined;
  const detail = `${status} ${reason}`.trim();
  if (status === 401) return { title: 'Your sign-in has ended. Please sign in again', detail };
  if (status === 403) return { title: 'You may not use this phone', detail };
  return signInRefusal(status, reason);
}

/** What a failed `getUserMedia` means to the person in front of the page. */
export function microphoneWords(error: unknown): Words {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError') {
    return {
      title: 'The microphone is blocked',
      detail: 'Allow it for this page beside the address bar, then call again.',
    };
  }
  if (name === 'NotFoundError' || name === 'OverconstrainedError') {
    return { title: 'No microphone found', detail: 'Plug one in or choose another one.' };
  }
  if (name === 'NotReadableError') {
    return { title: 'The microphone cannot be used', detail: 'Another program may hold it.' };
  }
  return { title: 'The call could not be set up', detail: error instanceof Error ? error.message : '' };
}

/** The cause and text of a Reason header field (RFC 3326 §2), or undefined when it names no SIP cause. */
export function readReason(header: string | undefined): { cause: number; text: string } | undefined {
  if (header === undefined || !/^\s*SIP\s*;/i.test(header)) return undefined;
  const cause = /;\s*cause\s*=\s*(\d{3})/i.exec(header)?.[1];
  if (cause === undefined) return undefined;
  return { cause: Number(cause), text: /;\s*text\s*=\s*"([^"]*)"/i.exec(header)?.[1] ?? '' };
}
