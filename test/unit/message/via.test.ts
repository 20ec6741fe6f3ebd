import assert from 'node:assert/strict';
import { branchOf, parseVia, serializeVia } from '../../../sip/message/via.js';

describe('Via', () => {
  it('reads transport, sent-by and parameters', () => {
    const via = parseVia('SIP/2.0/wss 8kflj2s.invalid:443;branch=z9hG4bK1;rport;received=192.0.2.1');
    assert.ok(via);
    assert.equal(via.transport, 'WSS');
    assert.equal(via.host, '8kflj2s.invalid');
    assert.equal(via.port, 443);
    assert.equal(branchOf(via), 'z9hG4bK1');
    assert.equal(via.params.get('rport'), null);
    assert.equal(
      serializeVia(via),
      'SIP/2.0/WSS 8kflj2s.invalid:443;branch=z9hG4bK1;rport;received=192.0.2.1',
    );
  });

  it('takes blanks wherever RFC 3261 §25.1 allows them', () => {
    const via = parseVia('SIP  / 2.0  / TCP     spindle.example.com : 5070  ;  branch  =   z9hG4bK9ikj8');
    assert.equal(
      via === undefined ? undefined : serializeVia(via),
      'SIP/2.0/TCP spindle.example.com:5070;branch=z9hG4bK9ikj8',
    );
  });

  it('reads IPv6 and unknown transports', () => {
    const via = parseVia('SIP/2.0/UNKNOWN [2001:db8::1];branch=z9hG4bK');
    assert.equal(via?.transport, 'UNKNOWN');
    assert.equal(via?.host, '[2001:db8::1]');
    assert.equal(parseVia('SIP/2.0/UDP [::1] : 5070')?.port, 5070);
  });

  it('has no branch when the peer gave none', () => {
    const via = parseVia('SIP/2.0/UDP 192.0.2.5');
    assert.ok(via);
    assert.equal(branchOf(via), undefined);
  });

  for (const bad of [
    '',
    'SIP/2.0',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ',
    'SIP/7.0/UDP a',
    'SIP/2.0/ a',
    'HTTP/2.0/UDP a',
    'SIP/2.0/UDP a b',
    'SIP/2.0/UDP a;;',
    'SIP/2.0/UDP a, SIP/2.0/UDP b',
    'SIP/2.0/UDP a:99999',
    'SIP/2.0/U@P a',
  ]) {
    it(`refuses ${JSON.stringify(bad)}`, () => assert.equal(parseVia(bad), undefined));
  }
});
