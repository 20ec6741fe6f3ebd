import assert from 'node:assert/strict';
import type { MediaSession } from '../../../sip/media/media-engine.js';
import type { RelayEngine } from '../../../sip/media/relay/relay-engine.js';
import { FakeClock } from '../../support/fake-clock.js';
import { audioPort, relayOnLoopback, TimeoutRecord, until } from '../../support/media-session.js';
import { receiverReport, RtpPhone, rtpPacket } from '../../support/rtp-phone.js';

const latchWindowMs = 5_000;
const both = { profile: 'plain', codecs: ['PCMU'], video: ['VP8'] } as const;

/** RFC 4961, towards phones whose packets come from another port than they say: they are behind NAT. */
describe('symmetric RTP of the embedded relay', () => {
  let clock: FakeClock;
  let relay: RelayEngine;
  let session: MediaSession;
  let caller: RtpPhone;
  let callee: RtpPhone;
  /** What the callee's and the caller's NAT send from. */
  let outside: RtpPhone;
  const phones: RtpPhone[] = [];

  const phone = async (): Promise<RtpPhone> => {
    const started = await RtpPhone.start();
    phones.push(started);
    return started;
  };

  beforeEach(async () => {
    clock = new FakeClock();
    relay = relayOnLoopback({ latchWindowMs }, clock);
    session = relay.createSession('c_nat', new TimeoutRecord());
    session.addEnd('l_caller', both);
    session.addEnd('l_callee', both);
    [caller, callee, outside] = [await phone(), await phone(), await phone()];
  });

  afterEach(async () => {
    for (const one of phones.splice(0)) one.close();
    await relay.close();
    assert.equal(clock.pending, 0);
  });

  const dropped = (endId: string): number | undefined =>
    session.stats().find((end) => end.endId === endId)?.packetsDropped;

  describe('when a 200 repeats the SDP of a 183 after the window', () => {
    it('takes the port that the callee then sends from, and sends there', async () => {
      const toCallee = await session.offer('l_caller', 'l_callee', caller.sdp('0'));
      const answer = callee.sdp('0');
      const reply = await session.answer('l_callee', 'l_caller', answer);
      clock.advance(latchWindowMs + 1);
      outside.send(rtpPacket(0, 1, 'too late'), audioPort(toCallee));
      await until(() => dropped('l_callee') === 1);
      assert.equal(await session.answer('l_callee', 'l_caller', answer), reply);
      outside.send(rtpPacket(0, 2, 'heard'), audioPort(toCallee));
      outside.sendReport(receiverReport(1), audioPort(toCallee) + 1);
      assert.deepEqual(await caller.packet(1), rtpPacket(0, 2, 'heard'));
      assert.deepEqual(await caller.report(1), receiverReport(1));
      caller.send(rtpPacket(0, 3, 'and back'), audioPort(reply));
      assert.deepEqual(await outside.packet(1), rtpPacket(0, 3, 'and back'));
    });

    it('takes the port that the caller then sends from', async () => {
      await session.offer('l_caller', 'l_callee', caller.sdp('0'));
      const answer = callee.sdp('0');
      const toCaller = await session.answer('l_callee', 'l_caller', answer);
      clock.advance(latchWindowMs + 1);
      await session.answer('l_callee', 'l_caller', answer);
      outside.send(rtpPacket(0, 1), audioPort(toCaller));
      await callee.packet(1);
    });

    it('does the same for video', async () => {
      const [screen, camera] = [await phone(), await phone()];
      const withVideo = (sdp: string, { port }: RtpPhone): string =>
        `${sdp}m=video ${port} RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n`;
      const offer = withVideo(caller.sdp('0'), screen);
      const toCallee = await session.offer('l_caller', 'l_callee', offer);
      const answer = withVideo(callee.sdp('0'), camera);
      await session.answer('l_callee', 'l_caller', answer);
      clock.advance(latchWindowMs + 1);
      await session.answer('l_callee', 'l_caller', answer);
      outside.send(rtpPacket(96, 1, 'picture'), Number(/^m=video (\d+) /m.exec(toCallee)?.[1]));
      await screen.packet(1);
    });

    it('keeps to the port that was heard before', async () => {
      const toCallee = await session.offer('l_caller', 'l_callee', caller.sdp('0'));
      const answer = callee.sdp('0');
      await session.answer('l_callee', 'l_caller', answer);
      callee.send(rtpPacket(0, 1, 'early media'), audioPort(toCallee));
      await caller.packet(1);
      await session.answer('l_callee', 'l_caller', answer);
      outside.send(rtpPacket(0, 2, 'injected'), audioPort(toCallee));
      callee.send(rtpPacket(0, 3, 'genuine'), audioPort(toCallee));
      assert.deepEqual(await caller.packet(2), rtpPacket(0, 3, 'genuine'));
      await until(() => dropped('l_callee') === 1);
    });
  });

  describe('when a phone holds with c=0.0.0.0', () => {
    const held = '0.0.0.0';
    let port: number;
    let portOfOther: number;

    beforeEach(async () => {
      port = audioPort(await session.offer('l_caller', 'l_callee', caller.sdp('0')));
      portOfOther = audioPort(await session.answer('l_callee', 'l_caller', callee.sdp('0')));
      outside.send(rtpPacket(0, 1), port);
      outside.sendReport(receiverReport(1), port + 1);
      await Promise.all([caller.packet(1), caller.report(1)]);
      await session.offer('l_callee', 'l_caller', callee.sdp('0', [], held));
      await session.answer('l_caller', 'l_callee', caller.sdp('0', ['a=recvonly']));
    });

    it('passes its music on, and its reports', async () => {
      outside.send(rtpPacket(0, 2, 'music'), port);
      outside.sendReport(receiverReport(2), port + 1);
      assert.deepEqual(await caller.packet(2), rtpPacket(0, 2, 'music'));
      assert.deepEqual(await caller.report(2), receiverReport(2));
      assert.equal(dropped('l_callee'), 0);
    });

    it('sends nothing there, after its music neither', async () => {
      outside.send(rtpPacket(0, 2, 'music'), port);
      await caller.packet(2);
      caller.send(rtpPacket(0, 1), portOfOther);
      caller.sendReport(receiverReport(3), portOfOther + 1);
      await until(() => dropped('l_caller') === 2);
      for (const one of [callee, outside]) assert.deepEqual([one.packets, one.reports], [[], []]);
    });

    it('forwards nothing from another port', async () => {
      callee.send(rtpPacket(0, 2, 'injected'), port);
      await until(() => dropped('l_callee') === 1);
      assert.equal(caller.packets.length, 1);
    });

    it('sends to the port that was learnt when it is back', async () => {
      await session.offer('l_callee', 'l_caller', callee.sdp('0'));
      await session.answer('l_caller', 'l_callee', caller.sdp('0'));
      caller.send(rtpPacket(0, 1, 'back'), portOfOther);
      assert.deepEqual(await outside.packet(1), rtpPacket(0, 1, 'back'));
    });
  });
});
