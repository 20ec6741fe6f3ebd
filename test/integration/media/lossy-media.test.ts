import assert from 'node:assert/strict';
import { audioPort, endReached, relayOnLoopback, TimeoutRecord, until } from '../../support/media-session.js';
import { LossyUdp } from '../../support/lossy-udp.js';
import { RtpPhone, rtpPacket, senderReport } from '../../support/rtp-phone.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';

const packets = 200;
const frameMs = 20;
const share = 0.05;
const spreadMs = 50;
const payload = 'x'.repeat(160);

describe('media over a network that loses and delays', () => {
  const relay = relayOnLoopback();
  const session = relay.createSession('c_lossy', new TimeoutRecord());
  const browser = new WebrtcPeer();
  let phone: RtpPhone;
  let network: LossyUdp;
  let relayPort: number;

  before(async () => {
    phone = await RtpPhone.start();
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
    const toPhone = await session.offer('l_browser', 'l_phone', await browser.offer());
    const connected = endReached('l_browser', 'connected');
    browser.takeAnswer(await session.answer('l_phone', 'l_browser', phone.sdp('0')));
    await Promise.all([connected, browser.reached('open')]);
    relayPort = audioPort(toPhone);
    network = await LossyUdp.open(relayPort, share, 7, spreadMs);
  });

  after(async () => {
    browser.close();
    phone.close();
    await network.close();
    await relay.close();
  });

  it('goes on both ways, and the figures show the loss and the jitter', async function () {
    this.timeout(20_000);
    for (let sequence = 0; sequence < packets; sequence += 1) {
      phone.send(rtpPacket(0, sequence, payload, 0xa), network.port);
      browser.send(rtpPacket(0, sequence, payload, 0xb));
      await new Promise((resolve) => setTimeout(resolve, frameMs));
    }
    const { towards, back } = network.losses;
    await until(() => browser.packets.length >= towards.passed);
    // Before the first packet of the phone, the relay sent to it directly.
    await until(() => phone.packets.length >= packets - back.dropped);
    assert.ok(towards.dropped > 0 && back.dropped > 0);

    // The phone tells what it has heard (what is lost behind the relay only the listener knows).
    phone.sendReport(
      senderReport(0xa, { ssrc: 0xb, lost: share, jitterMs: 17, to: undefined }),
      relayPort + 1,
    );
    const figures = () => new Map(session.stats().map(({ endId, quality }) => [endId, quality]));
    await until(() => (figures().get('l_browser')?.packetLoss ?? 0) > 0);

    const ofPhone = figures().get('l_phone');
    assert.ok(ofPhone !== undefined);
    // What was lost before the first packet or after the last one shows in no sequence.
    assert.ok(Math.abs((ofPhone.packetsLost ?? 0) - towards.dropped) <= 2, JSON.stringify(ofPhone));
    assert.ok(Math.abs(ofPhone.packetLoss - (100 * towards.dropped) / packets) <= 1);
    // The mean difference of two delays between 0 and 50 ms is a third of that.
    assert.ok(ofPhone.jitterMs > 8 && ofPhone.jitterMs < 30, String(ofPhone.jitterMs));
    assert.ok(ofPhone.mos !== undefined && ofPhone.mos < 4.2 && ofPhone.mos > 2);
    const ofBrowser = figures().get('l_browser');
    assert.ok(ofBrowser !== undefined && Math.abs(ofBrowser.packetLoss - 100 * share) < 0.5);
    assert.ok(ofBrowser.jitterMs >= 17);
  });
});
