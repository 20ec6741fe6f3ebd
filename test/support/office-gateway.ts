import assert from 'node:assert/strict';
import { newBranch, newCallId, type SipResponse } from '../../sip/message/index.js';
import type { EngineUnderTest } from './engine-under-test.js';
import { passwordOf } from './gateway.js';
import { sdp, type SipPeer, type UdpPeer } from './sip-peer.js';
import { requestBytes } from './sip-text.js';
import { acknowledge, answer, nextRequest } from './ws-call.js';
import { WsSipClient } from './ws-sip-client.js';

/** Configuration of a webtrunk with the user alice, a PBX for all numbers, and its SIP engine beside it. */
export function officeConfiguration({ host, controlPort, secret }: EngineUnderTest, pbxPort: number): string {
  return `listen:
  http: { address: 127.0.0.1, port: 0 }
  admin: { address: 127.0.0.1, port: 0 }
domains: [{ name: localhost, users: [{ name: alice, password: ${passwordOf('alice')} }] }]
sip: { engine: drachtio, drachtio: { host: ${host}, port: ${controlPort}, secret: "${secret}" } }
media: { engine: passthrough }
trunks: [{ name: office, type: ip, hosts: [{ uri: "sip:127.0.0.1:${pbxPort};transport=udp" }] }]
routes:
  - { name: staff, match: "^alice$", to: users }
  - { name: office, match: "^[0-9]+$", to: { trunks: [office] } }
cdr: { file: cdr.ndjson }
`;
}

/** Alice, registered at the gateway with these pages. */
export async function signInAlice(pagesUrl: string): Promise<WsSipClient> {
  const url = `${pagesUrl.replace('http:', 'ws:')}/ws`;
  const alice = await WsSipClient.connect(url, { user: 'alice', password: passwordOf('alice') });
  assert.equal((await alice.register()).status, 200);
  return alice;
}

/** Alice calls a number; gives what answers her INVITE for good. */
export function dialOffice(alice: WsSipClient, body = sdp(7000)): Promise<SipResponse> {
  const headers = ['To: <sip:600@localhost>', 'Content-Type: application/sdp'];
  return alice.transact(alice.request('INVITE', 'sip:600@localhost', { headers, body }));
}

/** Puts a call of alice's through to the PBX; gives the answer that she had. */
export async function callOffice(alice: WsSipClient, pbx: SipPeer): Promise<SipResponse> {
  const dialled = dialOffice(alice);
  pbx.respond(await pbx.request('INVITE'), 200, 'OK', { body: sdp(6000) });
  const answered = await dialled;
  acknowledge(alice, answered);
  await pbx.request('ACK');
  return answered;
}

/** Sends alice an INVITE from the PBX; gives what sends more requests of that call. */
export function inviteAlice(
  pbx: UdpPeer,
  sipPort: number,
): (method: string, changes: Readonly<Record<string, string>>) => void {
  const callId = newCallId();
  const send = (method: string, changes: Readonly<Record<string, string>>, body = ''): void => {
    const fields = {
      start: `${method} sip:alice@127.0.0.1:${sipPort} SIP/2.0`,
      Via: `SIP/2.0/UDP 127.0.0.1:${pbx.port};branch=${newBranch()}`,
      'Call-ID': callId,
      Contact: `<sip:bob@127.0.0.1:${pbx.port}>`,
    };
    pbx.send(requestBytes(method, { ...fields, ...changes }, body));
  };
  send('INVITE', { 'Content-Type': 'application/sdp' }, sdp(6000));
  return send;
}

/** Puts a call of the PBX's through to alice. */
export async function callAlice(alice: WsSipClient, pbx: UdpPeer, sipPort: number): Promise<void> {
  const send = inviteAlice(pbx, sipPort);
  answer(alice, await nextRequest(alice, 'INVITE'), 200, { sdp: sdp(7000) });
  const ok = await pbx.status(200, 'INVITE');
  send('ACK', { To: ok.headers.get('To') ?? '' });
  await nextRequest(alice, 'ACK');
}
