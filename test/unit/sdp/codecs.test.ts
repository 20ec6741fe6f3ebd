import assert from 'node:assert/strict';
import { SipFailure } from '../../../sip/failure.js';
import { answeredCodecs, shareCodecs } from '../../../sip/sdp/codecs.js';
import type { LocalTransport, SdpCodec } from '../../../sip/sdp/description.js';
import { SdpEnd } from '../../../sip/sdp/offer-answer.js';
import { offeredStream } from '../../../sip/sdp/offered-streams.js';
import { notAgreed, payloadMap, PayloadTypes, renumber } from '../../../sip/sdp/payload-types.js';
import { parseSession } from '../../../sip/sdp/session.js';
import { fixture, pbxSdp } from '../../support/sdp-fixtures.js';

const codec = (payloadType: number, name: string, clockRate = 8_000, channels = 1): SdpCodec => ({
  payloadType,
  name,
  clockRate,
  channels,
});
const opus = codec(111, 'opus', 48_000, 2);
const red = codec(63, 'red', 48_000, 2);
const g722 = codec(9, 'G722');
const pcmu = codec(0, 'PCMU');
const pcma = codec(8, 'PCMA');
const events48 = codec(110, 'telephone-event', 48_000);
const events8 = codec(126, 'telephone-event');
const chromium = [opus, red, g722, pcmu, pcma, events48, events8];

describe('sharing codecs', () => {
  it("follows the receiver's list and order", () => {
    assert.deepEqual(shareCodecs(chromium, undefined, ['PCMA', 'PCMU']), [pcma, pcmu, events8]);
  });

  it("follows the offer's order when the receiver has no list", () => {
    assert.deepEqual(shareCodecs([pcma, opus], undefined, undefined), [pcma, opus]);
  });

  it('passes telephone-events at the clock rates in use, and at 8000 Hz always', () => {
    assert.deepEqual(shareCodecs(chromium, undefined, ['opus']), [opus, events48, events8]);
    assert.deepEqual(shareCodecs(chromium, undefined, ['PCMU']), [pcmu, events8]);
    assert.deepEqual(shareCodecs(chromium, undefined, ['pcmu', 'OPUS']), [pcmu, opus, events48, events8]);
  });

  it('leaves out what either end does not take, and what nobody knows', () => {
    assert.deepEqual(shareCodecs(chromium, ['opus', 'PCMU'], ['PCMU', 'G722']), [pcmu, events8]);
    assert.deepEqual(shareCodecs([red, codec(13, 'CN')], undefined, undefined), []);
  });

  it('is empty when only telephone-events are shared', () => {
    assert.deepEqual(shareCodecs(chromium, undefined, ['G729']), []);
  });

  it('passes a codec that both ends list even if we do not know it', () => {
    const g729 = codec(18, 'G729');
    assert.deepEqual(shareCodecs([g729, pcmu], ['G729', 'PCMU'], ['g729']), [g729]);
  });

  it('takes each codec once', () => {
    assert.deepEqual(
      shareCodecs([pcmu, codec(96, 'pcmu'), opus, codec(97, 'opus', 48_000)], undefined, undefined),
      [pcmu, opus],
    );
  });
});

describe('the codecs that an answer leaves', () => {
  it('have its order and payload types', () => {
    const answered = [codec(0, 'PCMU'), codec(97, 'opus', 48_000, 2), codec(101, 'telephone-event')];
    assert.deepEqual(answeredCodecs(['97', '0', '101'], answered, chromium), [
      answered[1],
      answered[0],
      answered[2],
    ]);
  });

  it('are only those that were offered', () => {
    assert.deepEqual(answeredCodecs(['18', '8'], [codec(18, 'G729'), pcma], [pcmu, pcma]), [pcma]);
  });

  it('have the meaning of the offer where the answer writes no rtpmap', () => {
    assert.deepEqual(answeredCodecs(['111', '126'], [], [opus, events8]), [opus, events8]);
    assert.deepEqual(answeredCodecs(['111', '99'], [], [opus, events48]), [opus]);
  });

  it('are none when only telephone-events are left', () => {
    assert.deepEqual(answeredCodecs(['126'], [events8], chromium), []);
  });
});

