import assert from 'node:assert/strict';
import { sdp } from '../../support/sip-peer.js';
import { TrunkRig } from '../../support/trunk-rig.js';

describe('trunk callee leg', () => {
  let rig: TrunkRig;
  beforeEach(async () => {
    rig = await TrunkRig.start();
  });
  afterEach(() => rig.close());

  it('carries a call from INVITE to BYE', async () => {
    const { peer } = rig;
    const { leg, log } = rig.invite();
    const invite = await peer.request('INVITE');
    assert.equal(invite.requestUri, `sip:600@127.0.0.1:${peer.port}`);
    peer.respond(invite, 180, 'Ringing');
    assert.equal((await log.next('progress')).status, 180);
    peer.respond(invite, 200, 'OK', { body: sdp(9000) });
    const answer = await log.next('answered');
    assert.equal(answer.sdp, sdp(9000));
    answer.ack();
    await peer.request('ACK');
    leg.hangUp({ headers: [['Reason', 'Q.850;cause=16']] });
    const bye = await peer.request('BYE');
    assert.equal(bye.headers.get('Reason'), 'Q.850;cause=16');
    peer.respond(bye, 200, 'OK');
    assert.deepEqual(await log.next('ended'), { cause: 'local' });
    assert.equal(rig.stack.sizes().legs, 0);
    assert.equal(rig.stack.sizes().dialogs, 0);
  });
});
