import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { systemClock } from '../../../sip/clock.js';
import { silentLog } from '../../../sip/log.js';
import {
  startRelayProcesses,
  type RelayProcesses,
} from '../../../sip/media/relay-process/relay-processes.js';
import { freePort } from '../../support/free-port.js';
import { audioPort, somePorts, TimeoutRecord, until } from '../../support/media-session.js';
import { RtpPhone, rtpPacket } from '../../support/rtp-phone.js';
import { udpPortFreed } from '../../support/udp-ports.js';
import { WebrtcPeer } from '../../support/webrtc-peer.js';

const calls = 1_000;
const atATime = 8;
/** One in so many carries audio; the others end when they are answered, half of them, or while they ring. */
const talking = 5;
const repeatMs = 5;
const warm = 300;
/** The heap grows to its size until 3,000 calls (5,000 ended at the same figure); a call that stays costs 230 KB, 160 MB in all. */
const flatBytes = 40 * 1024 * 1024;

for (const isShared of [false, true]) {
  describe(`a thousand calls through a process of the relay, ${isShared ? 'browsers at one port' : 'browsers at their own ports'}`, function () {
    this.timeout(60_000);
    let relay: RelayProcesses;
    let heard = 0;
    const ports = somePorts();

    before(async () => {
      relay = startRelayProcesses({
        address: '127.0.0.1',
        ports,
        ...(isShared ? { browserPort: await freePort() } : {}),
        quarantineMs: 0,
        processes: 1,
        log: silentLog,
        clock: systemClock,
        died: ({ reason }) => assert.fail(`the relay has died: ${reason}`),
      });
    });

    after(() => relay.close());

    const call = async (number: number): Promise<void> => {
      const session = relay.createSession(`c_${number}`, new TimeoutRecord());
      const [browser, phone] = [new WebrtcPeer(), await RtpPhone.start()];
      try {
        session.addEnd('l_browser', { profile: 'webrtc' });
        session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
        const toPhone = await session.offer('l_browser', 'l_phone', await browser.offerWithCandidates());
        if (number % 2 === 1 && number % talking !== 0) return;
        const answer = await session.answer('l_phone', 'l_browser', phone.sdp('0'));
        if (number % talking !== 0) return;
        if (!(await connects(browser, answer))) return;
        // The relay's own side is open a moment later: what comes before that is lost.
        const packet = rtpPacket(0, 1, String(number));
        const repeat = setInterval(() => phone.send(packet, audioPort(toPhone)), repeatMs);
        assert.deepEqual(await browser.packet(1), packet);
        clearInterval(repeat);
        heard += 1;
      } finally {
        browser.close();
        phone.close();
        session.close();
      }
    };

    const residentBytes = async (): Promise<number> => {
      const status = await readFile(`/proc/${relay.pids[0] ?? 0}/status`, 'utf8');
      return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
    };

    it('leaves every table at zero, no port bound, and memory flat', async () => {
      let next = 0;
      let warmBytes = 0;
      const caller = async (): Promise<void> => {
        while (next < calls) {
          const number = next++;
          await call(number);
          if (number === warm) warmBytes = await residentBytes();
        }
      };
      await Promise.all(Array.from({ length: atATime }, caller));
      await until(() => Object.values(relay.sizes()).every((size) => size === 0));
      assert.deepEqual([relay.size, Object.keys(relay.sizes()).length], [0, 3]);
      for (let port = ports.min; port <= ports.max; port++) await udpPortFreed(port);
      const grownBytes = (await residentBytes()) - warmBytes;
      // Now and then the relay's checks overtake the answer: see `connects`.
      assert.ok(heard > calls / talking / 2, `only ${heard} were heard`);
      assert.ok(warmBytes > 0 && grownBytes < flatBytes, `grown by ${grownBytes} bytes since ${warmBytes}`);
    });
  });
}

/** False when the relay's checks overtook the answer: the library of this peer fails the handshake then. */
async function connects(browser: WebrtcPeer, answer: string): Promise<boolean> {
  try {
    browser.takeAnswer(answer);
  } catch {
    return false;
  }
  const ends = ['open', 'failed', 'closed'];
  await Promise.race(ends.map((state) => browser.reached(state)));
  return browser.states.includes('open');
}
