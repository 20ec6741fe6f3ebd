import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  decodeNg,
  encodeNg,
  ngLimits,
  type NgCommand,
  type NgCommandValue,
  type NgValue,
} from '../../../sip/media/rtpengine/ng-codec.js';

/** What decoding gives for a value that was encoded. */
function decoded(value: NgCommandValue): NgValue {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (Array.isArray(value)) return (value as readonly NgCommandValue[]).map(decoded);
  return new Map(
    Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, decoded(item)]])),
  );
}

const { command } = fc.letrec<{ value: NgCommandValue; command: NgCommand }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.maxSafeInteger(),
    fc.array(tie('value'), { maxLength: 5 }),
    tie('command'),
  ),
  command: fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { maxKeys: 5 }),
}));

const read = (text: string): unknown => decodeNg(Buffer.from(text));

describe('bencode of the NG protocol', () => {
  it('writes a command with sorted keys and without what is undefined', () => {
    const bytes = encodeNg({
      sdp: 'v=0\r\n',
      command: 'offer',
      via: undefined,
      flags: ['a', 7],
      'rtcp-mux': [],
    });
    assert.equal(bytes.toString(), 'd7:command5:offer5:flagsl1:ai7ee8:rtcp-muxle3:sdp5:v=0\r\ne');
  });

  it('counts bytes, not characters', () => {
    assert.equal(encodeNg({ s: 'é' }).toString(), 'd1:s2:ée');
  });

  it('reads what it has written', () => {
    fc.assert(
      fc.property(command, (written) => {
        assert.deepEqual(decodeNg(encodeNg(written)), decoded(written));
      }),
    );
  });

  it('reads nothing from a message that was cut', () => {
    fc.assert(
      fc.property(command, fc.nat(), (written, at) => {
        const bytes = encodeNg(written);
        assert.equal(decodeNg(bytes.subarray(0, at % bytes.length)), undefined);
      }),
    );
  });

  it('never throws, whatever comes', () => {
    const token = fc.constantFrom('d', 'l', 'e', 'i', ':', '-', '0', '1', '9', '3:abc', '1:a', 'i5e');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.array(token).map((tokens) => Buffer.from(tokens.join(''))),
        ),
        (bytes) => {
          const result = decodeNg(bytes);
          assert.ok(result === undefined || result instanceof Map);
        },
      ),
    );
  });

  const refused: readonly (readonly [what: string, text: string])[] = [
    ['nothing', ''],
    ['a list', 'le'],
    ['a text', '1:a'],
    ['a number', 'i1e'],
    ['bytes left over', 'de1'],
    ['a second message', 'dede'],
    ['a key that is a number', 'di1e1:ae'],
    ['a key without a value', 'd1:ae'],
    ['a number with a leading zero', 'd1:ai01ee'],
    ['a minus zero', 'd1:ai-0ee'],
    ['an empty number', 'd1:aiee'],
    ['a number with a sign', 'd1:ai+1ee'],
    ['a number without an end', 'd1:ai1'],
    ['a number of 21 digits', `d1:ai1${'0'.repeat(20)}ee`],
    ['a length with a leading zero', 'd01:a1:be'],
    ['a length beyond the end', 'd9:ae'],
    ['a length of 30 digits', `d${'9'.repeat(30)}:ae`],
    ['a list without an end', 'd1:al'],
  ];
  for (const [what, text] of refused) it(`refuses ${what}`, () => assert.equal(read(text), undefined));

  it('refuses nesting beyond its bound, and takes what is within', () => {
    const nested = (depth: number): string => `d1:a${'l'.repeat(depth)}${'e'.repeat(depth)}e`;
    assert.ok(read(nested(ngLimits.maxDepth - 1)) instanceof Map);
    assert.equal(read(nested(ngLimits.maxDepth + 1)), undefined);
    assert.equal(read(`d1:a${'l'.repeat(60_000)}`), undefined);
  });

  it('refuses more values than its bound', () => {
    assert.ok(read(`d1:al${'le'.repeat(ngLimits.maxValues - 2)}ee`) instanceof Map);
    assert.equal(read(`d1:al${'le'.repeat(ngLimits.maxValues)}ee`), undefined);
  });

  it('refuses more bytes than a datagram holds', () => {
    const filled = (bytes: number): string => `d1:a${bytes}:${'x'.repeat(bytes)}e`;
    assert.ok(read(filled(60_000)) instanceof Map);
    assert.equal(read(filled(ngLimits.maxBytes)), undefined);
  });

  it('reads counters of 64 bits, rounded', () => {
    assert.deepEqual(read('d1:ai18446744073709551615ee'), new Map([['a', 2 ** 64]]));
  });

  it('keeps the first of two values with the same key', () => {
    assert.deepEqual(
      read('d1:ai1e1:bi3e1:ai2ee'),
      new Map([
        ['a', 1],
        ['b', 3],
      ]),
    );
  });

  it('keeps keys that an object would treat specially', () => {
    assert.deepEqual(read('d9:__proto__i1ee'), new Map([['__proto__', 1]]));
  });
});
