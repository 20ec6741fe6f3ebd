import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SipFailure } from '../../../sip/failure.js';
import type { MediaProfile } from '../../../sip/media/media-engine.js';
import { describeEnd, readTransport } from '../../../sip/media/rtpengine/end-description.js';
import { withSentNumbers } from '../../../sip/media/rtpengine/exchange.js';
import { answerFlags, offerFlags } from '../../../sip/media/rtpengine/leg-flags.js';
import type { Direction, SdpCodec, StreamDescription } from '../../../sip/sdp/description.js';
import { SdpEnd, type ReceivedDescription } from '../../../sip/sdp/offer-answer.js';
import { parseSession } from '../../../sip/sdp/session.js';
import { fixture, fixtureNames, pbxSdp } from '../../support/sdp-fixtures.js';

const address = { family: 4, host: '192.0.2.1' } as const;

function received(profile: MediaProfile, text: string): ReceivedDescription | SipFailure {
  return new SdpEnd({ profile, address, sessionId: '1', takesBothFamilies: true }).readOffer(text);
}

/** As they are read: opus has two channels always (RFC 7587 §7). */
const codec = fc
  .record(
    {
      payloadType: fc.integer({ min: 96, max: 127 }),
      name: fc.constantFrom('opus', 'G722', 'telephone-event', 'speex'),
      clockRate: fc.constantFrom(8_000, 16_000, 48_000),
      channels: fc.constantFrom(1, 2),
    },
    { noNullPrototype: true },
  )
  .map((one): SdpCodec => (one.name === 'opus' ? { ...one, channels: 2 } : one));
const stream: fc.Arbitrary<StreamDescription> = fc.record({
  codecs: fc.uniqueArray(codec, { selector: (one) => one.payloadType, minLength: 1, maxLength: 8 }),
  direction: fc.constantFrom<Direction>('sendrecv', 'sendonly', 'recvonly', 'inactive'),
});

/** Every line that rtpengine may see. */
const knownLine =
  /^(?:v=0|o=- 1 1 IN IP4 127\.0\.0\.1|s=-|t=0 0|c=IN IP[46] \S+|m=audio \d+ (?:RTP\/AVP|UDP\/TLS\/RTP\/SAVPF)(?: \d+)+|a=(?:rtpmap|fmtp|rtcp|mid|setup|ice-ufrag|ice-pwd|fingerprint|candidate):.+|a=(?:sendrecv|sendonly|recvonly|inactive|rtcp-mux|end-of-candidates))$/;

describe('what rtpengine is told of an end', () => {
  const readable = fixtureNames().flatMap((name) =>
    (['webrtc', 'plain'] as const).flatMap((profile) => {
      const offer = received(profile, fixture(name));
      return offer instanceof SipFailure ? [] : [{ name, profile, offer }];
    }),
  );

  it('is one audio line with the transport of the end and the codecs that were chosen', () => {
    assert.ok(readable.length > 10);
    fc.assert(
      fc.property(fc.constantFrom(...readable), stream, ({ profile, offer }, chosen) => {
        const sdp = describeEnd(profile, offer.section, chosen);
        for (const line of sdp.trimEnd().split('\r\n')) assert.match(line, knownLine);
        const session = parseSession(sdp);
        assert.ok(!(session instanceof SipFailure));
        const [section, ...others] = session.media;
        assert.ok(section !== undefined && others.length === 0);
        assert.deepEqual(section.codecs, chosen.codecs);
        assert.equal(section.direction, chosen.direction);
        assert.deepEqual(section.ice, profile === 'webrtc' ? offer.section.ice : undefined);
        assert.deepEqual(section.fingerprint, profile === 'webrtc' ? offer.section.fingerprint : undefined);
        if (profile === 'plain') assert.deepEqual(section.address, offer.section.address);
      }),
    );
  });

  it('names no address of a browser but its candidates', () => {
    const offer = received(
      'webrtc',
      fixture('audio-offer').replace(/^c=IN IP4 .*$/m, 'c=IN IP4 198.51.100.9'),
    );
    assert.ok(!(offer instanceof SipFailure));
    const sdp = describeEnd('webrtc', offer.section, offer.stream);
    assert.match(sdp, /^c=IN IP4 127\.0\.0\.1\r$/m);
    assert.match(sdp, /^m=audio 9 /m);
  });

  it('gives candidates of both families, and no names', () => {
    const lines = ['192.0.2.7', '2001:db8::7', 'abc.local'].map(
      (host) => `a=candidate:1 1 udp 2113937151 ${host} 5000 typ host`,
    );
    const bare = fixture('audio-offer').replace(/^a=candidate:.*\r\n/gm, '');
    const offer = received('webrtc', `${bare}${lines.join('\r\n')}\r\n`);
    assert.ok(!(offer instanceof SipFailure));
    const sdp = describeEnd('webrtc', offer.section, offer.stream);
    assert.deepEqual(
      [...sdp.matchAll(/^a=candidate:\S+ 1 \S+ \d+ (\S+) /gm)].map(([, host]) => host),
      ['192.0.2.7', '2001:db8::7'],
    );
  });

  it('keeps the RTCP port of a plain end', () => {
    const offer = received('plain', pbxSdp('0', ['a=rtcp:4010']));
    assert.ok(!(offer instanceof SipFailure));
    assert.match(describeEnd('plain', offer.section, offer.stream), /^a=rtcp:4010\r$/m);
  });
});

