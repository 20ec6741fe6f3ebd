import assert from 'node:assert/strict';
import { passwordOf, startGateway, type Gateway } from '../../support/gateway.js';
import { freePort } from '../../support/free-port.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';
import { acknowledge, inDialog } from '../../support/ws-call.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

const rtp = (sequence: number): Buffer => {
  const packet = Buffer.alloc(172, 0xd5);
  packet.writeUInt8(0x80, 0);
  packet.writeUInt8(0, 1);
  packet.writeUInt16BE(sequence, 2);
  packet.writeUInt32BE(sequence * 160, 4);
  packet.writeUInt32BE(0x1234_5678, 8);
  return packet;
};

describe('a call to the echo number', () => {
  let gateway: Gateway;
  let alice: WsSipClient;
  let peer: WebrtcPeer;

  before(async () => {
    gateway = await startGateway({ echoPort: await freePort() });
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    assert.equal((await alice.register()).status, 200);
    peer = new WebrtcPeer();
  });

  after(async () => {
    peer.close();
    await alice.close();
    await gateway.close();
  });

  it('comes back with the RTP that was sent, over a real trunk hop', async () => {
    const headers = ['To: <sip:600@localhost>', 'Content-Type: application/sdp'];
    const invite = alice.request('INVITE', 'sip:600@localhost', { headers, body: await peer.offer() });
    const answer = await alice.transact(invite);
    assert.equal(answer.status, 200, `${answer.status} ${answer.reason}`);
    acknowledge(alice, answer);
    peer.takeAnswer(answer.body.toString());
    await peer.reached('open');
    peer.send(rtp(1));
    assert.deepEqual((await peer.packet(1)).subarray(12), rtp(1).subarray(12));
    assert.equal((await alice.transact(inDialog(alice, 'BYE', answer))).status, 200);
  });
});
