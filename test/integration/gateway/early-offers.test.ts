import assert from 'node:assert/strict';
import { codecNames } from '../../support/sdp-ends.js';
import { pbxSdp } from '../../support/sdp-fixtures.js';
import { browserOffer, directed, directionOf, here, pbx, SdpRig, warning } from '../../support/sdp-rig.js';
import { acknowledge, inDialog } from '../../support/ws-call.js';

describe('an offer or answer before the call is answered', () => {
  let rig: SdpRig;

  beforeEach(async () => {
    rig = await SdpRig.open();
  });

  afterEach(() => rig.close());

  it('is answered in the 200 to a PRACK and to an UPDATE; the callee hears of it once it has answered', async () => {
    rig.dial(browserOffer, ['Supported: 100rel']);
    const invite = await rig.office.request('INVITE');
    rig.office.respond(invite, 183, 'Session Progress', { body: pbx() });
    const early = await rig.heard(183, 'INVITE');
    assert.match(early.headers.get('require') ?? '', /100rel/);
    assert.equal(early.headers.get('recv-info'), 'trickle-ice');
    const prack = inDialog(rig.alice, 'PRACK', early, {
      sdp: directed(browserOffer, 'sendonly'),
      headers: [`RAck: ${early.headers.get('rseq') ?? ''} ${early.cseq.number} INVITE`],
    });
    const answeredPrack = await rig.alice.transact(prack);
    assert.equal(answeredPrack.status, 200);
    assert.equal(directionOf(answeredPrack.body.toString()), 'recvonly');
    const update = await rig.alice.transact(
      inDialog(rig.alice, 'UPDATE', early, { sdp: directed(browserOffer, 'inactive') }),
    );
    assert.equal(update.status, 200);
    assert.equal(directionOf(update.body.toString()), 'inactive');
    rig.office.respond(invite, 200, 'OK', { body: pbx() });
    const answered = await rig.heard(200, 'INVITE');
    assert.equal(directionOf(answered.body.toString()), 'inactive');
    acknowledge(rig.alice, answered);
    await rig.office.request('ACK');
    const owed = await rig.office.request('INVITE');
    assert.equal(directionOf(owed.body.toString()), 'inactive');
    rig.office.respond(owed, 200, 'OK', { body: pbx(['a=inactive']) });
    await rig.office.request('ACK');
    await rig.hangUp({ invite, answered });
  });

  it('is answered to the PBX that has answered reliably, and its 2xx needs no SDP', async () => {
    rig.dial(browserOffer);
    const invite = await rig.office.request('INVITE');
    assert.match(invite.headers.get('supported') ?? '', /100rel/);
    const headers = [`Contact: <sip:peer@${here}:${rig.office.port}>`, 'Require: 100rel', 'RSeq: 5'];
    rig.office.respond(invite, 183, 'Session Progress', { headers, body: pbx() });
    const early = await rig.heard(183, 'INVITE');
    rig.office.respond(await rig.office.request('PRACK'), 200, 'OK');
    rig.fromOffice(invite, 'UPDATE', 1, pbxSdp('0 8', ['a=sendonly'], here).replace('4000', '4010'));
    const update = await rig.office.status(200, 'UPDATE');
    assert.deepEqual(codecNames(update.body.toString()), ['PCMU/8000']);
    assert.equal(directionOf(update.body.toString()), 'recvonly');
    rig.fromOffice(invite, 'UPDATE', 2, pbxSdp('8', [], here));
    assert.match(warning(await rig.office.status(488, 'UPDATE')) ?? '', /^305 webtrunk "m=audio \(line 1\)/);
    rig.office.respond(invite, 200, 'OK');
    const answered = await rig.heard(200, 'INVITE');
    assert.equal(answered.body.toString(), early.body.toString());
    acknowledge(rig.alice, answered);
    await rig.office.request('ACK');
    const resumed = await rig.reinvite({ invite, answered }, browserOffer, pbx());
    assert.equal(directionOf(resumed.answered.body.toString()), 'sendrecv');
    await rig.hangUp({ invite, answered });
  });

  it('is refused with 500 while early media is not acknowledged', async () => {
    rig.dial(browserOffer, ['Supported: 100rel']);
    const invite = await rig.office.request('INVITE');
    rig.office.respond(invite, 183, 'Session Progress', { body: pbx() });
    const early = await rig.heard(183, 'INVITE');
    const update = await rig.alice.transact(inDialog(rig.alice, 'UPDATE', early, { sdp: browserOffer }));
    assert.equal(update.status, 500);
    assert.match(update.headers.get('retry-after') ?? '', /^\d+$/);
    rig.office.respond(invite, 486, 'Busy Here');
    await rig.heard(486, 'INVITE');
  });

  it('comes from several forks behind the PBX: the caller has the answer of the one that answers', async () => {
    rig.dial(browserOffer);
    const invite = await rig.office.request('INVITE');
    for (const [toTag, format] of [
      ['one', '8'],
      ['two', '0'],
    ] as const) {
      const since = rig.alice.received.length;
      rig.office.respond(invite, 183, 'Session Progress', { toTag, body: pbxSdp(format, [], here) });
      const early = await rig.heard(183, 'INVITE', since);
      assert.deepEqual(codecNames(early.body.toString()), [format === '8' ? 'PCMA/8000' : 'PCMU/8000']);
    }
    rig.office.respond(invite, 200, 'OK', { toTag: 'one', body: pbxSdp('8', [], here) });
    const answered = await rig.heard(200, 'INVITE');
    assert.deepEqual(codecNames(answered.body.toString()), ['PCMA/8000']);
    acknowledge(rig.alice, answered);
    await rig.office.request('ACK');
    await rig.hangUp({ invite, answered });
  });
});
