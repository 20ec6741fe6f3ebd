import assert from 'node:assert/strict';
import { startEchoPhone, type EchoPhone } from '../../../gateway/quick-start/echo-phone.js';
import { systemClock } from '../../../sip/clock.js';
import { silentLog } from '../../../sip/log.js';
import { RtpPhone, receiverReport, rtpPacket } from '../../support/rtp-phone.js';
import { TrunkRig } from '../../support/trunk-rig.js';

const lines = ['a=rtpmap:111 opus/48000/2', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:101 telephone-event/8000'];

/** Port in the first m= line. */
function portOf(sdp: string | undefined): number {
  return Number(/^m=audio (\d+) /m.exec(sdp ?? '')?.[1]);
}

describe('echo phone', () => {
  let rig: TrunkRig;
  let phone: EchoPhone;
  let rtp: RtpPhone;
  beforeEach(async () => {
    rig = await TrunkRig.start();
    phone = await startEchoPhone({
      number: '600',
      address: '127.0.0.1',
      port: 0,
      log: silentLog,
      clock: systemClock,
    });
    rtp = await RtpPhone.start();
  });
  afterEach(async () => {
    rtp.close();
    await phone.close();
    await rig.close();
  });

  const target = (uri: string) => ({ requestUri: uri, nextHop: uri });

  async function call(sdp: string | undefined) {
    const { leg, log } = rig.invite(target(phone.uri), { sdp });
    assert.equal((await log.next('progress')).status, 180);
    return { leg, log, answer: await log.next('answered') };
  }

  it('rings, answers with the codecs that it knows and sends back what it hears', async () => {
    const { leg, log, answer } = await call(rtp.sdp('111 96 0 101', [...lines, 'a=rtpmap:96 AMR/8000']));
    assert.match(answer.sdp ?? '', /^m=audio \d+ RTP\/AVP 111 0 101\r$/m);
    answer.ack();
    rtp.send(rtpPacket(111, 1, 'speech'), portOf(answer.sdp));
    const heard = await rtp.packet(1);
    assert.equal(heard.subarray(12).toString(), 'speech');
    assert.equal(heard[1], 111);
    assert.notDeepEqual(heard.subarray(8, 12), rtpPacket(111, 1).subarray(8, 12));
    rtp.send(rtpPacket(101, 2, 'digit'), portOf(answer.sdp));
    assert.equal((await rtp.packet(2)).subarray(12).toString(), 'digit');
    leg.hangUp();
    await log.next('ended');
    assert.deepEqual(rig.leftovers()['legs'] ?? 0, 0);
  });

  it('ignores RTCP and what is not RTP', async () => {
    const { leg, log, answer } = await call(rtp.sdp('0', lines.slice(1, 2)));
    answer.ack();
    rtp.send(receiverReport(), portOf(answer.sdp));
    rtp.send(Buffer.from('nonsense that is long enough'), portOf(answer.sdp));
    rtp.send(rtpPacket(0, 3, 'last'), portOf(answer.sdp));
    assert.equal((await rtp.packet(1)).subarray(12).toString(), 'last');
    leg.hangUp();
    await log.next('ended');
  });

  it('falls silent on hold and speaks again when resumed', async () => {
    const { leg, log, answer } = await call(rtp.sdp('0', lines.slice(1, 2)));
    answer.ack();
    const port = portOf(answer.sdp);
    const held = await leg.reoffer(rtp.sdp('0', ['a=sendonly']));
    held.ack();
    assert.match(held.sdp ?? '', /^a=recvonly\r$/m);
    rtp.send(rtpPacket(0, 1, 'on hold'), port);
    const resumed = await leg.reoffer(rtp.sdp('0', ['a=sendrecv']));
    resumed.ack();
    assert.match(resumed.sdp ?? '', /^a=sendrecv\r$/m);
    rtp.send(rtpPacket(0, 2, 'back'), port);
    assert.equal((await rtp.packet(1)).subarray(12).toString(), 'back');
    leg.hangUp();
    await log.next('ended');
  });

  it('offers codecs of its own to a caller that offers none', async () => {
    const { leg, log, answer } = await call(undefined);
    assert.match(answer.sdp ?? '', /^m=audio \d+ RTP\/AVP 0 8 101\r$/m);
    answer.ack(rtp.sdp('8'));
    // The ACK and the packet race each other on two ports: the INFO behind the ACK is answered when the ACK has come.
    await leg.request('INFO', { contentType: 'application/dtmf-relay', body: 'Signal=1' });
    rtp.send(rtpPacket(8, 1, 'late'), portOf(answer.sdp));
    assert.equal((await rtp.packet(1)).subarray(12).toString(), 'late');
    leg.hangUp();
    await log.next('ended');
  });

  it('refuses with 488 what shares no codec, and with 404 any other number', async () => {
    const { log } = rig.invite(target(phone.uri), { sdp: rtp.sdp('96', ['a=rtpmap:96 AMR/8000']) });
    const { failure } = await log.next('failed');
    assert.deepEqual([failure.code, failure.status], ['upstream.refused', 488]);
    const other = rig.invite(target(phone.uri.replace('600', '601')), { sdp: rtp.sdp('0') });
    assert.equal((await other.log.next('failed')).failure.status, 404);
  });

  it('leaves nothing behind', async () => {
    const { leg, log, answer } = await call(rtp.sdp('0'));
    answer.ack();
    leg.hangUp();
    await log.next('ended');
    assert.equal(phone.sizes()['calls'], 0);
    assert.equal(phone.sizes()['trunk_legs'], 0);
  });

  it('ends its calls when it is closed', async () => {
    const { log, answer } = await call(rtp.sdp('0'));
    answer.ack();
    await phone.close();
    const end = await log.next('ended');
    assert.equal(end.cause, 'remote');
  });
});
