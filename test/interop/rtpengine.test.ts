import assert from 'node:assert/strict';
import type { MediaEndStats, MediaSession } from '../../sip/media/media-engine.js';
import type { RtpengineEngine } from '../../sip/media/rtpengine/rtpengine-engine.js';
import { attribute, audioPort, originVersion, TimeoutRecord } from '../support/media-session.js';
import { LossyUdp } from '../support/lossy-udp.js';
import { requirePeer } from '../support/peers.js';
import { RtpPhone, rtpPacket, senderReport } from '../support/rtp-phone.js';
import { Rtpengine } from '../support/rtpengine.js';
import { MediaServerRecord, rtpengineEngine, ToneBrowser } from '../support/rtpengine-rig.js';
import { TonePhone } from '../support/tone-phone.js';

const browserHz = 450;
const phoneHz = 1_000;
/** How late the phones' reports are, so that there is a round-trip time. */
const networkMs = 20;

describe('rtpengine', function () {
  this.timeout(20_000);
  let program: string;
  let server: Rtpengine;
  let engine: RtpengineEngine;
  let session: MediaSession;
  let browser: ToneBrowser;
  let phone: TonePhone;
  const open: { close(): void }[] = [];
  const servers = new MediaServerRecord();
  const timeouts = new TimeoutRecord();

  before(async function () {
    program = requirePeer(this, 'rtpengine');
    server = await Rtpengine.start(program);
  });

  after(() => server?.stop());

  beforeEach(async () => {
    engine = rtpengineEngine([{ address: server.address, weight: 1 }], servers);
    session = engine.createSession('c_interop', timeouts);
    browser = new ToneBrowser(browserHz);
    phone = await TonePhone.start(phoneHz);
    open.push(browser, phone);
  });

  afterEach(async () => {
    for (const one of open.splice(0)) one.close();
    session.close();
    await engine.close();
    assert.deepEqual(engine.sizes(), { sessions: 0, ends: 0, ending: 0, commands: 0 });
    assert.equal(await server.calls(), 0, 'every call is deleted');
    assert.deepEqual(timeouts.timeouts.splice(0), []);
  });

  const browserCalls = async (): Promise<{ toPhone: string; toBrowser: string }> => {
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
    const toPhone = await session.offer('l_browser', 'l_phone', await browser.offer());
    const toBrowser = await session.answer('l_phone', 'l_browser', phone.sdp());
    browser.peer.takeAnswer(toBrowser);
    phone.speakTo(toPhone);
    await browser.speak();
    return { toPhone, toBrowser };
  };

  const phoneCalls = async (): Promise<{ toPhone: string; toBrowser: string }> => {
    session.addEnd('l_phone', { profile: 'plain' });
    session.addEnd('l_browser', { profile: 'webrtc' });
    const toBrowser = await session.offer('l_phone', 'l_browser', phone.sdp());
    const toPhone = await session.answer('l_browser', 'l_phone', await browser.answer(toBrowser));
    phone.speakTo(toPhone);
    await browser.speak();
    return { toPhone, toBrowser };
  };

  const bothHear = (): Promise<unknown> =>
    Promise.all([browser.waitForTone(phoneHz), phone.waitForTone(browserHz)]);

  it('carries a tone both ways when the browser calls', async () => {
    await browserCalls();
    await bothHear();
  });

  it('carries a tone both ways when the phone calls', async () => {
    await phoneCalls();
    await bothHear();
  });

  it('carries DTMF from the phone with the number that the browser knows', async () => {
    const { toPhone } = await browserCalls();
    await bothHear();
    phone.sendDigit('7', toPhone);
    const isEvent = (packet: Buffer): boolean => packet.readUInt8(1) % 128 === 101;
    for (let count = 1; !browser.peer.packets.some(isEvent); count += 1) await browser.peer.packet(count);
    assert.equal(browser.peer.packets.find(isEvent)?.readUInt8(12), 7);
  });

  it('tells the phone the ports that it knows, and raises the version only when something changes', async () => {
    const { toPhone, toBrowser } = await browserCalls();
    await bothHear();
    const reoffer = async (): Promise<string[]> => {
      const offer = await session.offer('l_phone', 'l_browser', phone.sdp());
      return [offer, await session.answer('l_browser', 'l_phone', browser.reanswer('sendrecv'))];
    };
    const [offer = '', answer = ''] = await reoffer();
    assert.equal(audioPort(offer), audioPort(toBrowser));
    assert.equal(audioPort(answer), audioPort(toPhone));
    await bothHear();
    // From here on rtpengine names only the candidate in use (RFC 8839 §4.4.1.2.2).
    const settled = await reoffer();
    assert.deepEqual(await reoffer(), settled);
    await bothHear();
  });

  for (const holder of ['phone', 'browser'] as const) {
    it(`keeps ports and ICE while the ${holder} holds the call, and the audio comes back on resume`, async () => {
      const { toPhone, toBrowser } = await browserCalls();
      await bothHear();
      const port = audioPort(toPhone);
      for (const direction of ['inactive', 'sendrecv'] as const) {
        if (holder === 'phone') {
          const offer = await session.offer('l_phone', 'l_browser', phone.sdp(direction));
          assert.match(offer, new RegExp(`^a=${direction}\\r$`, 'm'));
          assert.equal(attribute(offer, 'ice-ufrag'), attribute(toBrowser, 'ice-ufrag'));
          const answer = browser.reanswer(direction);
          const reply = await session.answer('l_browser', 'l_phone', answer);
          assert.equal(audioPort(reply), port);
        } else {
          const offer = await session.offer('l_browser', 'l_phone', browser.reoffer(direction));
          assert.match(offer, new RegExp(`^a=${direction}\\r$`, 'm'));
          assert.equal(audioPort(offer), port);
          assert.ok(originVersion(offer) > originVersion(toPhone));
          const reply = await session.answer('l_phone', 'l_browser', phone.sdp(direction));
          assert.equal(attribute(reply, 'ice-ufrag'), attribute(toBrowser, 'ice-ufrag'));
        }
        if (direction === 'sendrecv') await bothHear();
      }
    });
  }

  it('leaves the call as it was when a re-offer is refused', async () => {
    await browserCalls();
    await bothHear();
    const moved = await TonePhone.start(phoneHz);
    open.push(moved);
    await session.offer('l_phone', 'l_browser', moved.sdp());
    session.refuse('l_browser');
    await bothHear();
    assert.equal(moved.received, 0);
  });

  it('follows the phone to another port, and keeps its own', async () => {
    const { toPhone } = await browserCalls();
    await bothHear();
    const moved = await TonePhone.start(phoneHz);
    open.push(moved);
    await session.offer('l_phone', 'l_browser', moved.sdp());
    const reply = await session.answer('l_browser', 'l_phone', browser.reanswer('sendrecv'));
    assert.equal(audioPort(reply), audioPort(toPhone));
    phone.hush();
    moved.speakTo(reply);
    await Promise.all([moved.waitForTone(browserHz), browser.waitForTone(phoneHz)]);
  });

  it('starts anew with a browser that restarts ICE and DTLS, and keeps the ports towards the phone', async () => {
    const { toPhone, toBrowser } = await browserCalls();
    await bothHear();
    const restarted = new ToneBrowser(650);
    open.push(restarted);
    const offer = await session.offer('l_browser', 'l_phone', await restarted.offer());
    assert.equal(offer, toPhone, 'nothing changes for the phone');
    const answer = await session.answer('l_phone', 'l_browser', phone.sdp());
    assert.notEqual(attribute(answer, 'ice-ufrag'), attribute(toBrowser, 'ice-ufrag'));
    restarted.peer.takeAnswer(answer);
    browser.hush();
    await restarted.speak();
    await Promise.all([phone.waitForTone(650), restarted.waitForTone(phoneHz)]);
  });

  it('passes early media of one phone and then the media of another', async () => {
    const other = await TonePhone.start(1_500);
    open.push(other);
    session.addEnd('l_browser', { profile: 'webrtc' });
    const offer = await browser.offer();
    session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
    session.addEnd('l_other', { profile: 'plain', codecs: ['PCMU'] });
    const toPhone = await session.offer('l_browser', 'l_phone', offer);
    const toOther = await session.offer('l_browser', 'l_other', offer);
    const early = await session.answer('l_phone', 'l_browser', phone.sdp());
    browser.peer.takeAnswer(early);
    phone.speakTo(toPhone);
    await browser.speak();
    await bothHear();
    const final = await session.answer('l_other', 'l_browser', other.sdp());
    assert.equal(
      attribute(final, 'ice-ufrag'),
      attribute(early, 'ice-ufrag'),
      'one transport for the browser',
    );
    session.removeEnd('l_phone');
    other.speakTo(toOther);
    await Promise.all([browser.waitForTone(1_500), other.waitForTone(browserHz)]);
  });

  it('keeps the call when the first phone refuses and the next one takes it', async () => {
    const other = await TonePhone.start(1_500);
    open.push(other);
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
    const offer = await browser.offer();
    const toPhone = await session.offer('l_browser', 'l_phone', offer);
    browser.peer.takeAnswer(await session.answer('l_phone', 'l_browser', phone.sdp()));
    phone.speakTo(toPhone);
    await browser.speak();
    await bothHear();
    session.removeEnd('l_phone');
    session.addEnd('l_other', { profile: 'plain', codecs: ['PCMU'] });
    const toOther = await session.offer('l_browser', 'l_other', offer);
    await session.answer('l_other', 'l_browser', other.sdp());
    other.speakTo(toOther);
    await Promise.all([browser.waitForTone(1_500), other.waitForTone(browserHz)]);
  });

  it('takes the offer from the callee (late offer)', async () => {
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain' });
    const toBrowser = await session.offer('l_phone', 'l_browser', phone.sdp());
    const toPhone = await session.answer('l_browser', 'l_phone', await browser.answer(toBrowser));
    phone.speakTo(toPhone);
    await browser.speak();
    await bothHear();
  });

  it('drops packets to the port of the phone that come from elsewhere', async () => {
    const { toPhone } = await browserCalls();
    await bothHear();
    const stranger = await TonePhone.start(1_500);
    open.push(stranger);
    stranger.speakTo(toPhone);
    const before = phone.received;
    await browser.peer.packet(browser.peer.packets.length + 250);
    assert.equal(stranger.received, 0);
    assert.ok(phone.received > before);
    await bothHear();
    const [, ofPhone] = (await session.finalStats?.()) ?? [];
    assert.ok((ofPhone?.packetsDropped ?? 0) > 0);
  });

  it('carries the tones on over a network that loses 5 % and delays by up to 50 ms', async () => {
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
    const toPhone = await session.offer('l_browser', 'l_phone', await browser.offer());
    browser.peer.takeAnswer(await session.answer('l_phone', 'l_browser', phone.sdp()));
    const network = await LossyUdp.open(audioPort(toPhone), 0.05, 7, 50);
    try {
      phone.speakTo(toPhone.replace(/^m=audio \d+/m, `m=audio ${network.port}`));
      await browser.speak();
      await bothHear();
      await browser.peer.packet(browser.peer.packets.length + 100);
      await bothHear();
      assert.ok(network.losses.towards.dropped > 0 && network.losses.back.dropped > 0);
    } finally {
      phone.hush();
      await network.close();
    }
  });

  it('knows by RTCP how the packets of each end arrive', async () => {
    const [one, other] = [await RtpPhone.start(), await RtpPhone.start()];
    open.push(one, other);
    session.addEnd('l_one', { profile: 'plain' });
    session.addEnd('l_other', { profile: 'plain' });
    const toOther = await session.offer('l_one', 'l_other', one.sdp('0'));
    const toOne = await session.answer('l_other', 'l_one', other.sdp('0'));
    const [portOfOne, portOfOther] = [audioPort(toOne), audioPort(toOther)];
    for (let sequence = 1; sequence <= 5; sequence += 1) {
      one.send(rtpPacket(0, sequence, 'x'.repeat(160), 0xa), portOfOne);
      other.send(rtpPacket(0, sequence, 'x'.repeat(160), 0xb), portOfOther);
      await Promise.all([one.packet(sequence), other.packet(sequence)]);
    }
    const figures = async (): Promise<readonly MediaEndStats[]> => (await session.finalStats?.()) ?? [];
    // Reports of either side until rtpengine knows the round-trip time of both legs.
    for (let round = 1; ; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, networkMs));
      one.sendReport(
        senderReport(0xa, { ssrc: 0xb, lost: 0.1, jitterMs: 20, to: one.reports.at(-1) }),
        portOfOne + 1,
      );
      const report = await other.report(round);
      await new Promise((resolve) => setTimeout(resolve, networkMs));
      other.sendReport(
        senderReport(0xb, { ssrc: 0xa, lost: 0.05, jitterMs: 10, to: report }),
        portOfOther + 1,
      );
      await one.report(round);
      if ((await figures()).every(({ quality }) => quality !== undefined)) break;
    }
    assert.deepEqual(
      (await figures()).map(({ endId, quality }) => [endId, quality?.packetLoss, quality?.jitterMs]),
      [
        ['l_one', 5, 10],
        ['l_other', 10, 20],
      ],
    );
    for (const { quality } of await figures())
      assert.ok(quality?.mos !== undefined && quality.mos > 1 && quality.mos < 4.5);
  });

  it('carries a tone both ways between two browsers', async () => {
    const other = new ToneBrowser(650);
    open.push(other);
    session.addEnd('l_browser', { profile: 'webrtc' });
    session.addEnd('l_other', { profile: 'webrtc' });
    const toOther = await session.offer('l_browser', 'l_other', await browser.offer());
    browser.peer.takeAnswer(await session.answer('l_other', 'l_browser', await other.answer(toOther)));
    await Promise.all([browser.speak(), other.speak()]);
    await Promise.all([browser.waitForTone(650), other.waitForTone(browserHz)]);
  });

  it('joins IPv4 and IPv6', async () => {
    const [six, four] = [await RtpPhone.start('::1'), await RtpPhone.start()];
    open.push(six, four);
    session.addEnd('l_six', { profile: 'plain' });
    session.addEnd('l_four', { profile: 'plain' });
    const toFour = await session.offer('l_six', 'l_four', six.sdp('0'));
    assert.match(toFour, /^c=IN IP4 127\.0\.0\.1\r$/m);
    const toSix = await session.answer('l_four', 'l_six', four.sdp('0'));
    assert.match(toSix, /^c=IN IP6 ::1\r$/m);
    six.send(rtpPacket(0, 1, 'from six'), audioPort(toSix));
    assert.deepEqual(await four.packet(1), rtpPacket(0, 1, 'from six'));
    four.send(rtpPacket(0, 1, 'from four', 7), audioPort(toFour));
    assert.deepEqual(await six.packet(1), rtpPacket(0, 1, 'from four', 7));
    const again = await session.offer('l_four', 'l_six', four.sdp('0'));
    assert.equal(audioPort(again), audioPort(toSix));
    assert.match(again, /^c=IN IP6 ::1\r$/m);
  });

  it('takes the old way to hold, an address of zeros, and comes back from it', async () => {
    const { toPhone } = await browserCalls();
    await bothHear();
    const held = phone.sdp('sendonly').replace('c=IN IP4 127.0.0.1', 'c=IN IP4 0.0.0.0');
    const offer = await session.offer('l_phone', 'l_browser', held);
    assert.match(offer, /^a=sendonly\r$/m);
    const reply = await session.answer('l_browser', 'l_phone', browser.reanswer('recvonly'));
    assert.equal(audioPort(reply), audioPort(toPhone));
    await browser.waitForTone(phoneHz);
    await session.offer('l_phone', 'l_browser', phone.sdp());
    const resumed = await session.answer('l_browser', 'l_phone', browser.reanswer('sendrecv'));
    assert.equal(audioPort(resumed), audioPort(toPhone));
    await bothHear();
  });

  it('counts the packets of each end', async () => {
    await browserCalls();
    await bothHear();
    const stats = await session.finalStats?.();
    for (const end of stats ?? []) {
      assert.ok(end.packetsReceived > 10, end.endId);
      assert.ok(end.bytesReceived > 10 * 172, end.endId);
      assert.equal(end.codec, 'PCMU');
    }
    assert.equal(stats?.length, 2);
  });
});
