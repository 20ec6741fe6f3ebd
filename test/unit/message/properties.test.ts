import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  createRequest,
  parseMessage,
  parseNameAddr,
  parseParams,
  parseUri,
  parseVia,
  serializeMessage,
  serializeNameAddr,
  serializeParams,
  serializeUri,
  serializeVia,
  splitCommaList,
  type SipMessage,
} from '../../../sip/message/index.js';

const token = fc.stringMatching(/^[a-zA-Z0-9.!%*_+`'~-]{1,12}$/);
const text = fc.string({ unit: 'grapheme', maxLength: 20 }).map((value) => value.replace(/[\0\r\n]/g, ''));
const host = fc.oneof(
  fc.constantFrom('example.com', 'a.invalid', '192.0.2.1', '[2001:db8::1]', 'localhost'),
  fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{2,5})?$/),
);
const port = fc.option(fc.integer({ min: 0, max: 65535 }), { nil: undefined });
const params = fc
  .uniqueArray(
    fc.tuple(
      token.map((name) => name.toLowerCase()),
      fc.option(text),
    ),
    { selector: ([name]) => name, maxLength: 4 },
  )
  .map((entries) => new Map(entries.filter(([name]) => name !== 'tag' && name !== 'branch')));
const user = fc.stringMatching(/^([a-zA-Z0-9_.!~*'()&=+$,;?/-]|%[0-9a-fA-F]{2}){1,12}$/);
const uriText = fc
  .tuple(fc.constantFrom('sip', 'sips'), fc.option(user), host, port)
  .map(
    ([scheme, name, where, at]) =>
      `${scheme}:${name === null ? '' : `${name}@`}${where}${at === undefined ? '' : `:${at}`}`,
  );

const slots = ({ kind, topVia, from, to, callId, cseq }: SipMessage) => ({
  kind,
  topVia,
  from,
  to,
  callId,
  cseq,
});

describe('codec properties', () => {
  it('writes URIs as it reads them', () => {
    fc.assert(
      fc.property(uriText, (source) => {
        const uri = parseUri(source);
        assert.ok(uri !== undefined, source);
        assert.equal(serializeUri(uri), source);
      }),
    );
  });

  it('reads the parameters that it writes', () => {
    fc.assert(
      fc.property(params, (map) => {
        assert.deepEqual(parseParams(serializeParams(map)), map);
      }),
    );
  });

  it('reads the name-addr that it writes, also out of a list', () => {
    fc.assert(
      fc.property(fc.option(text, { nil: undefined }), uriText, params, (displayName, source, map) => {
        const uri = parseUri(source);
        assert.ok(uri !== undefined);
        const value = { displayName, uri, params: map };
        const written = serializeNameAddr(value);
        assert.deepEqual(parseNameAddr(written), value);
        assert.deepEqual(splitCommaList(`${written},${written} , ${written}`), [written, written, written]);
      }),
    );
  });

  it('reads the Via that it writes', () => {
    fc.assert(
      fc.property(
        token.map((name) => name.toUpperCase()),
        host,
        port,
        params,
        (transport, where, at, map) => {
          const via = { transport, host: where, port: at, params: map };
          assert.deepEqual(parseVia(serializeVia(via)), via);
        },
      ),
    );
  });

  it('reads the message that it writes, whatever headers and body it has', () => {
    const extra = fc.array(
      fc.tuple(
        token.map((name) => `X-${name}`),
        text.map((value) => value.trim().replace(/^[ \t]+|[ \t]+$/g, '')),
      ),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(
        extra,
        fc.uint8Array({ maxLength: 200 }),
        uriText,
        token,
        (fields, body, requestUri, method) => {
          const message = createRequest({
            method,
            requestUri,
            headers: [
              ['Via', 'SIP/2.0/UDP a;branch=z9hG4bK1'],
              ['From', '<sip:a@b>;tag=1'],
              ...fields,
              ['To', `<${requestUri}>`],
              ['Call-ID', 'c1'],
              ['CSeq', `1 ${method}`],
            ],
            body: Buffer.from(body),
          });
          const bytes = serializeMessage(message);
          const again = parseMessage(bytes);
          assert.ok(again.kind === 'request', again.kind === 'failure' ? again.failure.message : again.kind);
          assert.deepEqual([...again.headers.entries()].slice(0, -1), [...message.headers.entries()]);
          assert.deepEqual(slots(again), slots(message));
          assert.deepEqual(again.body, message.body);
          assert.deepEqual(serializeMessage(again), bytes);
        },
      ),
    );
  });

  it('never throws, on bytes of any kind', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => void parseMessage(Buffer.from(bytes))),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (source) => {
        parseUri(source);
        parseNameAddr(source);
        parseVia(source);
        parseParams(source);
        splitCommaList(source);
      }),
    );
  });
});
