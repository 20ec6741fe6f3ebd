import assert from 'node:assert/strict';
import {
  digestResponse,
  ha1,
  parseAuthorization,
  parseChallenge,
  safeEqual,
  serializeAuthorization,
  serializeChallenge,
} from '../../../sip/message/digest.js';

describe('digest', () => {
  const rfc7616 = {
    nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
    method: 'GET',
    uri: '/dir/index.html',
    qop: 'auth',
    nc: '00000001',
    cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  };

  it('computes the examples of RFC 7616 §3.9.1', () => {
    const user = ['Mufasa', 'http-auth@example.org', 'Circle of Life'] as const;
    assert.equal(
      digestResponse({ ...rfc7616, ha1: ha1(...user), algorithm: 'MD5' }),
      '8ca523f5e9506fed4657c9700eebdbec',
    );
    assert.equal(
      digestResponse({ ...rfc7616, ha1: ha1(...user, 'SHA-256'), algorithm: 'SHA-256' }),
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    );
  });

  it('computes the example of RFC 2617 §3.5', () => {
    const response = digestResponse({
      ha1: ha1('Mufasa', 'testrealm@host.com', 'Circle Of Life'),
      algorithm: 'MD5',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      method: 'GET',
      uri: '/dir/index.html',
      qop: 'auth',
      nc: '00000001',
      cnonce: '0a4f113b',
    });
    assert.equal(response, '6629fae49393a05397450978507c4ef1');
  });

  it('computes a response without qop (RFC 2069)', () => {
    const response = digestResponse({
      ha1: ha1('Mufasa', 'testrealm@host.com', 'CircleOfLife'),
      algorithm: 'MD5',
      nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
      method: 'GET',
      uri: '/dir/index.html',
    });
    assert.equal(response, '1949323746fe6a43ef61f9606e7febea');
  });

  it('hashes the session key and the body when asked to', () => {
    const base = { ...rfc7616, ha1: ha1('u', 'r', 'p'), algorithm: 'MD5' } as const;
    const plain = digestResponse(base);
    assert.notEqual(digestResponse({ ...base, algorithm: 'MD5-sess' }), plain);
    const integrity = { ...base, qop: 'auth-int' };
    assert.notEqual(digestResponse({ ...integrity, body: 'a' }), digestResponse({ ...integrity, body: 'b' }));
  });

  it('reads credentials with quoted commas and any order', () => {
    const text =
      'Digest nc=00000001,username="al\\"ice, x", realm="r",uri="sip:a@b",nonce="n=1",RESPONSE="ABCDEF",qop=auth , cnonce="c"';
    assert.deepEqual(parseAuthorization(text), {
      username: 'al"ice, x',
      realm: 'r',
      nonce: 'n=1',
      uri: 'sip:a@b',
      response: 'abcdef',
      algorithm: 'MD5',
      cnonce: 'c',
      opaque: undefined,
      qop: 'auth',
      nc: '00000001',
    });
  });

  for (const bad of [
    '',
    'Basic abc',
    'NoOneKnowsThisScheme opaque-data=here',
    'Digest',
    'Digest username="a"',
    'Digestusername="a",realm="r",nonce="n",uri="u",response="x"',
    'Digest username="a",realm="r",nonce="n",uri="u",response="x',
    'Digest username="a",username="b",realm="r",nonce="n",uri="u",response="x"',
    'Digest username="a"realm="r",nonce="n",uri="u",response="x"',
  ]) {
    it(`refuses ${JSON.stringify(bad)}`, () => assert.equal(parseAuthorization(bad), undefined));
  }

  it('says when it does not know the algorithm', () => {
    const credentials = parseAuthorization(
      'Digest username="a",realm="r",nonce="n",uri="u",response="x",algorithm=FOO',
    );
    assert.ok(credentials);
    assert.equal(credentials.algorithm, undefined);
  });

  it('writes what it reads', () => {
    const challenge = {
      realm: 'a "b"',
      nonce: 'n',
      algorithm: 'SHA-256',
      qop: ['auth', 'auth-int'],
      opaque: 'o',
      stale: true,
    } as const;
    assert.deepEqual(parseChallenge(serializeChallenge(challenge)), challenge);
    const credentials = {
      username: 'a',
      realm: 'r',
      nonce: 'n',
      uri: 'sip:x',
      response: 'ab',
      algorithm: 'MD5',
      cnonce: 'c',
      opaque: 'o',
      qop: 'auth',
      nc: '00000002',
    } as const;
    assert.deepEqual(parseAuthorization(serializeAuthorization(credentials)), credentials);
  });

  it('throws rather than write a line break', () => {
    assert.throws(
      () => serializeChallenge({ realm: 'a\r\nb', nonce: 'n', algorithm: 'MD5', qop: [] }),
      TypeError,
    );
  });

  it('compares secrets of any length', () => {
    assert.equal(safeEqual('abc', 'abc'), true);
    assert.equal(safeEqual('abc', 'abd'), false);
    assert.equal(safeEqual('abc', 'abcd'), false);
    assert.equal(safeEqual('', ''), true);
  });
});
