import assert from 'node:assert/strict';
import { SipFailure } from '../../../sip/failure.js';
import { usableCandidates } from '../../../sip/sdp/candidates.js';
import { isHold } from '../../../sip/sdp/hold.js';
import { attribute } from '../../support/media-session.js';
import { codecNames, mediaLines, ourKey, sdpEnd, SdpPair, unrefused } from '../../support/sdp-ends.js';
import { fixture } from '../../support/sdp-fixtures.js';

/** What only a browser understands. */
const webrtcOnly =
  /a=(ice-|candidate|end-of-candidates|fingerprint|setup|mid|msid|group|extmap|ssrc|rtcp-mux|rtcp-fb|rtcp-rsize|rtcp-xr|bundle-only)/;
/** What only the PBX's own transport meant. */
const plainOnly =
  /a=(crypto|rtcp:|label|tool|silenceSupp|avf|csup|tcap|T38)|b=|198\.51\.100|2001:db8:100|UserAgent|Asterisk|Twilio/;

const browserShapes: readonly (readonly [name: string, codecs: readonly string[], candidates: number])[] = [
  [
    'audio-offer',
    ['opus/48000/2', 'G722/8000', 'PCMU/8000', 'PCMA/8000', 'telephone-event/48000', 'telephone-event/8000'],
    1,
  ],
  ['audio-g711-prefs-offer', ['PCMU/8000', 'PCMA/8000', 'telephone-event/8000'], 1],
  [
    'audio-offer-mdns',
    ['opus/48000/2', 'G722/8000', 'PCMU/8000', 'PCMA/8000', 'telephone-event/48000', 'telephone-event/8000'],
    0,
  ],
  ['firefox-offer', ['opus/48000/2', 'G722/8000', 'PCMU/8000', 'PCMA/8000', 'telephone-event/8000'], 1],
  [
    'safari-offer',
    ['opus/48000/2', 'G722/8000', 'PCMU/8000', 'PCMA/8000', 'telephone-event/48000', 'telephone-event/8000'],
    1,
  ],
];

const pbxShapes: readonly (readonly [name: string, codecs: readonly string[], direction: string])[] = [
  [
    'asterisk-offer',
    ['opus/48000/2', 'G722/8000', 'PCMU/8000', 'PCMA/8000', 'telephone-event/8000'],
    'sendrecv',
  ],
  ['asterisk-hold-offer', ['PCMU/8000', 'telephone-event/8000'], 'sendonly'],
  [
    'freeswitch-offer',
    ['opus/48000/2', 'G722/8000', 'PCMU/8000', 'PCMA/8000', 'telephone-event/48000', 'telephone-event/8000'],
    'sendrecv',
  ],
  ['cisco-cube-offer', ['PCMU/8000', 'telephone-event/8000'], 'sendrecv'],
  ['avaya-offer', ['PCMU/8000', 'PCMA/8000', 'telephone-event/8000'], 'sendrecv'],
  ['twilio-offer', ['PCMU/8000', 'PCMA/8000', 'telephone-event/8000'], 'sendrecv'],
  ['baresip-offer-plain', ['PCMU/8000', 'PCMA/8000', 'telephone-event/8000'], 'sendrecv'],
  ['video-phone-offer', ['PCMU/8000', 'PCMA/8000', 'telephone-event/8000'], 'sendrecv'],
];

const srtpShapes: readonly (readonly [name: string, tag: number, suite: string])[] = [
  ['asterisk-srtp-offer', 1, 'AES_CM_128_HMAC_SHA1_80'],
  ['freeswitch-srtp-offer', 3, 'AES_CM_128_HMAC_SHA1_80'],
  ['cisco-cube-srtp-offer', 3, 'AES_CM_128_HMAC_SHA1_80'],
  ['avaya-srtp-offer', 3, 'AES_CM_128_HMAC_SHA1_32'],
  ['teams-offer', 1, 'AES_CM_128_HMAC_SHA1_80'],
  ['twilio-srtp-offer', 1, 'AES_CM_128_HMAC_SHA1_80'],
  ['baresip-offer-srtp-mand', 1, 'AES_CM_128_HMAC_SHA1_80'],
];

const asAnswer = (name: string): string => fixture(name).replaceAll('a=setup:actpass', 'a=setup:active');

describe('a browser’s offer for a PBX', () => {
  for (const [name, codecs, candidates] of browserShapes) {
    describe(`shaped as ${name}`, () => {
      it('keeps codecs and direction, and nothing that only a browser understands', () => {
        const { text } = new SdpPair(sdpEnd('webrtc'), sdpEnd('plain')).offer(fixture(name)).sent;
        assert.deepEqual(codecNames(text), codecs);
        assert.match(text, /^m=audio 20000 RTP\/AVP /m);
        assert.match(text, /^a=sendrecv\r$/m);
        assert.doesNotMatch(text, webrtcOnly);
      });

      it('leaves only the codecs of the trunk, in the trunk’s order', () => {
        const pair = new SdpPair(sdpEnd('webrtc'), sdpEnd('plain', { codecs: ['PCMA', 'PCMU'] }));
        assert.deepEqual(codecNames(pair.offer(fixture(name)).sent.text), [
          'PCMA/8000',
          'PCMU/8000',
          'telephone-event/8000',
        ]);
      });

      it('has the candidates that can be sent to', () => {
        const { section } = unrefused(sdpEnd('webrtc').readOffer(fixture(name)));
        assert.equal(usableCandidates(section.candidates, 4).length, candidates);
      });

      for (const [pbx] of pbxShapes.filter(([, known]) => known.includes('PCMU/8000'))) {
        it(`answered by ${pbx}, gets an answer with its own numbers and lines`, () => {
          const pair = new SdpPair(sdpEnd('webrtc'), sdpEnd('plain', { codecs: ['PCMU'] }));
          const offer = pair.offer(fixture(name));
          const reply = pair.answer(offer, fixture(pbx));
          const event = /^a=rtpmap:(\d+) telephone-event\/8000/m.exec(fixture(name))?.[1] ?? '';
          const [audio, ...others] = mediaLines(reply);
          assert.equal(audio, `audio 20002 UDP/TLS/RTP/SAVPF 0 ${event}`);
          assert.equal(others.length, mediaLines(fixture(name)).length - 1);
          for (const line of others) assert.match(line, /^\w+ 0 /);
          assert.equal(attribute(reply, 'setup'), 'passive');
          assert.equal(attribute(reply, 'mid'), attribute(fixture(name), 'mid'));
          assert.doesNotMatch(reply, plainOnly);
        });
      }
    });
  }
});

