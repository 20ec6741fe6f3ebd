import assert from 'node:assert/strict';
import { once } from 'node:events';
import { tagOf } from '../../sip/message/index.js';
import { EngineLab, requestText } from '../support/engine-lab.js';
import { sdp, type UdpPeer } from '../support/sip-peer.js';
import type { SrfApp, SrfRequest, SrfResponse } from '../support/srf-app.js';

// Found by mutations: a re-INVITE whose To tag was spoilt made a second dialog of the same id, and the first stayed for
// ever. Who had seen a call could take its id over like that.
describe('engine: the ids of dialogs', () => {
  let lab: EngineLab;
  let app: SrfApp;
  let peer: UdpPeer;

  beforeEach(async () => {
    lab = await EngineLab.start();
    app = await lab.app();
    peer = await lab.udpPeer();
  });

  afterEach(() => lab.close());

  const call = { callId: 'same', fromTag: 'f1' };
  const invite = (cseq: number): void =>
    peer.send(requestText(peer, { ...call, method: 'INVITE', port: lab.udpPort, cseq, body: sdp(6000) }));
  const taken = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

  it('refuses an INVITE whose dialog would have the id of one that is up, and does not harm that', async () => {
    let invites = 0;
    const established = new Promise<Awaited<ReturnType<SrfApp['createUAS']>>>((resolve, reject) => {
      app.invite((request, response) => {
        invites += 1;
        app.createUAS(request, response, { localSdp: sdp(8000) }).then(resolve, reject);
      });
    });
    await taken();
    invite(1);
    const toTag = tagOf((await peer.status(200)).to) ?? '';
    peer.send(requestText(peer, { ...call, method: 'ACK', port: lab.udpPort, cseq: 1, toTag }));
    const dialog = await established;
    await once(dialog, 'ack');
    invite(2);
    await peer.status(482);
    assert.equal(invites, 1);
    const ended = dialog.destroy();
    const bye = await peer.request('BYE');
    assert.equal(tagOf(bye.from), toTag);
    peer.respond(bye, 200, 'OK');
    await ended;
    await lab.idle();
  });

  it('gives the id to the INVITE that is answered first', async () => {
    const both: [SrfRequest, SrfResponse][] = [];
    const two = new Promise<void>((resolve) => {
      app.invite((request, response) => {
        request.on('cancel', () => undefined);
        if (both.push([request, response]) === 2) resolve();
      });
    });
    await taken();
    invite(1);
    invite(2);
    await two;
    const [first, second] = both;
    first?.[1].send(180);
    await peer.status(180);
    second?.[1].send(200, { body: sdp(8000) });
    const refused = await peer.status(482);
    assert.equal(refused.cseq.number, 2);
    first?.[1].send(486);
    await peer.status(486);
    await lab.idle();
  });
});
