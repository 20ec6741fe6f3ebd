import assert from 'node:assert/strict';
import type { SipUri } from '../../../sip/message/message.js';
import { canonicalAor, parseUri, sameUri, serializeUri } from '../../../sip/message/uri.js';

function sip(text: string): SipUri {
  const uri = parseUri(text);
  assert.ok(uri !== undefined && (uri.scheme === 'sip' || uri.scheme === 'sips'), text);
  return uri;
}

function aor(text: string): string | undefined {
  const uri = parseUri(text);
  assert.ok(uri !== undefined, text);
  return canonicalAor(uri);
}

describe('URI', () => {
  it('reads all parts of a SIP URI', () => {
    const uri = sip(
      'sip:alice:se%20cret@Atlanta.com:5070;transport=TCP;lr?subject=project%20x&priority=urgent',
    );
    assert.equal(uri.user, 'alice');
    assert.equal(uri.password, 'se%20cret');
    assert.equal(uri.host, 'atlanta.com');
    assert.equal(uri.port, 5070);
    assert.deepEqual(
      [...uri.params],
      [
        ['transport', 'TCP'],
        ['lr', null],
      ],
    );
    assert.equal(uri.headers, 'subject=project%20x&priority=urgent');
  });

  it('reads semicolons, question marks and escapes in the user part', () => {
    assert.equal(sip('sip:user;par=u%40example.net@example.com').user, 'user;par=u%40example.net');
    assert.equal(sip('sip:sips%3Auser%40example.com@example.net').user, 'sips%3Auser%40example.com');
    assert.equal(sip('sip:null-%00-null@example.com').user, 'null-%00-null');
  });

  it('reads IPv6 hosts', () => {
    assert.equal(sip('sips:[2001:db8::10]:5061').host, '[2001:db8::10]');
    assert.equal(sip('sip:bob@[2001:DB8::10];lr').host, '[2001:db8::10]');
  });

  it('reads tel URIs', () => {
    const uri = parseUri('tel:+1-201-555-0123;phone-context=example.com');
    assert.ok(uri?.scheme === 'tel');
    assert.equal(uri.number, '+1-201-555-0123');
    assert.equal(uri.params.get('phone-context'), 'example.com');
  });

  it('keeps other URIs as text', () => {
    assert.deepEqual(parseUri('soap.beep://192.0.2.103:3002'), {
      scheme: 'other',
      text: 'soap.beep://192.0.2.103:3002',
    });
  });

  for (const text of [
    'sip:alice@example.com',
    'sips:alice:pw@example.com:5061;transport=tls',
    'sip:[::1]:5060;lr',
    'sip:a@b?x=y',
    'tel:+15551230000;ext=5',
    'urn:service:sos',
  ]) {
    it(`writes ${text} as it was read`, () => {
      const uri = parseUri(text);
      assert.ok(uri !== undefined);
      assert.equal(serializeUri(uri), text);
    });
  }

  for (const bad of [
    '',
    'alice',
    '*',
    'sip:',
    'sip:@host',
    'sip:a@',
    'sip:a b@host',
    'sip:a@host:99999',
    'sip:a@host; lr',
    ' sip:a@host',
    'sip:a@b@c',
    'sip:a@host;x="y"',
    'sip:a%4@host',
    'sip:a@host?',
    'sip:a@host?x=<y>',
    '<sip:a@host>',
    'tel:',
    'tel:+',
    'tel:12 34',
    'urn:',
    '1x:abc',
  ]) {
    it(`refuses ${JSON.stringify(bad)}`, () => assert.equal(parseUri(bad), undefined));
  }
});

describe('address-of-record', () => {
  it('has one spelling', () => {
    assert.equal(aor('SIP:Alice@EXAMPLE.com:5070;transport=ws?x=y'), 'sip:Alice@example.com');
    assert.equal(aor('sips:%61lice@example.com'), 'sip:alice@example.com');
    assert.equal(aor('sip:%2b1555@example.com'), 'sip:+1555@example.com');
    assert.equal(aor('sip:j%c3%bcrgen@example.com'), aor('sip:j\u00fcrgen@example.com'));
  });

  it('never turns an escape into a character that could be taken for structure', () => {
    assert.equal(aor('sip:a%40b@c'), 'sip:a%40b@c');
    assert.equal(aor('sip:null%00@c'), 'sip:null%00@c');
    assert.equal(aor('sip:a%0d%0ab@c'), 'sip:a%0D%0Ab@c');
    assert.equal(aor('sip:a%3ab@c'), 'sip:a%3Ab@c');
    assert.equal(aor('sip:%2561@c'), 'sip:%2561@c');
  });

  it('is absent without a user', () => {
    assert.equal(aor('sip:example.com'), undefined);
    assert.equal(aor('tel:+1555'), undefined);
  });
});

describe('URI comparison (RFC 3261 §19.1.4)', () => {
  const equal = [
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtlanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
  ];
  const different = [
    ['sip:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:a@b', 'sips:a@b'],
    ['sip:a%3Bb@c', 'sip:a;b@c'],
  ];

  for (const [a = '', b = ''] of equal) {
    it(`${a} is ${b}`, () => {
      assert.equal(sameUri(sip(a), sip(b)), true);
      assert.equal(sameUri(sip(b), sip(a)), true);
    });
  }
  for (const [a = '', b = ''] of different) {
    it(`${a} is not ${b}`, () => {
      assert.equal(sameUri(sip(a), sip(b)), false);
      assert.equal(sameUri(sip(b), sip(a)), false);
    });
  }
});
