import assert from 'node:assert/strict';
import {
  parseMessage,
  respond,
  serializeText,
  tagOf,
  type SipRequest,
  type SipResponse,
} from '../../sip/message/index.js';
import { sdp } from './sip-peer.js';
import type { WsSipClient } from './ws-sip-client.js';

/** The next request of that method that the client receives, from message `since` on. */
export async function nextRequest(client: WsSipClient, method: string, since = 0): Promise<SipRequest> {
  const text = await client.next((message) => message.startsWith(`${method} `), since);
  const request = parseMessage(Buffer.from(text), { framing: 'websocket' });
  if (request.kind !== 'request') throw new Error(`not a request: ${text}`);
  return request;
}

/** Answers a request as the user agent of `client` would. */
export function answer(
  client: WsSipClient,
  request: SipRequest,
  status: number,
  content: { readonly sdp?: string; readonly headers?: readonly (readonly [string, string])[] } = {},
): void {
  const own: readonly (readonly [string, string])[] = [
    ['Contact', client.contact],
    ...(content.headers ?? []),
  ];
  const response = respond(request, status, {
    headers: own,
    ...(content.sdp === undefined ? {} : { body: content.sdp, contentType: 'application/sdp' }),
  });
  client.send(serializeText(response));
}

/** Text of a request inside the dialog that our INVITE made, from what answered it. */
export function inDialog(
  client: WsSipClient,
  method: string,
  answered: SipResponse,
  options: { readonly cseq?: number; readonly sdp?: string; readonly headers?: readonly string[] } = {},
): string {
  const target = /<([^>]+)>/.exec(answered.headers.get('contact') ?? '')?.[1] ?? '';
  const to = /<([^>]+)>/.exec(answered.headers.get('to') ?? '')?.[1] ?? '';
  const content = options.sdp === undefined ? [] : ['Content-Type: application/sdp'];
  return client.request(method, target, {
    headers: [`To: <${to}>;tag=${tagOf(answered.to) ?? ''}`, ...content, ...(options.headers ?? [])],
    body: options.sdp ?? '',
    ...(options.cseq === undefined ? {} : { cseq: options.cseq }),
  });
}

/** Text of a request inside the dialog that the INVITE that we received made. */
export function inCalledDialog(
  client: WsSipClient,
  method: string,
  invite: SipRequest,
  localTag: string,
  options: { readonly cseq?: number; readonly sdp?: string } = {},
): string {
  const target = /<([^>]+)>/.exec(invite.headers.get('contact') ?? '')?.[1] ?? '';
  const content = options.sdp === undefined ? [] : ['Content-Type: application/sdp'];
  return client.request(method, target, {
    headers: [
      `From: ${invite.headers.get('to') ?? ''};tag=${localTag}`,
      `To: ${invite.headers.get('from') ?? ''}`,
      `Call-ID: ${invite.callId}`,
      ...content,
    ],
    body: options.sdp ?? '',
    ...(options.cseq === undefined ? {} : { cseq: options.cseq }),
  });
}

/** Calls a number; a call that is answered is acknowledged and stays up. Gives the final answer. */
export async function dial(client: WsSipClient, number: string): Promise<SipResponse> {
  const headers = [`To: <sip:${number}@localhost>`, 'Content-Type: application/sdp'];
  const invite = client.request('INVITE', `sip:${number}@localhost`, { headers, body: sdp(7000) });
  const answered = await client.transact(invite);
  if (answered.status === 200) acknowledge(client, answered);
  return answered;
}

/** Ends a call that {@link dial} has begun. */
export async function hangUp(client: WsSipClient, answered: SipResponse): Promise<void> {
  assert.equal((await client.transact(inDialog(client, 'BYE', answered))).status, 200);
}

/** Acknowledges a 2xx. */
export function acknowledge(client: WsSipClient, answered: SipResponse, sdp?: string): void {
  const content = sdp === undefined ? {} : { sdp };
  client.send(inDialog(client, 'ACK', answered, { cseq: answered.cseq.number, ...content }));
}
