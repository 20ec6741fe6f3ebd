import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { AudioCall } from '../../support/audio-call.js';
import { freePort } from '../../support/free-port.js';
import { idle } from '../../support/idle.js';
import { audioPort, until } from '../../support/media-session.js';
import { sdp } from '../../support/sip-peer.js';
import { isUdpPortFree, udpPortFreed } from '../../support/udp-ports.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';

/** Ports for so many pairs, elsewhere each time. */
const ports = (pairs: number): { min: number; max: number } => {
  const min = randomInt(8_250, 9_500) * 2;
  return { min, max: min + 2 * pairs - 1 };
};

describe("the relay's ports, through the whole gateway", () => {
  let call: AudioCall;
  const peers: WebrtcPeer[] = [];

  afterEach(async () => {
    for (const peer of peers.splice(0)) peer.close();
    await call.close();
  });

  const aliceDials = async (): Promise<{ status: number; reason: string }> => {
    const peer = new WebrtcPeer();
    peers.push(peer);
    const headers = ['To: <sip:601@localhost>', 'Content-Type: application/sdp'];
    const body = await peer.offer();
    return call.alice.transact(call.alice.request('INVITE', 'sip:601@localhost', { headers, body }));
  };

  it('are open during a call, and closed after it', async () => {
    call = await AudioCall.open({ mediaProcesses: 1, mediaPorts: ports(20) });
    await call.talk();
    const [phone, browser] = [
      audioPort(call.invite.body.toString()),
      audioPort(call.answered.body.toString()),
    ];
    for (const port of [phone, phone + 1, browser]) assert.equal(await isUdpPortFree(port), false);
    await call.hangUp();
    await idle(call.gateway, ['calls', 'media_sessions']);
    for (const port of [phone, phone + 1, browser]) await udpPortFreed(port);
  });

  it('are all in use: 503 to the browser and to the PBX, and nothing is left', async () => {
    const mediaPorts = ports(2);
    call = await AudioCall.open({ mediaProcesses: 1, mediaPorts });
    const refused = await aliceDials();
    assert.deepEqual([refused.status, refused.reason], [503, 'Service Unavailable']);

    call.pbxInvites('alice', sdp(call.phone.port));
    await call.pbx.status(503, 'INVITE');

    await until(() => call.gateway.app.inspect()['calls'] === 1);
    const codes = call.gateway.lines.filter(({ event }) => event === 'call.ended').map(({ code }) => code);
    assert.deepEqual(codes, ['media.no_ports', 'media.no_ports']);
    await call.talk();
    await call.hangUp();
    await idle(call.gateway, ['calls', 'media_sessions']);
    for (let port = mediaPorts.min; port <= mediaPorts.max; port++) await udpPortFreed(port);
  });

  it('need two for a call when all browsers have one port, which the next call has too', async () => {
    const mediaBrowserPort = await freePort();
    call = await AudioCall.open({ mediaProcesses: 1, mediaPorts: ports(1), mediaBrowserPort });
    assert.equal(audioPort(call.answered.body.toString()), mediaBrowserPort);
    await call.talk();
    assert.equal((await aliceDials()).status, 503);
    await call.hangUp();
    await idle(call.gateway, ['calls', 'media_sessions']);
    assert.equal(await isUdpPortFree(mediaBrowserPort), false);
  });
});
