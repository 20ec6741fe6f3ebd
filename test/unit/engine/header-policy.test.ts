import assert from 'node:assert/strict';
import { parseAppMessage } from '../../../sip/engine/binding/app-message.js';
import { AppHeaders, ownContact, replaceLocalhost } from '../../../sip/engine/binding/header-policy.js';
import type { Channel } from '../../../sip/engine/transport/channel.js';

const sentBy = { host: '192.0.2.1', port: 5070 };
const channel = (transport: 'udp' | 'tcp'): Channel => ({
  transport,
  reliable: transport === 'tcp',
  remote: { address: '192.0.2.9', port: 5060 },
  local: { address: '192.0.2.1', port: 5070 },
  sentBy,
  isOpen: true,
  send: () => undefined,
});

const headersOf = (...lines: string[]): AppHeaders => {
  const message = parseAppMessage(['INVITE sip:a@b SIP/2.0', ...lines, '', ''].join('\r\n'));
  if (message === undefined) throw new Error('unreadable');
  return new AppHeaders(message);
};

describe('messages of the application', () => {
  it('are read with their body as it is', () => {
    assert.deepEqual(parseAppMessage('INFO sip:placeholder SIP/2.0\r\nX: 1\r\n\r\na\r\n\r\nb'), {
      method: 'INFO',
      requestUri: 'sip:placeholder',
      status: 0,
      reason: '',
      headers: [['X', '1']],
      body: 'a\r\n\r\nb',
    });
    assert.deepEqual(parseAppMessage('SIP/2.0 486 Busy Here\r\n'), {
      method: '',
      requestUri: '',
      status: 486,
      reason: 'Busy Here',
      headers: [],
      body: '',
    });
  });

  for (const text of [
    '',
    'nonsense',
    'INVITE SIP/2.0',
    'SIP/2.0 99 x',
    'SIP/2.0 700 x',
    'SIP/2.0 abc',
    'IN VITE sip:a SIP/2.0',
    'INVITE sip:a\nX: y SIP/2.0',
  ]) {
    it(`are refused as ${JSON.stringify(text)}`, () => assert.equal(parseAppMessage(text), undefined));
  }

  it('lose header fields that could not be sent', () => {
    const headers = headersOf('Good: 1', 'bad name: 2', 'No-Colon', 'X-Inject: a\nEvil: b', 'X-Null: a\0b');
    assert.equal(headers.other, 'Good: 1\r\n');
  });
});

describe('header policy', () => {
  it('drops what the engine writes itself', () => {
    const headers = headersOf(
      'Via: x',
      'route: y',
      'Record-Route: z',
      'RSeq: 1',
      'Content-Length: 5',
      'l: 5',
      'v: x',
    );
    assert.equal(headers.known(sentBy) + headers.other, '');
  });

  it('writes known names canonically and others capitalised, X- as given', () => {
    const headers = headersOf(
      'subject: s',
      'k: timer',
      'user-agent: ua',
      'p-custom: 1',
      'x-lower: 2',
      'X-Foo-bar: 3',
      'history-info: 4',
    );
    assert.equal(headers.known(sentBy), 'Subject: s\r\nSupported: timer\r\nUser-Agent: ua\r\n');
    assert.equal(headers.other, 'P-Custom: 1\r\nx-lower: 2\r\nX-Foo-bar: 3\r\nHistory-Info: 4\r\n');
  });

  it('puts our address in the place of localhost', () => {
    const headers = headersOf(
      'From: "A" <sip:a@localhost>',
      'To: sip:b@localhost;tag=t',
      'P-Asserted-Identity: <sip:1@localhost>, <tel:+1>',
    );
    assert.equal(headers.party('from', sentBy, 'new'), '"A" <sip:a@192.0.2.1:5070>;tag=new');
    assert.equal(headers.party('to', sentBy, 'new'), '<sip:b@192.0.2.1:5070>;tag=t');
    assert.equal(headers.known(sentBy), 'P-Asserted-Identity: <sip:1@192.0.2.1:5070>, <tel:+1>\r\n');
    assert.equal(
      headersOf('Path: <sip:a@localhost;lr>').known(sentBy),
      'Path: <sip:a@192.0.2.1:5070;lr>\r\n',
    );
    assert.equal(replaceLocalhost('<sip:a@localhost.example>', sentBy), '<sip:a@localhost.example>');
  });

  it('names the transport in a Contact of ours, and leaves others alone', () => {
    assert.equal(headersOf('Contact: <sip:a@localhost>').contact(channel('udp')), '<sip:a@192.0.2.1:5070>');
    assert.equal(
      headersOf('m: <sip:a@localhost>').contact(channel('tcp')),
      '<sip:a@192.0.2.1:5070;transport=tcp>',
    );
    assert.equal(headersOf('Contact: <sip:a@h>').contact(channel('tcp')), '<sip:a@h>');
    assert.equal(headersOf().contact(channel('tcp')), undefined);
    assert.equal(ownContact(channel('tcp')), '<sip:192.0.2.1:5070;transport=tcp>');
    assert.equal(ownContact(channel('udp')), '<sip:192.0.2.1:5070>');
  });

  for (const line of [
    'From: <sip:',
    'To: "x',
    'Contact: <>',
    'CSeq: x INVITE',
    'Max-Forwards: -1',
    'Refer-To: <<>>',
    'RAck: 1',
    'Call-ID: a b',
  ]) {
    it(`finds ${line} malformed`, () =>
      assert.equal(headersOf(line).malformed, line.split(':', 1)[0]?.toLowerCase()));
  }

  it('takes SDP for what it is and nothing else', () => {
    assert.equal(headersOf().contentType('v=0\r\n'), 'application/sdp');
    assert.equal(headersOf().contentType('hello'), undefined);
    assert.equal(headersOf('c: text/plain').contentType('hello'), 'text/plain');
  });

  it('finds option tags and the chosen To tag', () => {
    assert.equal(headersOf('Require: timer, 100rel').hasOption('require', '100rel'), true);
    assert.equal(headersOf('Require: timer').hasOption('require', '100rel'), false);
    assert.equal(headersOf('To: <sip:a@b>;tag=mine').toTag, 'mine');
  });

  it('repeats credentials and nothing else', () => {
    assert.equal(
      headersOf('Authorization: Digest x', 'Subject: s', 'proxy-authorization: Digest y').credentials,
      'Authorization: Digest x\r\nProxy-Authorization: Digest y\r\n',
    );
  });
});