describe('a PBX’s offer for a browser', () => {
  for (const [name, codecs, direction] of pbxShapes) {
    describe(`shaped as ${name}`, () => {
      it('keeps codecs and direction, and nothing of the PBX’s transport', () => {
        const { text } = new SdpPair(sdpEnd('plain'), sdpEnd('webrtc')).offer(fixture(name)).sent;
        assert.deepEqual(codecNames(text), codecs);
        assert.match(text, new RegExp(`^a=${direction}\\r$`, 'm'));
        assert.match(text, /^a=setup:actpass\r$/m);
        assert.match(text, /^a=group:BUNDLE 0\r$/m);
        assert.match(text, /^a=rtcp-mux\r$/m);
        assert.doesNotMatch(text, plainOnly);
      });

      for (const browser of ['chromium-answer-to-g711-pbx-offer', 'firefox-offer', 'safari-offer']) {
        it(`answered by ${browser}, gets an answer with its own numbers`, () => {
          const pair = new SdpPair(sdpEnd('plain'), sdpEnd('webrtc', { codecs: ['PCMU'] }));
          const reply = pair.answer(pair.offer(fixture(name)), asAnswer(browser));
          const event = /^a=rtpmap:(\d+) telephone-event\/8000/m.exec(fixture(name))?.[1] ?? '101';
          const [audio, ...others] = mediaLines(reply);
          assert.match(audio ?? '', new RegExp(`^audio 20000 RTP/AVP 0( ${event})?$`));
          assert.equal(others.length, mediaLines(fixture(name)).length - 1);
          assert.doesNotMatch(reply, webrtcOnly);
        });
      }
    });
  }

  it('on IPv6 is taken by an end with an IPv6 address, with RTCP where it wants it', () => {
    const end = sdpEnd('plain', { address: { family: 6, host: '2001:db8::5' } });
    const { section } = unrefused(end.readOffer(fixture('ipv6-pbx-offer')));
    assert.deepEqual(section.address, { family: 6, host: '2001:db8:100::10' });
    assert.deepEqual(section.rtcp, { port: 14_540, address: { family: 6, host: '2001:db8:100::11' } });
  });

  it('of a fax alone is refused with the line', () => {
    const refused = sdpEnd('plain').readOffer(fixture('fax-offer'));
    assert.ok(refused instanceof SipFailure);
    assert.equal(refused.status, 488);
    assert.match(refused.headers[0]?.[1] ?? '', /^304 webtrunk "m=image \(line 1\)/);
  });

  it('that holds is known for that', () => {
    assert.equal(isHold(fixture('asterisk-hold-offer')), true);
    assert.equal(isHold(fixture('asterisk-offer')), false);
  });
});

describe('a PBX’s offer of SRTP with keys in SDP', () => {
  for (const [name, tag, suite] of srtpShapes) {
    describe(`shaped as ${name}`, () => {
      it('is refused with 488 and the line by an end without SRTP', () => {
        const refused = sdpEnd('plain').readOffer(fixture(name));
        assert.ok(refused instanceof SipFailure);
        assert.equal(refused.status, 488);
        assert.match(refused.headers[0]?.[1] ?? '', /^302 webtrunk "m=audio \(line 1\): transport RTP\/SAVP/);
      });

      it('is answered with the line of its own that we take, and with our key', () => {
        const pair = new SdpPair(sdpEnd('plain', { srtp: 'optional' }), sdpEnd('webrtc'));
        const offer = pair.offer(fixture(name));
        assert.equal(offer.received.crypto?.suite, suite);
        assert.doesNotMatch(offer.sent.text, /crypto|SAVP 0/);
        const reply = pair.answer(offer, fixture('chromium-answer-to-g711-pbx-offer'));
        assert.match(reply, /^m=audio 20000 RTP\/SAVP 0/m);
        assert.deepEqual(reply.match(/^a=crypto:.*(?=\r$)/gm), [`a=crypto:${tag} ${suite} inline:${ourKey}`]);
      });
    });
  }

  it('without a line that can be agreed on is refused with what is missing', () => {
    const text = fixture('twilio-srtp-offer').replace('AES_CM_128_HMAC_SHA1_80', 'F8_128_HMAC_SHA1_80');
    const refused = sdpEnd('plain', { srtp: 'required' }).readOffer(text);
    assert.ok(refused instanceof SipFailure);
    assert.match(refused.headers[0]?.[1] ?? '', /^302 .*no usable a=crypto, only AES_CM_128_HMAC_SHA1_80/);
  });

  it('is demanded where it is required', () => {
    const refused = sdpEnd('plain', { srtp: 'required' }).readOffer(fixture('twilio-offer'));
    assert.ok(refused instanceof SipFailure);
    assert.match(refused.headers[0]?.[1] ?? '', /^302 .*RTP\/AVP is not taken here, only RTP\/SAVP/);
  });
});
