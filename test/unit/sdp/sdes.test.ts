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

const theirs = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${theirKey}`;

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

describe('an offer of SRTP to whoever can (RFC 8643)', () => {
  let end: SdpEnd;
  let offer: SentOffer;
  beforeEach(() => {
    end = sdpEnd('plain', { srtp: 'optional' });
    offer = end.writeOffer(stream, secured);
  });

  it('is RTP/AVP with the keys beside it', () => {
    assert.match(offer.text, /^m=audio 20000 RTP\/AVP 0\r$/m);
    assert.equal(offer.text.match(/^a=crypto:/gm)?.length, 2);
  });

  it('is SRTP when the answer has a key, and plain when it has none', () => {
    const keyed = end.readAnswer(pbxSdp('0', [theirs]), offer, 'callee');
    assert.ok(!(keyed instanceof SipFailure));
    assert.equal(keyed.crypto?.key, theirKey);
    const open = end.readAnswer(pbxSdp('0'), offer, 'callee');
    assert.ok(!(open instanceof SipFailure));
    assert.equal(open.crypto, undefined);
  });

  it('is not taken for plain when the answer has a key that cannot be used', () => {
    for (const line of [
      theirs.replace(':1 ', ':9 '),
      `${theirs} UNENCRYPTED_SRTP`,
      'a=crypto:1 F8_128_HMAC_SHA1_80 inline:x',
    ]) {
      const read = end.readAnswer(pbxSdp('0', [line]), offer, 'callee');
      assert.ok(read instanceof SipFailure, line);
      assert.match(read.headers[0]?.[1] ?? '', /^302 .*no a=crypto with a tag and suite of the offer/);
    }
  });

  it('of the other side is answered with a key, and one without keys is not', () => {
    const one = secured.profile === 'plain' ? { ...secured, crypto: crypto.slice(0, 1) } : secured;
    for (const [text, keys] of [
      [pbxSdp('0', [theirs]), 1],
      [pbxSdp('0'), 0],
    ] as const) {
      const read = end.readOffer(text);
      assert.ok(!(read instanceof SipFailure));
      const reply = end.writeAnswer(read, stream, one);
      assert.match(reply, /^m=audio 20000 RTP\/AVP 0\r$/m);
      assert.equal(reply.match(/^a=crypto:/gm)?.length ?? 0, keys);
    }
  });
});
