import assert from 'node:assert/strict';
import { SipFailure } from '../../../sip/failure.js';
import {
  answeredCrypto,
  chooseCrypto,
  keyParameters,
  ownCrypto,
  readCrypto,
  suiteKeyBytes,
} from '../../../sip/sdp/crypto.js';
import { parseSession } from '../../../sip/sdp/session.js';
import { fixture } from '../../support/sdp-fixtures.js';

const key = Buffer.alloc(30, 7).toString('base64');
const inline = `inline:${key}`;

describe('a=crypto', () => {
  it('is read with key, lifetime and master key identifier', () => {
    assert.deepEqual(readCrypto('1', 'AES_CM_128_HMAC_SHA1_80', `${inline}|2^31|1:4`, ''), {
      tag: 1,
      suite: 'AES_CM_128_HMAC_SHA1_80',
      key,
      lifetime: '2^31',
      mki: '1:4',
    });
  });

  const unusable: readonly (readonly [what: string, line: Parameters<typeof readCrypto>])[] = [
    ['an unknown suite', ['1', 'F8_128_HMAC_SHA1_80', inline, '']],
    ['no protection', ['1', 'NULL_HMAC_SHA1_80', inline, '']],
    ['a key that is too short', ['1', 'AES_CM_128_HMAC_SHA1_80', 'inline:AAAA', '']],
    ['a key for another suite', ['1', 'AES_256_CM_HMAC_SHA1_80', inline, '']],
    ['two keys', ['1', 'AES_CM_128_HMAC_SHA1_80', `${inline}|1:4;${inline}|2:4`, '']],
    ['session parameters', ['1', 'AES_CM_128_HMAC_SHA1_80', inline, 'UNENCRYPTED_SRTCP']],
    ['another key method', ['1', 'AES_CM_128_HMAC_SHA1_80', key, '']],
    ['no tag', ['', 'AES_CM_128_HMAC_SHA1_80', inline, '']],
    ['a lifetime that is none', ['1', 'AES_CM_128_HMAC_SHA1_80', `${inline}|forever`, '']],
  ];
  for (const [what, line] of unusable) {
    it(`with ${what} cannot be agreed on`, () => assert.equal(readCrypto(...line), undefined));
  }

  it('leaves the lines of a description that can be agreed on, in its order', () => {
    const session = parseSession(fixture('rtpengine-out-savp-sdes'));
    assert.ok(!(session instanceof SipFailure));
    assert.deepEqual(
      session.media[0]?.crypto?.map(({ tag, suite }) => `${tag} ${suite}`),
      [
        '1 AEAD_AES_256_GCM',
        '2 AEAD_AES_128_GCM',
        '3 AES_256_CM_HMAC_SHA1_80',
        '4 AES_256_CM_HMAC_SHA1_32',
        '7 AES_CM_128_HMAC_SHA1_80',
        '8 AES_CM_128_HMAC_SHA1_32',
      ],
    );
  });

  const line = (tag: number, suite: string, mki?: string) => ({
    tag,
    suite,
    key,
    ...(mki === undefined ? {} : { mki }),
  });

  it('is chosen by the order of the offer among what is taken', () => {
    const offered = [
      line(1, 'AEAD_AES_256_GCM'),
      line(2, 'AES_CM_128_HMAC_SHA1_32'),
      line(3, 'AES_CM_128_HMAC_SHA1_80'),
    ];
    assert.equal(chooseCrypto(offered)?.tag, 2);
    assert.equal(chooseCrypto(offered, ['AES_CM_128_HMAC_SHA1_80'])?.tag, 3);
    assert.equal(chooseCrypto(offered, []), undefined);
  });

  it('with a master key identifier gives way to one without', () => {
    const offered = [line(1, 'AES_CM_128_HMAC_SHA1_80', '1:1'), line(2, 'AES_CM_128_HMAC_SHA1_80')];
    assert.equal(chooseCrypto(offered)?.tag, 2);
  });

  it('of an answer must be one line with a tag and suite of ours', () => {
    const ours = [line(1, 'AES_CM_128_HMAC_SHA1_80'), line(2, 'AES_CM_128_HMAC_SHA1_32')];
    assert.equal(answeredCrypto([line(2, 'AES_CM_128_HMAC_SHA1_32')], ours)?.tag, 2);
    assert.equal(answeredCrypto([line(1, 'AES_CM_128_HMAC_SHA1_32')], ours), undefined);
    assert.equal(answeredCrypto([line(3, 'AES_CM_128_HMAC_SHA1_80')], ours), undefined);
    assert.equal(answeredCrypto(ours, ours), undefined);
    assert.equal(answeredCrypto([], ours), undefined);
  });

  it('of ours has a key of the length of its suite, and reads back', () => {
    for (const suite of ['AES_CM_128_HMAC_SHA1_80', 'AES_256_CM_HMAC_SHA1_80', 'AEAD_AES_256_GCM']) {
      const own = ownCrypto(1, suite, (sizeBytes) => Buffer.alloc(sizeBytes, 9));
      assert.equal(Buffer.from(own.key, 'base64').length, suiteKeyBytes(suite));
      assert.deepEqual(readCrypto('1', suite, keyParameters(own), ''), own);
    }
    assert.throws(() => ownCrypto(1, 'ROT13', (sizeBytes) => Buffer.alloc(sizeBytes)), RangeError);
  });
});
