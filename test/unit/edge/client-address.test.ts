import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import type { ProxyHeader } from '../../../gateway/config/trusted-proxies.js';
import { ClientAddress } from '../../../gateway/edge/client-address.js';

const proxies = ['10.0.0.0/8', '2001:db8:1::/48', '192.0.2.7'];

const addressOf = (
  peer: string,
  headers: Record<string, string>,
  header: ProxyHeader = 'x-forwarded-for',
): string => {
  const socket = new Socket();
  Object.defineProperties(socket, { remoteAddress: { value: peer }, remotePort: { value: 9 } });
  const { address, port } = new ClientAddress({ addresses: proxies, header }).of({ socket, headers });
  return `${address} ${port}`;
};

describe('the address of a client', () => {
  it('is that of the connection when it is no trusted proxy, whatever the headers say', () => {
    const headers = { 'x-forwarded-for': '198.51.100.1', forwarded: 'for=198.51.100.2' };
    assert.equal(addressOf('203.0.113.9', headers), '203.0.113.9 9');
    assert.equal(addressOf('::ffff:203.0.113.9', headers), '203.0.113.9 9');
    assert.equal(addressOf('2001:db8:2::1', headers), '2001:db8:2::1 9');
  });

  for (const peer of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8:1::5']) {
    it(`is the rightmost one that ${peer} names and that is no proxy itself`, () => {
      const list = '198.51.100.66, 198.51.100.1, 10.9.9.9, 2001:db8:1::9';
      assert.equal(addressOf(peer, { 'x-forwarded-for': list }), '198.51.100.1 0');
    });
  }

  it('is the proxy when it names nobody, or names what cannot be read', () => {
    assert.equal(addressOf('10.1.2.3', {}), '10.1.2.3 9');
    assert.equal(addressOf('10.1.2.3', { 'x-forwarded-for': '198.51.100.1, unknown' }), '10.1.2.3 9');
    assert.equal(addressOf('10.1.2.3', { 'x-forwarded-for': '198.51.100.1, x, 10.0.0.2' }), '10.0.0.2 0');
  });

  it('is read with or without port, of either family', () => {
    assert.equal(addressOf('10.1.2.3', { 'x-forwarded-for': '198.51.100.1:7000' }), '198.51.100.1 7000');
    assert.equal(addressOf('10.1.2.3', { 'x-forwarded-for': '[2001:db8::1]:7000' }), '2001:db8::1 7000');
    assert.equal(addressOf('10.1.2.3', { 'x-forwarded-for': '::ffff:198.51.100.1' }), '198.51.100.1 0');
  });

  it('is read from Forwarded when the proxies write that, and then from nothing else', () => {
    const headers = {
      'x-forwarded-for': '198.51.100.66',
      forwarded: 'for=198.51.100.5, For="[2001:db8::2]:4711";proto=https;by=10.0.0.1, for=10.0.0.2',
    };
    assert.equal(addressOf('10.1.2.3', headers, 'forwarded'), '2001:db8::2 4711');
    assert.equal(addressOf('10.1.2.3', { forwarded: 'for=_hidden' }, 'forwarded'), '10.1.2.3 9');
    assert.equal(addressOf('10.1.2.3', headers), '198.51.100.66 0');
  });
});