describe('opus of a PBX that names one channel', () => {
  const address = { family: 4, host: '203.0.113.5' } as const;
  const lines = ['a=rtpmap:107 OPUS/48000', 'a=fmtp:107 stereo=0'];
  const ends = (): { pbx: SdpEnd; browser: SdpEnd } => ({
    pbx: new SdpEnd({ profile: 'plain', address, sessionId: '1' }),
    browser: new SdpEnd({ profile: 'webrtc', address, sessionId: '2' }),
  });
  const ok = <T>(result: T | SipFailure): T => {
    assert.ok(!(result instanceof SipFailure), String(result));
    return result;
  };
  const ours: LocalTransport = {
    profile: 'webrtc',
    address,
    port: 20_002,
    ice: { ufrag: 'ours', pwd: 'abcdefghijklmnopqrstuv' },
    fingerprint: { algorithm: 'sha-256', value: Array<string>(32).fill('AB').join(':') },
    setup: 'passive',
  };

  it('is offered to a browser with two (RFC 7587 §7)', () => {
    const { pbx, browser } = ends();
    const received = ok(pbx.readOffer(pbxSdp('107', lines)));
    const { text } = browser.writeOffer(ok(offeredStream(received, pbx, browser)), {
      ...ours,
      setup: 'actpass',
    });
    assert.match(text, /^a=rtpmap:107 OPUS\/48000\/2\r\na=fmtp:107 stereo=0\r$/m);
  });

  it('is answered to a browser with two', () => {
    const { pbx, browser } = ends();
    const received = ok(browser.readOffer(fixture('audio-offer')));
    const sent = pbx.writeOffer(ok(offeredStream(received, browser, pbx)), {
      profile: 'plain',
      address,
      rtpPort: 20_000,
      rtcpPort: 20_001,
    });
    const { stream } = ok(pbx.readAnswer(pbxSdp('107', lines), sent, 'callee'));
    assert.match(browser.writeAnswer(received, stream, ours), /^a=rtpmap:111 opus\/48000\/2\r$/im);
  });

  it('leaves the channels of others alone', () => {
    const session = ok(parseSession(pbxSdp('96 97', ['a=rtpmap:96 L16/44100', 'a=rtpmap:97 L16/44100/2'])));
    assert.deepEqual(
      session.media[0]?.codecs.map(({ channels }) => channels),
      [1, 2],
    );
  });
});

describe('payload types of an end', () => {
  it('keep the offered numbers when they are free, and static ones always', () => {
    const types = new PayloadTypes();
    assert.deepEqual(types.assign([opus, pcmu, events8]), [opus, pcmu, events8]);
    assert.deepEqual(types.assign([codec(96, 'PCMA')]), [pcma]);
  });

  it('stay the same for the whole call', () => {
    const types = new PayloadTypes();
    types.assign([opus]);
    assert.deepEqual(types.assign([{ ...opus, payloadType: 97 }]), [opus]);
  });

  it("follow the end's own SDP and never mean two things", () => {
    const types = new PayloadTypes();
    types.assign([opus]);
    types.learn([codec(111, 'telephone-event')]);
    assert.deepEqual(types.assign([opus, events8]), [
      { ...opus, payloadType: 96 },
      { ...events8, payloadType: 111 },
    ]);
  });

  it('leave out a codec when no number is free', () => {
    const types = new PayloadTypes();
    const many = Array.from({ length: 62 }, (_, index) => codec(96, `x${index}`));
    assert.equal(types.assign(many).length, 61);
  });

  it('are rewritten between two ends by what the codec is', () => {
    const map = payloadMap([pcmu, events8], [pcmu, codec(101, 'Telephone-Event')]);
    assert.equal(map[0], 0);
    assert.equal(map[126], 101);
    assert.equal(map[101], notAgreed);
    assert.equal(map[8], notAgreed);
    assert.deepEqual(renumber([pcmu, pcma], [codec(96, 'PCMU')]), [codec(96, 'PCMU')]);
  });
});
