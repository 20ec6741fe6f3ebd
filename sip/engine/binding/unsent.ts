import type { SentRequest } from '../wire/sent-request.js';

/** Reason phrase of our own 503, and what there is to say about it (RFC 3326). */
export function unsentReason({ message }: Error): readonly [reason: string, detail?: string] {
  return message === 'DNS Error' ? [message] : ['Service Unavailable', message];
}

/** Where a request was sent to, for the log. */
export function hostPortOf({ channel }: SentRequest): string {
  const { address, port } = channel.remote;
  return `${channel.transport}:${address}:${port}`;
}
