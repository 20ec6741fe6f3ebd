import { requestText } from '../support/engine-lab.js';
import { sdp } from '../support/sip-peer.js';

/** Where a seed pretends to come from and goes to. */
export interface SeedParts {
  readonly peer: { readonly port: number; readonly transport: 'UDP' | 'TCP' | 'TLS' };
  /** Port of the engine. */
  readonly port: number;
  /** Makes Call-IDs and branches that never come twice. */
  readonly next: () => number;
}

/** The dialog that requests claim to belong to. */
export interface SeedDialog {
  readonly callId: string;
  readonly toTag: string;
  readonly fromTag: string;
}

/** Header fields that requests of a kind carry. */
const extra: Readonly<Record<string, string[]>> = {
  INVITE: [
    'Supported: 100rel, timer, replaces',
    'Session-Expires: 1800;refresher=uac',
    'Min-SE: 90',
    'Allow: INVITE, ACK, BYE',
  ],
  SUBSCRIBE: ['Event: presence', 'Expires: 1', 'Accept: application/pidf+xml'],
  NOTIFY: ['Event: presence', 'Subscription-State: active;expires=2'],
  REFER: ['Refer-To: <sip:carol@127.0.0.1:9>', 'Referred-By: <sip:alice@127.0.0.1>'],
  PRACK: ['RAck: 1 1 INVITE'],
  REGISTER: [
    'Expires: 60',
    'Authorization: Digest username="a", realm="b", nonce="c", uri="sip:d", response="e"',
  ],
  PUBLISH: ['Event: presence', 'Expires: 60'],
  UPDATE: ['Session-Expires: 1800;refresher=uas', 'Supported: timer'],
  OPTIONS: ['Record-Route: <sip:127.0.0.1:9;lr>', 'Accept: application/sdp'],
};
const withBody = new Set(['INVITE', 'UPDATE', 'INFO', 'MESSAGE', 'PUBLISH']);
const outside = [
  'INVITE',
  'INVITE',
  'OPTIONS',
  'REGISTER',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'INFO',
  'REFER',
  'BYE',
  'ACK',
  'CANCEL',
  'FOO',
];
const inside = [
  'INFO',
  'INVITE',
  'UPDATE',
  'ACK',
  'PRACK',
  'OPTIONS',
  'REFER',
  'NOTIFY',
  'MESSAGE',
  'CANCEL',
  'BYE',
];

function request(method: string, { peer, port, next }: SeedParts, dialog: SeedDialog | undefined): Buffer {
  const number = next();
  return Buffer.from(
    requestText(peer, {
      method,
      port,
      callId: dialog?.callId ?? `fuzz-${number}`,
      cseq: number,
      branch: `z9hG4bKfuzz${number}`,
      headers: extra[method] ?? [],
      body: withBody.has(method) ? sdp(6000) : '',
      ...(dialog === undefined ? {} : { toTag: dialog.toTag, fromTag: dialog.fromTag }),
    }),
  );
}

/** One request of each kind outside dialogs, each a new one. */
export function requestSeeds(parts: SeedParts): Buffer[] {
  return outside.map((method) => request(method, parts, undefined));
}

/** One request of each kind inside the dialog; the one that ends it comes last. */
export function dialogSeeds(parts: SeedParts, dialog: SeedDialog): Buffer[] {
  return inside.map((method) => request(method, parts, dialog));
}

/** Frames of an application, complete with their length. */
export function controlSeeds(
  parts: SeedParts & { readonly dialogId: string; readonly transactionId: string },
): Buffer[] {
  const { peer, dialogId, transactionId } = parts;
  const uri = `sip:peer@127.0.0.1:${peer.port}`;
  const body = sdp(8000);
  const withSdp = `Content-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const ids = (): string => `id${parts.next()}`;
  return [
    `${ids()}|ping`,
    `${ids()}|route|fuzz`,
    `${ids()}|remove_route|register`,
    `${ids()}|proxy|${transactionId}|||||||${uri}\r\nINVITE ${uri} SIP/2.0`,
    `${ids()}|sip||\r\nINVITE ${uri} SIP/2.0\r\nFrom: "A" <sip:a@localhost>\r\nContact: <sip:a@localhost>\r\nAllow: INVITE\r\n${withSdp}`,
    `${ids()}|sip||\r\nOPTIONS ${uri} SIP/2.0\r\nTo: <sip:b@localhost>\r\nMax-Forwards: 3\r\nCall-ID: own-${parts.next()}\r\n\r\n`,
    `${ids()}|sip|||${uri};lr\r\nSUBSCRIBE sip:c@127.0.0.1 SIP/2.0\r\nEvent: dialog\r\nExpires: 1\r\n\r\n`,
    `${ids()}|sip|${transactionId}|\r\nCANCEL ${uri} SIP/2.0\r\nReason: SIP;cause=200\r\n\r\n`,
    `${ids()}|sip||${dialogId}\r\nINFO sip:placeholder SIP/2.0\r\nContent-Type: text/plain\r\n\r\nhello`,
    `${ids()}|sip||${dialogId}\r\nINVITE sip:placeholder SIP/2.0\r\n${withSdp}`,
    `${ids()}|sip||${dialogId}\r\nACK sip:placeholder SIP/2.0\r\n\r\n`,
    `${ids()}|sip||${dialogId}\r\nNOTIFY sip:placeholder SIP/2.0\r\nEvent: refer\r\nSubscription-State: terminated\r\nCSeq: 9 NOTIFY\r\n\r\n`,
    `${ids()}|sip|${transactionId}|\r\nSIP/2.0 183 Session Progress\r\nRequire: 100rel\r\n${withSdp}`,
    `${ids()}|sip|${transactionId}|\r\nSIP/2.0 200 OK\r\nContact: <sip:a@localhost>\r\nTo: <sip:b@c>;tag=5\r\n${withSdp}`,
  ].map((payload) => Buffer.from(`${Buffer.byteLength(payload)}#${payload}`));
}
