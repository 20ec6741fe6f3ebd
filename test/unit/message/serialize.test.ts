import assert from 'node:assert/strict';
import {
  createRequest,
  createResponse,
  parseMessage,
  serializeMessage,
  serializeText,
} from '../../../sip/message/index.js';
import { requestBytes } from '../../support/sip-text.js';

const headers = [
  ['Via', 'SIP/2.0/WS a.invalid;branch=z9hG4bK1'],
  ['From', '<sip:a@b>;tag=1'],
  ['To', '<sip:c@d>'],
  ['Call-ID', 'x'],
  ['CSeq', '1 MESSAGE'],
] as const;

describe('building and serializing', () => {
  it('writes one Content-Length that counts bytes', () => {
    const body = 'Gr\u00fc\u00dfe';
    const message = createRequest({
      method: 'MESSAGE',
      requestUri: 'sip:c@d',
      headers: [...headers, ['l', '3']],
      body,
    });
    const text = serializeText(message);
    assert.equal(text.match(/Content-Length/g)?.length, 1);
    assert.ok(text.endsWith(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`));
    assert.equal(serializeMessage(message).toString(), text);
  });

  it('keeps header order, values and body bytes of what was parsed', () => {
    const body = Buffer.from([0, 255, 13, 10, 200]);
    const bytes = requestBytes(
      'MESSAGE',
      { Subject: 'J\u00fcrgen', 'X-A': '1, 2', Date: 'never', 'Content-Type': 'a/b' },
      body,
    );
    const message = parseMessage(bytes);
    assert.ok(message.kind === 'request');
    const again = parseMessage(serializeMessage(message));
    assert.ok(again.kind === 'request');
    const lines = [...message.headers.entries()].filter(([name]) => name !== 'Content-Length');
    assert.deepEqual([...again.headers.entries()].slice(0, -1), lines);
    assert.deepEqual(again.body, body);
  });

  it('counts what it sends of a body that is no text', () => {
    const message = createRequest({
      method: 'MESSAGE',
      requestUri: 'sip:c@d',
      headers,
      body: Buffer.from([0x41, 0xff, 0x42]),
    });
    const bytes = Buffer.from(serializeText(message), 'utf8');
    const again = parseMessage(bytes);
    assert.ok(again.kind === 'request');
    assert.equal(again.body.toString(), 'A\ufffdB');
  });

  it('writes responses', () => {
    const message = createResponse({ status: 486, reason: 'Busy Here', headers });
    assert.ok(serializeText(message).startsWith('SIP/2.0 486 Busy Here\r\nVia: '));
  });

  it('throws rather than write a line break in the start line', () => {
    const message = createResponse({ status: 486, reason: 'Busy\r\nX: y', headers });
    assert.throws(() => serializeMessage(message), TypeError);
    const request = createRequest({ method: 'MESSAGE', requestUri: 'sip:c@d', headers });
    assert.throws(() => serializeText({ ...request, requestUri: 'sip:c@d SIP/2.0\r\nX: y' }), TypeError);
  });

  it('throws when a mandatory header is missing or malformed', () => {
    for (const [name] of headers) {
      const others = headers.filter(([other]) => other !== name);
      assert.throws(
        () => createRequest({ method: 'MESSAGE', requestUri: 'sip:c@d', headers: others }),
        TypeError,
        name,
      );
    }
    assert.throws(() => createRequest({ method: 'MESSAGE', requestUri: 'c@d', headers }), TypeError);
    assert.throws(
      () => createResponse({ status: 200, reason: '', headers: [...headers.slice(1), ['Via', 'x']] }),
      TypeError,
    );
  });
});
