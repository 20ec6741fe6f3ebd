import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../../sip/clock.js';
import { silentLog } from '../../../sip/log.js';
import {
  startRelayProcesses,
  type RelayProcesses,
} from '../../../sip/media/relay-process/relay-processes.js';
import { browserSdp } from '../../bench/messages.js';
import { freePort } from '../../support/free-port.js';
import { LossyUdp } from '../../support/lossy-udp.js';
import { audioPort, somePorts, TimeoutRecord, until } from '../../support/media-session.js';
import { RtpPhone, rtpPacket } from '../../support/rtp-phone.js';
import { bindingRequest } from '../../support/stun.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';

/** More than the process reads of its native log before it turns it off. */
const flood = 400;
/** Each checks its candidates 20 times a second, and each check that cannot be sent is two lines. */
const unreachableBrowsers = 9;
const unreachableSdpBytes = 2_000;
const checksMs = 1_500;

for (const isShared of [false, true]) {
  describe(`SRTP with a wrong key, ${isShared ? 'all browsers at one port' : 'each browser at its own'}`, () => {
    let relay: RelayProcesses;
    let network: LossyUdp;
    let rejected: number;
    const browser = new WebrtcPeer();
    let phone: RtpPhone;

    before(async () => {
      rejected = 0;
      relay = startRelayProcesses({
        address: '127.0.0.1',
        ports: somePorts(),
        ...(isShared ? { browserPort: await freePort() } : {}),
        processes: 1,
        log: silentLog,
        clock: systemClock,
        died: () => assert.fail('the relay has died'),
        rejected: (packets) => (rejected += packets),
      });
      phone = await RtpPhone.start();
      const session = relay.createSession('c_key', new TimeoutRecord());
      session.addEnd('l_browser', { profile: 'webrtc' });
      session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
      await session.offer('l_browser', 'l_phone', await browser.offer());
      const answer = await session.answer('l_phone', 'l_browser', phone.sdp('0'));
      const port = audioPort(answer);
      network = await LossyUdp.open(port, 0, 1);
      browser.takeAnswer(answer.replaceAll(` 127.0.0.1 ${port} `, ` 127.0.0.1 ${network.port} `));
      await browser.reached('open');
    });

    after(async () => {
      browser.close();
      phone.close();
      await network.close();
      await relay.close();
    });

    const goesOn = async (): Promise<void> => {
      const heard = phone.packets.length;
      browser.send(rtpPacket(0, heard + 1, 'from the browser'));
      assert.deepEqual(await phone.packet(heard + 1), rtpPacket(0, heard + 1, 'from the browser'));
    };

    it('is not forwarded, and counted', async () => {
      await goesOn();
      for (let sequence = 2; sequence < 7; sequence++)
        network.inject(rtpPacket(0, sequence, 'sixteen bytes of a tag that is wrong'));
      await until(() => rejected === 5);
      await goesOn();
    });

    it('goes on while strangers send what fills the log of the native library', async () => {
      const forged = bindingRequest({ username: 'no colon', password: 'a password of twenty-two' });
      for (let count = 0; count < flood; count++) network.inject(forged.subarray(0, 24));
      await goesOn();
      await goesOn();
    });
  });
}

describe('browsers whose candidates cannot be reached', () => {
  it('fill the log of the native library and end nothing', async function () {
    this.timeout(20_000);
    let deaths = 0;
    const relay = startRelayProcesses({
      address: '127.0.0.1',
      ports: somePorts(),
      processes: 1,
      log: silentLog,
      clock: systemClock,
      died: () => (deaths += 1),
    });
    const phone = await RtpPhone.start();
    try {
      for (let call = 0; call < unreachableBrowsers; call += 1) {
        const session = relay.createSession(`c_${call}`, new TimeoutRecord());
        session.addEnd('l_browser', { profile: 'webrtc' });
        session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
        await session.offer('l_browser', 'l_phone', browserSdp(unreachableSdpBytes));
        await session.answer('l_phone', 'l_browser', phone.sdp('0'));
      }
      await delay(checksMs);
      assert.equal(deaths, 0);
    } finally {
      phone.close();
      await relay.close();
    }
  });
});
