import assert from 'node:assert/strict';
import type { PacketSink } from '../../../sip/media/relay/packet-lane.js';
import { pictureRequest } from '../../../sip/media/relay/picture-request.js';
import { VideoLane } from '../../../sip/media/relay/video-lane.js';
import { payloadMap } from '../../../sip/sdp/payload-types.js';
import { FakeClock } from '../../support/fake-clock.js';
import { receiverReport, rtpPacket } from '../../support/rtp-phone.js';

const vp8 = (payloadType: number) => ({ payloadType, name: 'VP8', clockRate: 90_000, channels: 1 });

const [browserSsrc, phoneSsrc] = [0x1111_1111, 0x2222_2222];

class Sink implements PacketSink {
  readonly rtp: Buffer[] = [];
  readonly rtcp: Buffer[] = [];
  isUp = true;

  sendRtp(packet: Buffer): boolean {
    if (this.isUp) this.rtp.push(packet);
    return this.isUp;
  }

  sendRtcp(packet: Buffer): boolean {
    if (this.isUp) this.rtcp.push(packet);
    return this.isUp;
  }
}

describe('the way of the video', () => {
  let toPhone: Sink;
  let toBrowser: Sink;
  let browser: VideoLane;
  let phone: VideoLane;

  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
    [toPhone, toBrowser] = [new Sink(), new Sink()];
    [browser, phone] = [new VideoLane(clock), new VideoLane(clock)];
    open();
  });

  const open = (): void => {
    browser.open(toPhone, payloadMap([vp8(96)], [vp8(97)]), phone);
    phone.open(toBrowser, payloadMap([vp8(97)], [vp8(96)]), browser);
  };
  const fromBrowser = (): Buffer => rtpPacket(96, 1, 'picture', browserSsrc);
  const fromPhone = (): Buffer => rtpPacket(97, 1, 'picture', phoneSsrc);

  it('changes the payload type and nothing else', () => {
    const packet = fromBrowser();
    const expected = Buffer.from(packet);
    expected.writeUInt8(97, 1);
    browser.receive(packet);
    assert.deepEqual(toPhone.rtp, [expected]);
    browser.receive(rtpPacket(111, 2));
    assert.equal(browser.packetsDropped, 1);
  });

  it('takes from the shared transport the agreed payload types, and the RTCP that is about video', () => {
    assert.equal(browser.owns(rtpPacket(111, 1)), false);
    assert.equal(browser.owns(pictureRequest(1, phoneSsrc)), false);
    for (const [lane, packet] of [
      [browser, fromBrowser()],
      [phone, fromPhone()],
    ] as const) {
      assert.equal(lane.owns(packet), true);
      lane.receive(packet);
    }
    assert.equal(browser.owns(pictureRequest(1, phoneSsrc)), true, 'a request for the pictures of the phone');
    assert.equal(browser.owns(receiverReport(browserSsrc)), true, 'a report of who sends pictures');
    assert.equal(browser.owns(receiverReport(0x3333_3333)), false);
    assert.equal(browser.owns(pictureRequest(1, browserSsrc)), false);
  });

  it('reads no further than a packet goes', () => {
    phone.receive(fromPhone());
    const request = pictureRequest(1, phoneSsrc);
    for (let length = 0; length < request.length; length++)
      assert.equal(browser.owns(request.subarray(0, length)), false, `${length} bytes`);
    const lying = Buffer.from(request);
    lying.writeUInt16BE(0xffff, 2);
    assert.equal(browser.owns(lying), false);
  });

  it('passes requests for pictures on, and gives the one of RFC 2032 in today’s form', () => {
    phone.receive(fromPhone());
    browser.receive(fromBrowser());
    browser.receive(pictureRequest(browserSsrc, phoneSsrc));
    assert.deepEqual(toPhone.rtcp, [pictureRequest(browserSsrc, phoneSsrc)]);
    const old = Buffer.from([0x80, 192, 0, 1, 0x22, 0x22, 0x22, 0x22]);
    phone.receive(old);
    assert.deepEqual(toBrowser.rtcp, [pictureRequest(phoneSsrc, browserSsrc)]);
  });

  it('asks for a whole picture when the other end comes to pictures that have begun', () => {
    browser.receive(fromBrowser());
    assert.deepEqual(toBrowser.rtcp, []);
    open();
    browser.receive(fromBrowser());
    browser.receive(fromBrowser());
    assert.deepEqual(toBrowser.rtcp, [pictureRequest(1, browserSsrc)]);
  });

  it('asks once more a moment later', () => {
    browser.receive(fromBrowser());
    open();
    for (const passMs of [0, 200, 200, 200, 1_000]) {
      clock.advance(passMs);
      browser.receive(fromBrowser());
    }
    assert.equal(toBrowser.rtcp.length, 2);
  });

  it('asks for a whole picture once the other end is up', () => {
    toPhone.isUp = false;
    browser.receive(fromBrowser());
    browser.receive(fromBrowser());
    assert.deepEqual(toBrowser.rtcp, []);
    toPhone.isUp = true;
    browser.receive(fromBrowser());
    browser.receive(fromBrowser());
    assert.deepEqual(toBrowser.rtcp, [pictureRequest(1, browserSsrc)]);
  });

  it('asks for a picture that was asked for while the other end was not up', () => {
    browser.receive(fromBrowser());
    toBrowser.isUp = false;
    phone.receive(pictureRequest(phoneSsrc, browserSsrc));
    assert.deepEqual(toBrowser.rtcp, []);
    toBrowser.isUp = true;
    browser.receive(fromBrowser());
    assert.deepEqual(toBrowser.rtcp, [pictureRequest(1, browserSsrc)]);
  });

  it('owns nothing once the video is over', () => {
    browser.receive(fromBrowser());
    browser.cut();
    browser.receive(fromBrowser());
    assert.equal(toPhone.rtp.length, 1);
    assert.equal(browser.owns(fromBrowser()), true, 'what comes late on hold is no audio');
    browser.end();
    assert.equal(browser.owns(fromBrowser()), false);
    assert.equal(browser.owns(receiverReport(browserSsrc)), false);
  });
});
