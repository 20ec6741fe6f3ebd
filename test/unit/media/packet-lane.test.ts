import assert from 'node:assert/strict';
import { PacketLane, type PacketSink } from '../../../sip/media/relay/packet-lane.js';
import { payloadMap } from '../../../sip/sdp/payload-types.js';
import { FakeClock } from '../../support/fake-clock.js';
import { receiverReport, rtpPacket } from '../../support/rtp-phone.js';

class Sink implements PacketSink {
  readonly rtp: Buffer[] = [];
  readonly rtcp: Buffer[] = [];
  works = true;

  sendRtp(packet: Buffer): boolean {
    this.rtp.push(packet);
    return this.works;
  }

  sendRtcp(packet: Buffer): boolean {
    this.rtcp.push(packet);
    return this.works;
  }
}

describe('packet lane', () => {
  const opus = { payloadType: 111, name: 'opus', clockRate: 48_000, channels: 2 };
  const pcmu = { payloadType: 0, name: 'PCMU', clockRate: 8_000, channels: 1 };
  const events = { payloadType: 126, name: 'telephone-event', clockRate: 8_000, channels: 1 };
  let lane: PacketLane;
  let sink: Sink;

  beforeEach(() => {
    lane = new PacketLane(new FakeClock(), () => undefined);
    sink = new Sink();
    const taken = [pcmu, { ...opus, payloadType: 96 }, { ...events, payloadType: 101 }];
    lane.open(sink, payloadMap([pcmu, opus, events], taken), [pcmu, opus, events]);
  });

  it('hands on the very buffer, with the payload type rewritten and the marker kept', () => {
    const packet = rtpPacket(111 | 0x80, 5);
    lane.receive(packet);
    assert.equal(sink.rtp[0], packet);
    assert.deepEqual(packet, rtpPacket(96 | 0x80, 5));
  });

  it('tells RTCP from RTP on one port', () => {
    lane.receive(receiverReport());
    assert.deepEqual([sink.rtp.length, sink.rtcp.length], [0, 1]);
  });

  it('names the audio codec in use, not the events', () => {
    assert.equal(lane.codec, 'PCMU');
    lane.receive(rtpPacket(111, 1));
    assert.equal(lane.codec, 'opus');
    lane.receive(rtpPacket(126, 2));
    assert.equal(lane.codec, 'opus');
  });

  const bad: readonly (readonly [what: string, packet: Buffer])[] = [
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.from([0x80])],
    ['another RTP version', Buffer.concat([Buffer.from([0x40]), rtpPacket(0, 1).subarray(1)])],
    ['a STUN message', Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(18)])],
    ['a DTLS record', Buffer.concat([Buffer.from([22, 254]), Buffer.alloc(30)])],
    ['RTP shorter than its header', rtpPacket(0, 1, '').subarray(0, 11)],
    ['RTCP shorter than its header', receiverReport().subarray(0, 7)],
    ['a payload type that was not agreed on', rtpPacket(8, 1)],
  ];
  for (const [what, packet] of bad) {
    it(`drops ${what} and counts it`, () => {
      lane.receive(packet);
      assert.equal(lane.packetsReceived, 1);
      assert.equal(lane.packetsDropped, 1);
      assert.equal(lane.bytesReceived, packet.length);
      assert.deepEqual([sink.rtp.length, sink.rtcp.length], [0, 0]);
    });
  }

  it('counts what the other side could not send, and what its own transport refused', () => {
    sink.works = false;
    lane.receive(rtpPacket(0, 1));
    lane.refuse();
    assert.equal(lane.packetsDropped, 2);
    assert.equal(lane.packetsReceived, 1);
  });

  it('drops everything when it is cut', () => {
    lane.cut();
    lane.receive(rtpPacket(0, 1));
    assert.equal(lane.packetsDropped, 1);
    assert.equal(sink.rtp.length, 0);
  });
});
