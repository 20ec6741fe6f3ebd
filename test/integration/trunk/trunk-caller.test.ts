import assert from 'node:assert/strict';
import { sdp } from '../../support/sip-peer.js';
import { TrunkRig } from '../../support/trunk-rig.js';

describe('trunk caller leg', () => {
  let rig: TrunkRig;
  beforeEach(async () => {
    rig = await TrunkRig.start();
  });
  afterEach(() => rig.close());

  it('carries a call from INVITE to BYE', async () => {
    const { peer } = rig;
    rig.sendInvite('c1');
    const { call, source, leg } = await rig.events.next('call');
    assert.deepEqual(source, { address: '127.0.0.1', port: peer.port, transport: 'udp' });
    assert.deepEqual(call.from, { uri: `sip:bob@127.0.0.1:${peer.port}`, displayName: 'Bob' });
    assert.equal(call.sdp, sdp(6000));
    call.leg.progress(183, 'Session Progress', sdp(8000));
    const ringing = await peer.status(183);
    const toTag = ringing.to.params.get('tag') ?? '';
    const answered = call.leg.answer(sdp(8000));
    const ok = await peer.status(200);
    assert.equal(ok.body.toString(), sdp(8000));
    rig.send('ACK', 'c1', { toTag });
    assert.equal(await answered, undefined);
    rig.send('BYE', 'c1', { cseq: 2, toTag, lines: ['Reason: SIP;cause=200;text="bye"'] });
    await peer.status(200, 'BYE');
    assert.deepEqual(await leg.next('ended'), { cause: 'remote', reason: 'SIP;cause=200;text="bye"' });
    assert.equal(rig.stack.sizes().legs, 0);
  });
});
