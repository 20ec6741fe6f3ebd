import assert from 'node:assert/strict';
import { SipFailure } from '../../../sip/failure.js';
import { offerAsAnswer } from '../../../sip/sdp/offer-as-answer.js';
import { mediaLines, sdpEnd, SdpPair } from '../../support/sdp-ends.js';
import { fixture, fixtureNames, pbxSdp } from '../../support/sdp-fixtures.js';

describe('an offer in the shape of an answer', () => {
  it('has the formats that the end was told, its own DTLS role, and the lines off that are off', () => {
    const pair = new SdpPair(sdpEnd('webrtc'), sdpEnd('plain', { codecs: ['PCMU'] }));
    const offer = fixture('audio-data-offer');
    const told = pair.answer(pair.offer(offer), pbxSdp('0'));
    const answer = offerAsAnswer(offer, told);
    assert.match(answer, /^m=audio \d+ UDP\/TLS\/RTP\/SAVPF 0\r$/m);
    assert.match(mediaLines(answer)[1] ?? '', /^application 0 /);
    assert.match(answer, /^a=setup:active\r$/m);
    assert.doesNotMatch(answer, /actpass/);
  });

  it('answers an offer of the other side for the same formats, and no other', () => {
    const pair = new SdpPair(sdpEnd('webrtc'), sdpEnd('plain'));
    const offer = fixture('audio-offer');
    const told = pair.answer(pair.offer(offer), pbxSdp('0'));
    const back = pair.reversed;
    const reply = back.answer(back.offer(pbxSdp('0 8')), offerAsAnswer(offer, told));
    assert.match(mediaLines(reply)[0] ?? '', /^audio 20000 RTP\/AVP 0$/);
    const other = back.offer(pbxSdp('8'));
    const refused = back.answerer.readAnswer(offerAsAnswer(offer, told), other.sent, 'caller');
    assert.ok(refused instanceof SipFailure);
    assert.equal(refused.code, 'media.not_acceptable');
  });

  it('keeps as many lines as the offer, whatever the answer has', () => {
    for (const name of fixtureNames()) {
      for (const told of ['', fixture('audio-answer'), 'm=', 'nonsense']) {
        assert.equal(mediaLines(offerAsAnswer(fixture(name), told)).length, mediaLines(fixture(name)).length);
      }
    }
  });
});
