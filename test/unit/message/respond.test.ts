import assert from 'node:assert/strict';
import { failure } from '../../../sip/failure.js';
import {
  bodyText,
  parseMessage,
  respond,
  respondFailure,
  serializeText,
  type SipRequest,
} from '../../../sip/message/index.js';
import { requestBytes } from '../../support/sip-text.js';

function make(method: string, changes: Record<string, string> = {}): SipRequest {
  const message = parseMessage(requestBytes(method, changes));
  assert.ok(message.kind === 'request');
  return message;
}

describe('respond (RFC 3261 §8.2.6)', () => {
  it('copies Via, From, To, Call-ID and CSeq', () => {
    const request = make('OPTIONS', { Via: 'SIP/2.0/WS a;branch=z9hG4bKa\r\nVia: SIP/2.0/UDP b' });
    const response = respond(request, 200, { toTag: 't1' });
    assert.equal(
      serializeText(response),
      [
        'SIP/2.0 200 OK',
        'Via: SIP/2.0/WS a;branch=z9hG4bKa',
        'Via: SIP/2.0/UDP b',
        'From: <sip:alice@example.com>;tag=f1',
        'To: <sip:bob@example.com>;tag=t1',
        'Call-ID: call-1',
        'CSeq: 7 OPTIONS',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
    assert.equal(response.to.params.get('tag'), 't1');
    assert.equal(request.to.params.get('tag'), undefined);
  });

  it('gives each retransmission the same tag and each request another', () => {
    const tag = (request: SipRequest) => respond(request, 404).to.params.get('tag');
    assert.match(tag(make('OPTIONS')) ?? '', /^[0-9a-f]{32}$/);
    assert.equal(tag(make('OPTIONS')), tag(make('OPTIONS')));
    assert.notEqual(tag(make('OPTIONS')), tag(make('OPTIONS', { 'Call-ID': 'call-2' })));
    assert.notEqual(tag(make('OPTIONS')), tag(make('OPTIONS', { Via: 'SIP/2.0/WS a;branch=z9hG4bKother' })));
  });

  it('adds no tag to 100 nor where there is one', () => {
    assert.equal(respond(make('INVITE'), 100).headers.get('To'), '<sip:bob@example.com>');
    const inDialog = make('BYE', { To: '<sip:bob@example.com>;tag=old' });
    assert.equal(respond(inDialog, 200, { toTag: 'new' }).headers.get('To'), '<sip:bob@example.com>;tag=old');
  });

  it('copies Timestamp into 100 only, and the route set into what makes a dialog only', () => {
    const request = make('INVITE', { Timestamp: '54', 'Record-Route': '<sip:p1;lr>, <sip:p2;lr>' });
    assert.equal(respond(request, 100).headers.get('Timestamp'), '54');
    assert.equal(respond(request, 180).headers.get('Timestamp'), undefined);
    for (const [status, expected] of [
      [100, []],
      [183, ['<sip:p1;lr>, <sip:p2;lr>']],
      [200, ['<sip:p1;lr>, <sip:p2;lr>']],
      [486, []],
    ] as const) {
      assert.deepEqual(respond(request, status).headers.getAll('Record-Route'), expected);
    }
    assert.equal(
      respond(make('OPTIONS', { 'Record-Route': '<sip:p1>' }), 200).headers.has('Record-Route'),
      false,
    );
  });

  it('carries headers, a body and its type', () => {
    const response = respond(make('OPTIONS'), 200, {
      headers: [['Allow', 'INVITE']],
      body: '\u00fc',
      contentType: 'text/plain',
      reason: 'Fine',
    });
    assert.equal(response.reason, 'Fine');
    assert.equal(response.headers.get('Allow'), 'INVITE');
    assert.equal(response.headers.get('c'), 'text/plain');
    assert.equal(bodyText(response), '\u00fc');
  });

  it('turns a failure into its response', () => {
    const response = respondFailure(
      make('OPTIONS'),
      failure('message.extension', { headers: [['Unsupported', 'x']] }),
    );
    assert.equal(response.status, 420);
    assert.equal(response.reason, 'Bad Extension');
    assert.equal(response.headers.get('Unsupported'), 'x');
  });
});
