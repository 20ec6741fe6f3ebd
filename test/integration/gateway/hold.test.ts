import assert from 'node:assert/strict';
import { attribute, originVersion } from '../../support/media-session.js';
import { mediaLines } from '../../support/sdp-ends.js';
import {
  browserAnswer,
  browserOffer,
  directed,
  directionOf,
  pbx,
  SdpRig,
  warning,
} from '../../support/sdp-rig.js';
import { answer, nextRequest } from '../../support/ws-call.js';

describe('hold through the whole gateway with the relay', () => {
  let rig: SdpRig;

  beforeEach(async () => {
    rig = await SdpRig.open();
  });

  afterEach(() => rig.close());

  for (const [what, offer, told, answered, replied] of [
    ['sendonly', pbx(['a=sendonly']), 'sendonly', 'recvonly', 'recvonly'],
    ['inactive', pbx(['a=inactive']), 'inactive', 'inactive', 'inactive'],
    ['c=0.0.0.0', pbx(['a=sendrecv'], '0.0.0.0'), 'sendonly', 'recvonly', 'recvonly'],
    ['c=0.0.0.0 and inactive', pbx(['a=inactive'], '0.0.0.0'), 'inactive', 'inactive', 'inactive'],
  ] as const) {
    it(`of the PBX by ${what}, and back`, async () => {
      const call = await rig.connect();
      for (const [cseq, sdp, expected, reply, final] of [
        [1, offer, told, answered, replied],
        [2, pbx(), 'sendrecv', 'sendrecv', 'sendrecv'],
      ] as const) {
        const since = rig.alice.received.length;
        rig.fromOffice(call.invite, 'INVITE', cseq, sdp);
        const seen = await nextRequest(rig.alice, 'INVITE', since);
        assert.equal(directionOf(seen.body.toString()), expected);
        answer(rig.alice, seen, 200, { sdp: directed(browserAnswer, reply) });
        await nextRequest(rig.alice, 'ACK', since);
        const ok = await rig.office.status(200, 'INVITE');
        assert.equal(directionOf(ok.body.toString()), final);
        rig.fromOffice(call.invite, 'ACK', cseq);
      }
      await rig.hangUp(call);
    });
  }

  it('of the browser, and back: the same port, the version one higher each time', async () => {
    const call = await rig.connect();
    const before = call.invite.body.toString();
    const held = await rig.reinvite(call, directed(browserOffer, 'sendonly'), pbx(['a=recvonly']));
    assert.equal(directionOf(held.told), 'sendonly');
    assert.equal(directionOf(held.answered.body.toString()), 'recvonly');
    const resumed = await rig.reinvite(call, browserOffer, pbx());
    assert.equal(directionOf(resumed.answered.body.toString()), 'sendrecv');
    assert.deepEqual(
      [before, held.told, resumed.told].map((sdp) => originVersion(sdp) - originVersion(before)),
      [0, 1, 2],
    );
    const end = attribute(call.answered.body.toString(), 'fingerprint');
    assert.equal(attribute(resumed.answered.body.toString(), 'fingerprint'), end);
    assert.equal(mediaLines(resumed.told)[0]?.split(' ')[1], mediaLines(before)[0]?.split(' ')[1]);
    await rig.hangUp(call);
  });

  it('of the PBX that takes it back while the browser is asked is taken back there, too', async () => {
    const call = await rig.connect();
    let since = rig.alice.received.length;
    const cancel = rig.fromOffice(call.invite, 'INVITE', 1, pbx(['a=sendonly']));
    const hold = await nextRequest(rig.alice, 'INVITE', since);
    cancel();
    await rig.office.status(487, 'INVITE');
    answer(rig.alice, hold, 200, { sdp: directed(browserAnswer, 'recvonly') });
    await nextRequest(rig.alice, 'ACK', since);
    since = rig.alice.received.indexOf(
      await rig.alice.next((text) => text.startsWith('INVITE ') && text.includes('a=sendrecv'), since),
    );
    answer(rig.alice, await nextRequest(rig.alice, 'INVITE', since), 200, { sdp: browserAnswer });
    await nextRequest(rig.alice, 'ACK', since);
    const again = await rig.reinvite(call, directed(browserOffer, 'sendonly'), pbx(['a=recvonly']));
    assert.equal(again.answered.status, 200);
    await rig.hangUp(call);
  });

  it('that the PBX answers without audio is refused, and the PBX gets the old offer again', async () => {
    const call = await rig.connect();
    const hold = directed(browserOffer, 'sendonly');
    const none = pbx().replace(/^m=audio \d+/m, 'm=audio 0');
    const refused = await rig.reinvite(call, hold, none);
    assert.equal(refused.answered.status, 488);
    const back = await rig.office.request('INVITE');
    assert.equal(directionOf(back.body.toString()), 'sendrecv');
    rig.office.respond(back, 200, 'OK', { body: pbx() });
    await rig.office.request('ACK');
    const again = await rig.reinvite(call, hold, pbx(['a=recvonly']));
    assert.equal(again.answered.status, 200);
    await rig.leave(call);
  });

  it('that the PBX refuses leaves the call as it was', async () => {
    const call = await rig.connect();
    const refused = await rig.reinvite(call, directed(browserOffer, 'sendonly'), '', 488);
    assert.equal(refused.answered.status, 488);
    assert.equal(warning(refused.answered), '304 pbx "no"');
    const again = await rig.reinvite(call, browserOffer, pbx());
    assert.equal(directionOf(again.told), 'sendrecv');
    assert.equal(again.answered.status, 200);
    await rig.leave(call);
  });
});
