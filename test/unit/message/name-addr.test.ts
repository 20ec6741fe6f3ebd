import assert from 'node:assert/strict';
import {
  parseNameAddr,
  parseNameAddrList,
  serializeNameAddr,
  splitCommaList,
  tagOf,
  withTag,
} from '../../../sip/message/name-addr.js';
import { serializeUri } from '../../../sip/message/uri.js';

/** Display name, URI and parameters as one line. */
function read(text: string): string | undefined {
  const parsed = parseNameAddr(text);
  if (parsed === undefined) return undefined;
  const params = [...parsed.params].map(([name, value]) => `${name}=${value}`).join(' ');
  return `${parsed.displayName ?? '-'} | ${serializeUri(parsed.uri)} | ${params}`;
}

describe('name-addr', () => {
  const good: readonly (readonly [string, string])[] = [
    ['<sip:a@b>', '- | sip:a@b | '],
    ['sip:a@b;tag=x', '- | sip:a@b | tag=x'],
    ['<sip:a@b;lr>;tag=x', '- | sip:a@b;lr | tag=x'],
    ['Alice <sip:a@b>', 'Alice | sip:a@b | '],
    ['caller<sip:a@b>', 'caller | sip:a@b | '],
    ['A. G. Bell <sip:a@b> ; tag = 1', 'A. G. Bell | sip:a@b | tag=1'],
    ['"Bell, A \\"x\\" <y>" <sip:a@b>;q=0.5', 'Bell, A "x" <y> | sip:a@b | q=0.5'],
    ['"" <sip:a@b>', ' | sip:a@b | '],
    ['"J\u00fcrgen \u{1F600}" <sip:a@b>', 'J\u00fcrgen \u{1F600} | sip:a@b | '],
    ['J\u00fcrgen <sip:a@b>', 'J\u00fcrgen | sip:a@b | '],
    ['<tel:+1555>', '- | tel:+1555 | '],
    ['<urn:service:sos>', '- | urn:service:sos | '],
    ['sip:a@b;+sip.instance="<urn:uuid:1>"', '- | sip:a@b | +sip.instance=<urn:uuid:1>'],
    ['<sip:a@b?x=y>', '- | sip:a@b?x=y | '],
  ];
  for (const [text, expected] of good) {
    it(`reads ${text}`, () => assert.equal(read(text), expected));
  }

  const bad = [
    '',
    '*',
    '<>',
    '<sip:a@b',
    'sip:a@b>',
    '< sip:a@b >',
    '"Alice <sip:a@b>',
    '"Alice" sip:a@b',
    'Bell, A <sip:a@b>',
    '<sip:a@b> x',
    '<sip:a@b>;;',
    '<sip:a@b>;tag=1;tag=2',
    'sip:a@b?x=y',
    '<sip:a@b>, <sip:c@d>',
    '<sip:a@b>>',
  ];
  for (const text of bad) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseNameAddr(text), undefined));
  }

  it('writes brackets always and the display name quoted', () => {
    for (const [text, expected] of [
      ['sip:a@b;tag=x', '<sip:a@b>;tag=x'],
      ['A "b" <sip:a@b>', undefined],
      ['"A \\"b\\"" <sip:a@b>', '"A \\"b\\"" <sip:a@b>'],
      ['Al <sip:a@b>', '"Al" <sip:a@b>'],
    ] as const) {
      const parsed = parseNameAddr(text);
      assert.equal(parsed === undefined ? undefined : serializeNameAddr(parsed), expected);
    }
  });

  it('throws rather than write a line break', () => {
    const parsed = parseNameAddr('<sip:a@b>');
    assert.ok(parsed);
    assert.throws(() => serializeNameAddr({ ...parsed, displayName: 'a\r\nVia: x' }), TypeError);
  });

  it('adds a tag to a copy', () => {
    const parsed = parseNameAddr('<sip:a@b>;x=y');
    assert.ok(parsed);
    assert.equal(tagOf(parsed), undefined);
    assert.equal(tagOf(withTag(parsed, 't1')), 't1');
    assert.equal(tagOf(parsed), undefined);
    assert.equal(serializeNameAddr(withTag(parsed, 't1')), '<sip:a@b>;x=y;tag=t1');
  });
});

describe('comma lists', () => {
  it('splits outside quotes and brackets only', () => {
    assert.deepEqual(splitCommaList('"a, b" <sip:c,d@e>;x="1,2" , <sip:f@g>'), [
      '"a, b" <sip:c,d@e>;x="1,2"',
      '<sip:f@g>',
    ]);
    assert.deepEqual(splitCommaList('a'), ['a']);
    assert.deepEqual(splitCommaList(' , a ,, b , '), ['a', 'b']);
    assert.deepEqual(splitCommaList(''), []);
  });

  it('does not split in an open quote', () => {
    assert.deepEqual(splitCommaList('a, "b, c'), ['a', '"b, c']);
  });

  it('reads a list over several lines, all or nothing', () => {
    assert.equal(parseNameAddrList(['<sip:a@b>, sip:c@d', '<sip:e@f>'])?.length, 3);
    assert.equal(parseNameAddrList(['<sip:a@b>, c']), undefined);
    assert.deepEqual(parseNameAddrList([]), []);
  });
});
