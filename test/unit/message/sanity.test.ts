import assert from 'node:assert/strict';
import { checkRequest, parseMessage } from '../../../sip/message/index.js';
import { requestBytes } from '../../support/sip-text.js';

const methods = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER', 'MESSAGE', 'UPDATE'];

/** Status and reason of the check, or `ok`. */
function check(method: string, changes: Record<string, string | undefined> = {}, body = ''): string {
  const message = parseMessage(requestBytes(method, changes, body));
  assert.ok(message.kind === 'request', message.kind);
  const found = checkRequest(message, ['100rel', 'timer'], methods);
  if (found === undefined) return 'ok';
  return [
    `${found.status} ${found.reason}`,
    ...found.headers.map(([name, value]) => `${name}: ${value}`),
  ].join(' | ');
}

describe('checks of a request', () => {
  it('lets plain requests through', () => {
    for (const method of ['INVITE', 'ACK', 'BYE', 'OPTIONS', 'REGISTER']) assert.equal(check(method), 'ok');
    assert.equal(check('INVITE', { 'Content-Type': 'application/SDP ; charset=utf-8' }, 'v=0'), 'ok');
  });

  it('compares the method in CSeq (RFC 3261 §8.1.1.5)', () => {
    assert.equal(check('OPTIONS', { CSeq: '1 INVITE' }), '400 CSeq Method Mismatch');
  });

  it('counts hops (RFC 3261 §16.3)', () => {
    assert.equal(check('OPTIONS', { 'Max-Forwards': '0' }), '483 Too Many Hops');
    assert.equal(check('OPTIONS', { 'Max-Forwards': undefined }), 'ok');
    assert.equal(check('OPTIONS', { 'Max-Forwards': '0068' }), 'ok');
    for (const bad of ['', '-1', '256', '7x', '1000000000000']) {
      assert.equal(check('OPTIONS', { 'Max-Forwards': bad }), '400 Malformed Max-Forwards');
    }
  });

  it('refuses schemes that it cannot route (RFC 3261 §8.2.2.1)', () => {
    assert.equal(
      check('OPTIONS', { start: 'OPTIONS urn:service:sos SIP/2.0' }),
      '416 Unsupported URI Scheme',
    );
    assert.equal(check('OPTIONS', { start: 'OPTIONS tel:+1555 SIP/2.0' }), 'ok');
    assert.equal(check('OPTIONS', { start: 'OPTIONS sips:a@b SIP/2.0' }), 'ok');
  });

  it('tells unknown methods from those that are not served (RFC 3261 §8.2.1)', () => {
    const allow = `Allow: ${methods.join(', ')}`;
    assert.equal(check('NEWMETHOD'), `501 Not Implemented | ${allow}`);
    assert.equal(check('PUBLISH'), `405 Method Not Allowed | ${allow}`);
    assert.equal(check('invite'), `501 Not Implemented | ${allow}`);
  });

  it('names option tags that it does not know, but not to CANCEL and ACK (RFC 3261 §8.2.2.3)', () => {
    assert.equal(
      check('INVITE', { Require: '100REL , foo', 'Proxy-Require': 'bar' }),
      '420 Bad Extension | Unsupported: foo, bar',
    );
    assert.equal(check('INVITE', { Require: 'timer' }), 'ok');
    for (const method of ['CANCEL', 'ACK']) assert.equal(check(method, { Require: 'foo' }), 'ok');
  });

  it('wants an address-of-record to be a SIP URI (RFC 3261 §10.2)', () => {
    assert.equal(check('REGISTER', { To: '<isbn:2983792873>' }), '400 Address-of-Record Is No SIP URI');
  });

  it('wants one Contact that is a SIP URI in what makes a dialog (RFC 3261 §8.1.1.8)', () => {
    assert.equal(check('INVITE', { Contact: undefined }), '400 Missing Contact');
    assert.equal(check('INVITE', { Contact: '<sip:a@b>, <sip:c@d>' }), '400 More Than One Contact');
    assert.equal(check('INVITE', { Contact: '<tel:+1555>' }), '400 Contact Is No SIP URI');
    assert.equal(check('INVITE', { Contact: '*' }), '400 Contact Wildcard Outside REGISTER');
    assert.equal(check('INVITE', { Contact: 'sip:a@b?x=y' }), '400 Malformed Contact');
    assert.equal(check('BYE', { Contact: 'nonsense' }), 'ok');
  });

  it('takes any number of Contacts in REGISTER, and the wildcard alone (RFC 3261 §10.3)', () => {
    assert.equal(check('REGISTER', { Contact: undefined }), 'ok');
    assert.equal(check('REGISTER', { Contact: '<sip:a@b>, <tel:+1555>' }), 'ok');
    assert.equal(check('REGISTER', { Contact: '*' }), 'ok');
    assert.equal(check('REGISTER', { Contact: '*, <sip:a@b>' }), '400 Contact Wildcard Beside Others');
    assert.equal(check('REGISTER', { Contact: '<sip:a@b>;;' }), '400 Malformed Contact');
  });

  it('reads no encoded body (RFC 3261 §8.2.3)', () => {
    const type = { 'Content-Type': 'application/sdp' };
    assert.equal(
      check('INVITE', { ...type, e: 'gzip' }, 'v=0'),
      '415 Unsupported Media Type | Accept-Encoding: identity',
    );
    assert.equal(check('INVITE', { ...type, 'Content-Encoding': 'identity' }, 'v=0'), 'ok');
  });

  it('wants a type with a body, and SDP in an offer (RFC 3261 §7.4.1)', () => {
    assert.equal(check('MESSAGE', {}, 'hello'), '400 Missing Content-Type');
    assert.equal(check('MESSAGE', { 'Content-Type': 'application/json' }, '{}'), 'ok');
    assert.equal(
      check('INVITE', { 'Content-Type': 'text/plain' }, 'hello'),
      '415 Unsupported Media Type | Accept: application/sdp',
    );
    const optional = { 'Content-Type': 'text/plain', 'Content-Disposition': 'icon ; Handling=optional' };
    assert.equal(check('INVITE', optional, 'hello'), 'ok');
  });

  it('answers 406 to a caller that takes no SDP (RFC 3261 §20.1)', () => {
    assert.equal(check('INVITE', { Accept: 'text/nobodyKnowsThis' }), '406 Not Acceptable');
    assert.equal(check('INVITE', { Accept: 'text/plain, application/SDP;level=1' }), 'ok');
    assert.equal(check('INVITE', { Accept: 'application/*' }), 'ok');
    assert.equal(check('OPTIONS', { Accept: 'text/plain' }), 'ok');
  });

  it('answers by the first check that fails', () => {
    assert.equal(
      check('NEWMETHOD', { CSeq: '1 INVITE', 'Max-Forwards': '0', Require: 'x' }),
      '400 CSeq Method Mismatch',
    );
    assert.equal(check('NEWMETHOD', { 'Max-Forwards': '0', Require: 'x' }), '483 Too Many Hops');
    assert.ok(check('NEWMETHOD', { Require: 'x' }).startsWith('501'));
  });
});
