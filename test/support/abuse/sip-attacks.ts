import { newCallId, newTag } from '../../../sip/message/index.js';
import { browserSdp } from '../../bench/messages.js';
import type { WsSipClient } from '../ws-sip-client.js';

const sdpBytes = 1_200;

/** What a browser would offer. */
export const offer = browserSdp(sdpBytes);

/** A request that begins something new: with a Call-ID and a From tag of its own. */
export function freshRequest(
  client: WsSipClient,
  method: string,
  uri: string,
  headers: readonly string[] = [],
  body = '',
): string {
  const given = headers.some((line) => line.startsWith('From:'));
  return client.request(method, uri, {
    headers: [
      ...(given ? [] : [`From: <${client.aor}>;tag=${newTag()}`]),
      `To: <${uri}>`,
      `Call-ID: ${newCallId()}`,
      ...headers,
    ],
    body,
    cseq: 1,
  });
}

/** INVITE with an offer. */
export function invite(client: WsSipClient, uri: string, headers: readonly string[] = []): string {
  return freshRequest(client, 'INVITE', uri, ['Content-Type: application/sdp', ...headers], offer);
}
