import type { HeaderList, HeaderView, InDialogRequest, Party } from '../../sip/leg.js';
import { parseUri } from '../../sip/message/index.js';
import { anonymous } from '../routing/caller-id.js';
import { picked } from '../routing/header-rule.js';

/** The answers to challenges: made by the browser for this PBX and shown to nobody else (RFC 3261 §22). */
const credentials: readonly string[] = ['Authorization', 'Proxy-Authorization'];

/** Of a request of the browser to its PBX. */
const toPbx: readonly string[] = [
  ...credentials,
  'Accept',
  'Accept-Language',
  'Allow-Events',
  'Content-Disposition',
  'Content-Language',
  'Date',
  'Event',
  'Expires',
  'In-Reply-To',
  'Priority',
  'Privacy',
  'SIP-If-Match',
  'Subject',
];

/** Of an answer of the PBX to the browser. */
const backToBrowser: readonly string[] = [
  'WWW-Authenticate',
  'Proxy-Authenticate',
  'Authentication-Info',
  'Accept',
  'Allow-Events',
  'Expires',
  'Min-Expires',
  'Reason',
  'Retry-After',
  'SIP-ETag',
  'Warning',
];

/** Of an answer of the browser to the PBX. A challenge of a browser would fish for the PBX's password. */
const answerToPbx: readonly string[] = ['Accept', 'Allow-Events', 'Expires', 'Min-Expires', 'Retry-After'];

/** Of a request of the PBX to the browser. */
const toBrowser: readonly string[] = [
  'Accept',
  'Accept-Language',
  'Allow-Events',
  'Content-Disposition',
  'Content-Language',
  'Date',
  'Event',
  'Expires',
  'In-Reply-To',
  'Priority',
  'Subject',
  'Subscription-State',
];

export const credentialsIn = (headers: HeaderView): HeaderList => picked(headers, credentials);
export const headersToPbx = (headers: HeaderView): HeaderList => picked(headers, toPbx);
export const headersBack = (headers: HeaderView): HeaderList => picked(headers, backToBrowser);
export const headersAnswered = (headers: HeaderView): HeaderList => picked(headers, answerToPbx);
export const headersToBrowser = (headers: HeaderView): HeaderList => picked(headers, toBrowser);

/** Who asks the PBX: the user of this address-of-record, or nobody when that is what the browser says (RFC 3323 §4.1.1.3). */
export function askerOf(from: Party, aor: string): Party {
  const isHidden = hostOf(from.uri) === hostOf(anonymous.uri);
  return isHidden ? anonymous : { uri: aor };
}

/** Host of a SIP URI. */
export function hostOf(uriText: string): string | undefined {
  const uri = parseUri(uriText);
  return uri?.scheme === 'sip' || uri?.scheme === 'sips' ? uri.host : undefined;
}

/** What the PBX is answered for a browser: it has no password to ask for, and its redirections are not followed. */
export function statusToPbx(status: number): number {
  if (status === 401 || status === 407) return 403;
  return statusBack(status);
}

/** A redirection is not followed and not passed on: its contacts are not ours to show. */
export function statusBack(status: number): number {
  return status >= 300 && status < 400 ? 480 : status;
}

/** The body of a request, undefined when it has none. */
export function contentOf({ contentType, body }: Pick<InDialogRequest, 'contentType' | 'body'>) {
  return contentType === undefined || body === '' ? undefined : { contentType, body };
}
