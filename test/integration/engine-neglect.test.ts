import assert from 'node:assert/strict';
import { ControlConnection } from '../support/control-connection.js';
import { EngineLab, labSecret } from '../support/engine-lab.js';
import { sdp, type UdpPeer } from '../support/sip-peer.js';

// Found by mutations of answers: what drachtio-srf does not take for an answer, or gives up, stayed for ever.
describe('engine: dialogs that the application neglects', () => {
  let lab: EngineLab;
  let peer: UdpPeer;

  beforeEach(async () => {
    lab = await EngineLab.start();
    peer = await lab.udpPeer();
  });

  afterEach(() => lab.close());

  it('acknowledges and ends a call whose answer the application never acknowledges', async () => {
    const app = await ControlConnection.open(lab.engine.controlPort, labSecret);
    try {
      app.send(
        `sip||\r\nINVITE sip:peer@127.0.0.1:${peer.port};transport=udp SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n${sdp(7000)}`,
      );
      const invite = await peer.request('INVITE');
      peer.respond(invite, 200, 'OK', { body: sdp(9000) });
      const ack = await peer.request('ACK');
      assert.equal(ack.cseq.number, invite.cseq.number);
      const bye = await peer.request('BYE');
      assert.match(bye.headers.get('reason') ?? '', /not acknowledged by the application/);
      peer.respond(bye, 200, 'OK');
      await lab.idle();
    } finally {
      app.close();
    }
  });

  it('forgets a call whose BYE was challenged when the application has no credentials', async () => {
    const app = await lab.app();
    const call = app.createUAC(`sip:bob@127.0.0.1:${peer.port};transport=udp`, { localSdp: sdp(7000) });
    peer.respond(await peer.request('INVITE'), 200, 'OK', { body: sdp(9000) });
    const dialog = await call;
    await peer.request('ACK');
    const ended = dialog.destroy();
    peer.respond(await peer.request('BYE'), 401, 'Unauthorized', {
      headers: ['WWW-Authenticate: Digest realm="r", nonce="n"'],
    });
    await ended;
    assert.equal(lab.engine.sizes()['dialogs'], 1, 'it could come again with credentials');
    await lab.idle();
  });
});
