import assert from 'node:assert/strict';
import { idle } from '../../support/idle.js';
import { attribute, originVersion } from '../../support/media-session.js';
import { codecNames, mediaLines } from '../../support/sdp-ends.js';
import { pbxSdp } from '../../support/sdp-fixtures.js';
import {
  browserAnswer,
  browserOffer,
  directed,
  directionOf,
  here,
  pbx,
  SdpRig,
  warning,
} from '../../support/sdp-rig.js';
import { acknowledge, answer, inDialog, nextRequest } from '../../support/ws-call.js';

describe('an offer in a re-INVITE through the whole gateway with the relay', () => {
  let rig: SdpRig;

  beforeEach(async () => {
    rig = await SdpRig.open();
  });

  afterEach(() => rig.close());

  it('of the PBX with another codec is carried to the browser', async () => {
    const call = await rig.connect();
    const since = rig.alice.received.length;
    rig.fromOffice(call.invite, 'INVITE', 1, pbxSdp('8', [], here));
    const seen = await nextRequest(rig.alice, 'INVITE', since);
    assert.deepEqual(codecNames(seen.body.toString()), ['PCMA/8000']);
    answer(rig.alice, seen, 200, { sdp: browserAnswer.replace(/^(m=audio \d+ \S+) 0\r$/m, '$1 8\r') });
    const ok = await rig.office.status(200, 'INVITE');
    assert.deepEqual(mediaLines(ok.body.toString())[0]?.split(' ').slice(2), ['RTP/AVP', '8']);
    rig.fromOffice(call.invite, 'ACK', 1);
    await nextRequest(rig.alice, 'ACK', since);
    await rig.hangUp(call);
  });

  it('of the PBX without SDP asks the browser for an offer, and the ACKs carry the answer', async () => {
    const call = await rig.connect();
    const since = rig.alice.received.length;
    rig.fromOffice(call.invite, 'INVITE', 1);
    const seen = await nextRequest(rig.alice, 'INVITE', since);
    assert.equal(seen.body.length, 0);
    answer(rig.alice, seen, 200, { sdp: browserOffer });
    const ok = await rig.office.status(200, 'INVITE');
    assert.equal(mediaLines(ok.body.toString())[0]?.split(' ')[2], 'RTP/AVP');
    rig.fromOffice(call.invite, 'ACK', 1, pbx(['a=sendonly']));
    const ack = await nextRequest(rig.alice, 'ACK', since);
    assert.equal(directionOf(ack.body.toString()), 'sendonly');
    assert.equal(attribute(ack.body.toString(), 'setup'), 'passive');
    await rig.hangUp(call);
  });

  it('of the PBX without SDP whose ACK refuses the audio leaves the call as it was, with an answer for the browser', async () => {
    const call = await rig.connect();
    for (const [cseq, inAck] of [
      [1, pbx().replace(/^m=audio \d+/m, 'm=audio 0')],
      [2, ''],
    ] as const) {
      const since = rig.alice.received.length;
      rig.fromOffice(call.invite, 'INVITE', cseq);
      answer(rig.alice, await nextRequest(rig.alice, 'INVITE', since), 200, { sdp: browserOffer });
      await rig.office.status(200, 'INVITE');
      rig.fromOffice(call.invite, 'ACK', cseq, inAck);
      const { body } = await nextRequest(rig.alice, 'ACK', since);
      assert.match(mediaLines(body.toString())[0] ?? '', /^audio [1-9]/);
      assert.equal(directionOf(body.toString()), 'sendrecv');
    }
    const held = await rig.reinvite(call, directed(browserOffer, 'sendonly'), pbx(['a=recvonly']));
    assert.equal(held.answered.status, 200);
    await rig.hangUp(call);
  });

  it('of the PBX without SDP that the browser cannot meet is answered with no stream, and the call ends', async () => {
    const call = await rig.connect();
    const since = rig.alice.received.length;
    rig.fromOffice(call.invite, 'INVITE', 1);
    const g722 = browserOffer.replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 9\r');
    answer(rig.alice, await nextRequest(rig.alice, 'INVITE', since), 200, { sdp: g722 });
    assert.match((await nextRequest(rig.alice, 'ACK', since)).body.toString(), /^m=audio 0 \S+ 9\r$/m);
    answer(rig.alice, await nextRequest(rig.alice, 'BYE', since), 200);
    rig.office.respond(await rig.office.request('BYE'), 200, 'OK');
    await idle(rig.gateway);
  });

  it('or UPDATE: hold of the PBX by UPDATE reaches the browser as a re-INVITE, and the other way round', async () => {
    const call = await rig.connect();
    const since = rig.alice.received.length;
    rig.fromOffice(call.invite, 'UPDATE', 1, pbx(['a=sendonly']));
    const seen = await nextRequest(rig.alice, 'INVITE', since);
    assert.equal(directionOf(seen.body.toString()), 'sendonly');
    answer(rig.alice, seen, 200, { sdp: directed(browserAnswer, 'recvonly') });
    await nextRequest(rig.alice, 'ACK', since);
    const ok = await rig.office.status(200, 'UPDATE');
    assert.equal(directionOf(ok.body.toString()), 'recvonly');
    const done = rig.alice.transact(
      inDialog(rig.alice, 'UPDATE', call.answered, { sdp: directed(browserOffer, 'inactive') }),
    );
    const told = await rig.office.request('INVITE');
    assert.equal(directionOf(told.body.toString()), 'inactive');
    rig.office.respond(told, 200, 'OK', { body: pbx(['a=inactive']) });
    assert.equal(directionOf((await done).body.toString()), 'inactive');
    await rig.office.request('ACK');
    await rig.hangUp(call);
  });

  it('of the browser that the PBX has not answered keeps no UPDATE without an offer waiting', async () => {
    const call = await rig.connect();
    const hold = directed(browserOffer, 'sendonly');
    const held = rig.alice.transact(inDialog(rig.alice, 'INVITE', call.answered, { sdp: hold }));
    const told = await rig.office.request('INVITE');
    rig.fromOffice(call.invite, 'UPDATE', 1);
    await rig.office.status(200, 'UPDATE');
    rig.office.respond(told, 200, 'OK', { body: pbx(['a=recvonly']) });
    const answered = await held;
    assert.equal(directionOf(answered.body.toString()), 'recvonly');
    acknowledge(rig.alice, answered);
    await rig.office.request('ACK');
    await rig.hangUp(call);
  });

  it('of the browser out of order is refused with 500: counted, and a line of the log at info', async () => {
    const call = await rig.connect();
    const stale = inDialog(rig.alice, 'INVITE', call.answered, { cseq: 1, sdp: browserOffer });
    assert.equal((await rig.alice.transact(stale)).status, 500);
    const { gateway } = rig;
    assert.match(
      await gateway.metrics.text(),
      /^webtrunk_messages_refused_total\{code="dialog\.sequence"\} 1$/m,
    );
    const [line] = gateway.lines.filter(({ event }) => event === 'message.refused');
    assert.deepEqual(
      [line?.['level'], line?.['code'], line?.['method'], line?.['sipCallId']],
      ['info', 'dialog.sequence', 'INVITE', rig.alice.callId],
    );
    await rig.leave(call);
  });

  it('of the PBX without a shared codec is refused with the line, and the call goes on', async () => {
    const call = await rig.connect();
    rig.fromOffice(call.invite, 'INVITE', 1, pbxSdp('18', [], here));
    const refused = await rig.office.status(488, 'INVITE');
    assert.match(warning(refused) ?? '', /^305 webtrunk "m=audio \(line 1\): no shared codec, given G729/);
    const again = await rig.reinvite(call, directed(browserOffer, 'sendonly'), pbx(['a=recvonly']));
    assert.equal(again.answered.status, 200);
    await rig.leave(call);
  });

  it('of the browser without a shared codec is refused with the line, and the PBX hears nothing', async () => {
    const call = await rig.connect();
    const g722 = browserOffer.replace(/^(m=audio \d+ \S+) .*\r$/m, '$1 9\r');
    const refused = await rig.alice.transact(inDialog(rig.alice, 'INVITE', call.answered, { sdp: g722 }));
    assert.equal(refused.status, 488);
    assert.match(warning(refused) ?? '', /^305 webtrunk "m=audio \(line 1\): no shared codec, given G722/);
    const resumed = await rig.reinvite(call, directed(browserOffer, 'sendonly'), pbx(['a=recvonly']));
    assert.equal(originVersion(resumed.told), originVersion(call.invite.body.toString()) + 1);
    await rig.leave(call);
  });

  it('of the browser that restarts ICE is answered with other credentials; any other one with the same', async () => {
    const call = await rig.connect();
    const credentials = (sdp: string): readonly (string | undefined)[] =>
      ['ice-ufrag', 'ice-pwd', 'fingerprint', 'setup'].map((name) => attribute(sdp, name));
    const first = credentials(call.answered.body.toString());
    const held = await rig.reinvite(call, directed(browserOffer, 'sendonly'), pbx(['a=recvonly']));
    assert.deepEqual(credentials(held.answered.body.toString()), first);
    const restarted = browserOffer
      .replace(/^a=ice-ufrag:.*\r$/m, 'a=ice-ufrag:other\r')
      .replace(/^a=ice-pwd:.*\r$/m, 'a=ice-pwd:anotherpasswordof24chars\r');
    const again = await rig.reinvite(call, restarted, pbx());
    const [ufrag, pwd, , setup] = credentials(again.answered.body.toString());
    assert.notEqual(ufrag, first[0]);
    assert.notEqual(pwd, first[1]);
    assert.equal(setup, first[3]);
    assert.equal(mediaLines(again.told)[0], mediaLines(call.invite.body.toString())[0]);
    await rig.hangUp(call);
  });
});
