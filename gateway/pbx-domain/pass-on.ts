import { failure, toFailure } from '../../sip/failure.js';
import type { HeaderList, HeaderView, InDialogRequest, InDialogResponse } from '../../sip/leg.js';
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
export const headersToBrowser = (headers: HeaderView): HeaderList => picked(headers, toBrowser);

/** The body of a request, undefined when it has none. */
export function contentOf({ contentType, body }: Pick<InDialogRequest, 'contentType' | 'body'>) {
  return contentType === undefined || body === '' ? undefined : { contentType, body };
}

/** Sends to one hop after the other until one answers. Rejects with the last failure, `trunk.unavailable` without hops. */
export async function firstAnswer(
  hops: readonly string[],
  send: (nextHop: string) => Promise<InDialogResponse>,
): Promise<InDialogResponse> {
  let last = failure('trunk.unavailable', { detail: 'the trunk has no host' });
  for (const hop of hops) {
    try {
      return await send(hop);
    } catch (thrown) {
      last = toFailure(thrown);
    }
  }
  throw last;
}
