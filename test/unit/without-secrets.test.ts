import assert from 'node:assert/strict';
import { withoutSecrets } from '../../sip/without-secrets.js';

describe('a message without its secrets', () => {
  for (const [what, line, shown] of [
    [
      'an SRTP key',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[secret]',
    ],
    [
      'an SRTP key with its lifetime and identifier',
      'a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20|1:32 WSH=64',
      'a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:[secret]|2^20|1:32 WSH=64',
    ],
    [
      'each of several SRTP keys',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNf|2^20|1:4;inline:MTIz|2^20|2:4',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[secret]|2^20|1:4;inline:[secret]|2^20|2:4',
    ],
    ['a key in capitals', 'A=CRYPTO:1 X INLINE:WVNf', 'A=CRYPTO:1 X inline:[secret]'],
    ['an old key line', 'k=base64:WVNf', 'k=base64:[secret]'],
    ['a MIKEY message', 'a=key-mgmt:mikey AQAFgM0X', 'a=key-mgmt:mikey [secret]'],
    ['an ICE password', 'a=ice-pwd:asd88fgpdd777uzjYhagZg', 'a=ice-pwd:[secret]'],
    ['a token', 'Authorization: Bearer eyJh.eyJz.c2ln', 'Authorization: Bearer [secret]'],
    [
      'a token on a line of its own',
      'Authorization:\r\n Bearer\r\n e.e.c',
      'Authorization:\r\n Bearer\r\n [secret]',
    ],
    ['a ticket for the HTTP API', 'X-Webtrunk-Ticket: MTc2.c2ln', 'X-Webtrunk-Ticket: [secret]'],
  ] as const) {
    it(`shows ${what} as [secret], and the lines around it as they are`, () => {
      const message = (middle: string): string =>
        `INVITE sip:a@b SIP/2.0\r\nSubject: inline:k=1\r\n${middle}\r\na=rtpmap:0 PCMU/8000\r\n`;
      assert.equal(withoutSecrets(message(line)), message(shown));
    });
  }

  it('leaves a message without secrets as it is', () => {
    const message =
      'INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest username="a", response="0"\r\n\r\nv=0\r\na=ice-ufrag:x\r\n';
    assert.equal(withoutSecrets(message), message);
  });

  it('takes no longer than the text is long', () => {
    const began = performance.now();
    withoutSecrets(
      'a=crypto:1 '.padEnd(65_536, 'inline:') + 'k='.padEnd(65_536, 'k') + 'a=key-mgmt:'.repeat(5_000),
    );
    assert.ok(performance.now() - began < 200);
  });
});
