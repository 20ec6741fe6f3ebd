import assert from 'node:assert/strict';
import type { DtmfTone, MediaListener, MediaSession } from '../../../sip/media/media-engine.js';
import type { RelayEngine } from '../../../sip/media/relay/relay-engine.js';
import { audioPort, relayOnLoopback, until } from '../../support/media-session.js';
import { RtpPhone, rtpPacket } from '../../support/rtp-phone.js';

const events = ['a=rtpmap:101 telephone-event/8000', 'a=fmtp:101 0-15'];

describe('DTMF of an end that calls and has it in signalling', () => {
  const heard: [string, DtmfTone][] = [];
  const listener: MediaListener = {
    timeout: () => assert.fail('the media timed out'),
    dtmf: (endId, tone) => heard.push([endId, tone]),
  };
  let relay: RelayEngine;
  let session: MediaSession;
  let pbx: RtpPhone;
  let phone: RtpPhone;
  let toPhone: string;
  let toPbx: string;

  beforeEach(async () => {
    heard.length = 0;
    relay = relayOnLoopback();
    [pbx, phone] = [await RtpPhone.start(), await RtpPhone.start()];
    session = relay.createSession('c_dtmf', listener);
    session.addEnd('l_pbx', { profile: 'plain', codecs: ['PCMU'], dtmf: 'signalled' });
    session.addEnd('l_phone', { profile: 'plain', codecs: ['PCMU'] });
    toPhone = await session.offer('l_pbx', 'l_phone', pbx.sdp('0 101', events));
    toPbx = await session.answer('l_phone', 'l_pbx', phone.sdp('0 101', events));
  });

  afterEach(async () => {
    pbx.close();
    phone.close();
    await relay.close();
  });

  it('offers events of the relay to the other end, and agrees on none with the first', () => {
    assert.match(toPhone, /a=rtpmap:101 telephone-event\/8000/);
    assert.doesNotMatch(toPbx, /telephone-event/);
  });

  it('drops events that it sends all the same', async () => {
    pbx.send(rtpPacket(101, 1, '\x05\x8a\x05\x00', 0xa), audioPort(toPbx));
    pbx.send(rtpPacket(0, 2, 'audio', 0xa), audioPort(toPbx));
    assert.equal((await phone.packet(1)).readUInt8(1), 0);
    assert.deepEqual(heard, []);
  });

  it('is told the tones of the other end, which do not reach its RTP', async () => {
    const end = Buffer.concat([rtpPacket(101, 1, '', 0xb), Buffer.from([5, 0x8a, 0x05, 0x00])]);
    for (let time = 0; time < 3; time += 1) phone.send(end, audioPort(toPhone));
    phone.send(rtpPacket(0, 2, 'audio', 0xb), audioPort(toPhone));
    assert.equal((await pbx.packet(1)).readUInt8(1), 0);
    assert.deepEqual(heard, [['l_phone', { digit: '5', durationMs: 160 }]]);
  });

  it('has tones sent to the other end while it sends audio, and not without', async () => {
    const tone = { digit: '9', durationMs: 60 };
    assert.equal(await session.sendDtmf?.('l_phone', tone), false);
    assert.equal(await session.sendDtmf?.('l_pbx', tone), false);
    assert.equal(await session.sendDtmf?.('l_nobody', tone), false);
    pbx.send(rtpPacket(0, 1, 'audio', 0xa), audioPort(toPbx));
    await phone.packet(1);
    assert.equal(await session.sendDtmf?.('l_phone', tone), true);
    for (let sequence = 2; sequence <= 6; sequence += 1) {
      pbx.send(rtpPacket(0, sequence, 'audio', 0xa), audioPort(toPbx));
      await phone.packet(sequence);
    }
    await until(() => phone.packets.length === 6);
    assert.deepEqual(
      phone.packets.map((packet) => packet.readUInt8(1)),
      [0, 0x80 | 101, 101, 101, 101, 101],
    );
    assert.equal(phone.packets.at(-1)?.readUInt16BE(14), 480);
  });
});
