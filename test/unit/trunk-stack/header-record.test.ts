import assert from 'node:assert/strict';
import {
  bracketed,
  headerRecord,
  localContact,
  transportOf,
  userOf,
  withTransport,
} from '../../../sip/trunk/header-record.js';

describe('header fields for srf', () => {
  it('keeps the first spelling of a name and joins its values', () => {
    assert.deepEqual(
      headerRecord(
        [
          ['History-Info', '<sip:a@x>;index=1'],
          ['Subject', 's'],
        ],
        [['history-info', '<sip:b@x>;index=1.1']],
      ),
      { 'History-Info': '<sip:a@x>;index=1, <sip:b@x>;index=1.1', Subject: 's' },
    );
  });

  for (const evil of ['a\r\nVia: x', 'a\nb', 'a\rb', 'a\0b']) {
    it(`leaves out ${JSON.stringify(evil)}, in the value and in the name`, () => {
      assert.deepEqual(headerRecord([['X-A', evil]], [[evil, 'x']]), {});
    });
  }

  it('brackets every address', () => {
    assert.equal(bracketed({ uri: 'sip:a@x;user=phone' }), '<sip:a@x;user=phone>');
    assert.equal(bracketed({ uri: 'tel:+15551230000' }), '<tel:+15551230000>');
    assert.match(bracketed({ uri: 'sip:a@x', displayName: 'A "b" \\ c' }), /^"A \\"b\\" \\\\ c" <sip:a@x>$/);
  });

  it('names the transport of a URI, udp unless it says another', () => {
    assert.equal(transportOf('sip:x:5060;transport=TCP'), 'tcp');
    assert.equal(transportOf('sip:x'), 'udp');
    assert.equal(transportOf('sips:x'), 'tls');
    assert.equal(transportOf('nonsense'), 'udp');
  });

  it('writes the transport where it is missing, unless DNS is to tell it', () => {
    assert.equal(withTransport('sip:192.0.2.1'), 'sip:192.0.2.1;transport=udp');
    assert.equal(withTransport('sip:pbx.example'), 'sip:pbx.example');
    assert.equal(withTransport('sip:pbx.example:5070'), 'sip:pbx.example:5070;transport=udp');
    assert.equal(withTransport('sip:pbx.example;lr;transport=tcp'), 'sip:pbx.example;lr;transport=tcp');
    assert.equal(withTransport('sips:pbx.example:5061'), 'sips:pbx.example:5061;transport=tls');
    assert.equal(withTransport('tel:+1555'), 'tel:+1555');
  });

  it('makes a Contact that the engine fills in', () => {
    assert.equal(localContact('alice', 'udp'), '<sip:alice@localhost>');
    assert.equal(localContact(undefined, 'tcp'), '<sip:webtrunk@localhost;transport=tcp>');
    assert.equal(userOf('sip:%61lice@x'), '%61lice');
    assert.equal(userOf('tel:+1555'), undefined);
  });
});
