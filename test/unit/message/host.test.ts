import assert from 'node:assert/strict';
import { isIpv6Address, parseHostPort } from '../../../sip/message/host.js';

const parse = (text: string) => parseHostPort(text, 0, text.length);

describe('host and port', () => {
  it('reads names in lower case, IPv4 and IPv6 with and without port', () => {
    assert.deepEqual(parse('Example.COM'), { host: 'example.com', port: undefined });
    assert.deepEqual(parse('192.0.2.1:5060'), { host: '192.0.2.1', port: 5060 });
    assert.deepEqual(parse('[2001:DB8::9:1]'), { host: '[2001:db8::9:1]', port: undefined });
    assert.deepEqual(parse('[::ffff:192.0.2.1]:5061'), { host: '[::ffff:192.0.2.1]', port: 5061 });
    assert.deepEqual(parse('my_host'), { host: 'my_host', port: undefined });
  });

  for (const bad of [
    '',
    ':5060',
    'a:',
    'a:65536',
    'a:5060x',
    'a b',
    'a:-1',
    '[::1',
    '[::1]5060',
    '[zz]',
    '[]',
    'h\u00f6st',
  ]) {
    it(`refuses ${JSON.stringify(bad)}`, () => assert.equal(parse(bad), undefined));
  }

  it('knows an IPv6 address', () => {
    for (const good of [
      '::',
      '::1',
      '1::',
      '2001:db8::1',
      '1:2:3:4:5:6:7:8',
      '::ffff:192.0.2.1',
      '1:2:3:4:5:6:192.0.2.1',
    ]) {
      assert.equal(isIpv6Address(good), true, good);
    }
    const bad = [
      '',
      ':',
      ':::',
      '1',
      '1:2',
      '1:2:3:4:5:6:7:8:9',
      '1::2::3',
      '12345::',
      '::256.1.1.1',
      '::1.2.3',
      '1:',
      ':1',
    ];
    for (const address of bad) assert.equal(isIpv6Address(address), false, address);
  });
});