describe('what rtpengine tells', () => {
  it('is read from captured answers of it', () => {
    const browser = readTransport('webrtc', fixture('rtpengine-answer-to-browser'));
    assert.ok(browser.profile === 'webrtc');
    assert.deepEqual(
      [browser.port, browser.setup, browser.ice.ufrag, browser.candidates?.length],
      [30_216, 'active', 'qnnfYAR8', 1],
    );
    const pbx = readTransport('plain', pbxSdp('0', ['a=rtcp:4009'], '127.0.0.1'));
    assert.ok(pbx.profile === 'plain');
    assert.deepEqual([pbx.address.host, pbx.rtpPort, pbx.rtcpPort], ['127.0.0.1', 4_000, 4_009]);
  });

  const lacking: Readonly<Record<string, readonly [MediaProfile, string]>> = {
    'that is not SDP': ['plain', 'hello'],
    'without media': ['plain', 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n'],
    'with a refused line': ['plain', pbxSdp('0').replace('m=audio 4000', 'm=audio 0')],
    'without an address': ['plain', pbxSdp('0').replace(/^c=.*\r\n/m, '')],
    'without ICE for a browser': ['webrtc', pbxSdp('0')],
  };
  for (const [what, [profile, sdp]] of Object.entries(lacking)) {
    it(`is refused ${what}`, () => {
      assert.throws(
        () => readTransport(profile, sdp),
        (thrown) => thrown instanceof SipFailure && thrown.code === 'media.failed',
      );
    });
  }
});

describe('flags for rtpengine', () => {
  const profiles = ['webrtc', 'plain'] as const;

  it('never set what breaks a leg, always keep ports, and hold plain ends to their source', () => {
    for (const profile of profiles) {
      for (const flagsOf of [offerFlags, answerFlags]) {
        const other = profile === 'plain' ? 'webrtc' : 'plain';
        const flags = flagsOf({ profile: other }, { id: 'l_1', profile, isKeyed: false, family: 6 });
        assert.equal(flags['DTLS'], undefined);
        assert.equal(flags['address-family'], 'IP6');
        const list = flags['flags'];
        assert.ok(Array.isArray(list));
        for (const flag of ['trust-address', 'port-latching']) assert.ok(list.includes(flag));
        assert.equal(list.includes('strict-source'), other === 'plain');
        assert.equal(list.includes('asymmetric'), other === 'webrtc');
      }
    }
  });

  it('ask for rtcp-mux towards a browser and for two ports towards a PBX', () => {
    const muxOf = (profile: MediaProfile) => ({
      offer: offerFlags({ profile }, { id: 'l_1', profile, isKeyed: false, family: 4 })['rtcp-mux'],
      answer: answerFlags({ profile }, { id: 'l_1', profile, isKeyed: false, family: 4 })['rtcp-mux'],
    });
    assert.deepEqual(muxOf('webrtc'), { offer: ['offer', 'require'], answer: ['require'] });
    assert.deepEqual(muxOf('plain'), { offer: ['demux'], answer: ['demux'] });
  });
});

describe('payload types over rtpengine', () => {
  const opus = (payloadType: number): SdpCodec => ({
    payloadType,
    name: 'opus',
    clockRate: 48_000,
    channels: 2,
  });
  const pcmu: SdpCodec = { payloadType: 0, name: 'PCMU', clockRate: 8_000, channels: 1 };
  const event = (payloadType: number): SdpCodec => ({
    payloadType,
    name: 'telephone-event',
    clockRate: 8_000,
    channels: 1,
  });
  const offered = (codecs: readonly SdpCodec[]): ReceivedDescription => {
    const offer = received('plain', pbxSdp('0'));
    assert.ok(!(offer instanceof SipFailure));
    return { ...offer, stream: { ...offer.stream, codecs } };
  };
  const sent = (codecs: readonly SdpCodec[], answered: readonly SdpCodec[]): readonly number[] =>
    withSentNumbers(offered(codecs), answered).stream.codecs.map(({ payloadType }) => payloadType);

  it('pass through: events are sent with the number that the answerer takes', () => {
    assert.deepEqual(sent([opus(111), pcmu, event(126)], [pcmu, event(101)]), [111, 0, 101]);
    assert.deepEqual(sent([pcmu, event(126)], [pcmu, event(126)]), [0, 126]);
    assert.deepEqual(sent([pcmu, event(126)], [pcmu]), [0, 126]);
  });

  it('are rewritten by rtpengine when an audio codec has another number, so the own ones hold', () => {
    assert.deepEqual(sent([opus(111), event(126)], [opus(96), event(101)]), [111, 126]);
  });
});
