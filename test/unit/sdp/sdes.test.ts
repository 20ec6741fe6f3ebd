import assert from 'node:assert/strict';
import { SipFailure } from '../../../sip/failure.js';
import { ownCrypto } from '../../../sip/sdp/crypto.js';
import type { LocalTransport, StreamDescription } from '../../../sip/sdp/description.js';
import type { SdpEnd, SentOffer } from '../../../sip/sdp/offer-answer.js';
import { ourTransports, sdpEnd } from '../../support/sdp-ends.js';
import { pbxSdp } from '../../support/sdp-fixtures.js';

const stream: StreamDescription = {
  codecs: [{ payloadType: 0, name: 'PCMU', clockRate: 8000, channels: 1 }],
  direction: 'sendrecv',
};
const suites = ['AES_CM_128_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_32'];
const crypto = suites.map((suite, index) =>
  ownCrypto(index + 1, suite, (sizeBytes) => Buffer.alloc(sizeBytes, index + 1)),
);
const plain = ourTransports.plain;
const secured: LocalTransport = plain.profile === 'plain' ? { ...plain, crypto } : plain;
const theirKey = Buffer.alloc(30, 9).toString('base64');

const answer = (line: string): string => pbxSdp('0', [line]).replace('RTP/AVP', 'RTP/SAVP');

describe('our offer of SRTP with keys in SDP', () => {
  let end: SdpEnd;
  let offer: SentOffer;
  beforeEach(() => {
    end = sdpEnd('plain', { srtp: 'required' });
    offer = end.writeOffer(stream, secured);
  });

  it('has one key line for each suite', () => {
    assert.match(offer.text, /^m=audio 20000 RTP\/SAVP 0\r$/m);
    assert.deepEqual(
      offer.text.match(/^a=crypto:.*(?=\r$)/gm),
      crypto.map(({ tag, suite, key }) => `a=crypto:${tag} ${suite} inline:${key}`),
    );
  });

  it('takes an answer that names one of them, with the key of the other side', () => {
    const read = end.readAnswer(
      answer(`a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:${theirKey}`),
      offer,
      'callee',
    );
    assert.ok(!(read instanceof SipFailure));
    assert.equal(read.section.crypto?.[0]?.key, theirKey);
    assert.equal(read.crypto?.suite, 'AES_CM_128_HMAC_SHA1_32');
  });

  for (const [what, line] of [
    ['another tag', `a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:${theirKey}`],
    ['another suite than its tag says', `a=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:${theirKey}`],
    ['no key', 'a=ptime:20'],
  ] as const) {
    it(`refuses an answer with ${what}`, () => {
      const read = end.readAnswer(answer(line), offer, 'callee');
      assert.ok(read instanceof SipFailure);
      assert.equal(read.code, 'media.not_acceptable');
      assert.equal(read.party, 'callee');
      assert.match(read.headers[0]?.[1] ?? '', /^302 webtrunk "m=audio \(line 1\): no /);
    });
  }

  it('refuses an answer without encryption', () => {
    const read = end.readAnswer(pbxSdp('0'), offer, 'callee');
    assert.ok(read instanceof SipFailure);
  });

  it('stays RTP/SAVP in later offers, and becomes RTP/AVP without keys', () => {
    end.agreeSent(offer);
    assert.equal(end.writeOffer(stream, secured).text, offer.text);
    assert.match(end.writeOffer(stream, plain).text, /^m=audio 20000 RTP\/AVP 0\r$/m);
  });
});
