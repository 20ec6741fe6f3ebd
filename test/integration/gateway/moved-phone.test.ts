import assert from 'node:assert/strict';
import type { GatewayOptions } from '../../support/gateway.js';
import { requirePeer } from '../../support/peers.js';
import { Rtpengine } from '../../support/rtpengine.js';
import { ToneCall } from '../../support/tone-call.js';
import { TonePhone } from '../../support/tone-phone.js';

const movedHz = 1_500;
const ignoredPackets = 25;
/** rtpengine learns for 3 s where a phone is, and listens to others meanwhile. */
const packetsToBeLearned = { relay: 1, rtpengine: 160 };

/** A phone whose RTP comes from another port in the middle of a call. */
describe('a phone that moves to another RTP port', function () {
  this.timeout(20_000);
  let server: Rtpengine;

  before(async function () {
    server = await Rtpengine.start(requirePeer(this, 'rtpengine'));
  });

  after(() => server?.stop());

  for (const engine of ['relay', 'rtpengine'] as const) {
    it(`is not followed before it says so by re-INVITE, with the ${engine}`, async () => {
      const media: GatewayOptions['media'] =
        engine === 'relay' ? engine : { engine, instances: [{ address: server.address, weight: 1 }] };
      const tones = await ToneCall.open({ media });
      const moved = await TonePhone.start(movedHz);
      try {
        await tones.bothHear();
        await tones.phone.rtp.packet(packetsToBeLearned[engine]);
        tones.phone.hush();
        await tones.browserIsQuiet();
        const heard = tones.browser.peer.packets.length;
        const known = tones.phone.received;
        moved.speakTo(tones.offered);
        await tones.phone.rtp.packet(known + ignoredPackets);
        assert.equal(tones.browser.peer.packets.length, heard, 'the browser hears nothing of it');
        assert.equal(moved.received, 0, 'and it hears nothing of the call');

        moved.speakTo(await tones.pbxChanges(moved.sdp()));
        await tones.browser.waitForTone(movedHz);
        await moved.waitForTone(tones.browserHz, moved.received);
      } finally {
        moved.close();
        await tones.close();
      }
    });
  }
});
