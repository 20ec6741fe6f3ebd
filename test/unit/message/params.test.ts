import assert from 'node:assert/strict';
import { parseParams, parseUriParams, serializeParams } from '../../../sip/message/params.js';

const entries = (text: string) => {
  const params = parseParams(text);
  return params === undefined ? undefined : [...params];
};

describe('header parameters', () => {
  it('reads names without case, tokens, quoted strings and values that are absent', () => {
    assert.deepEqual(entries(';Tag=Abc;rport;x="a;b,\\"c"'), [
      ['tag', 'Abc'],
      ['rport', null],
      ['x', 'a;b,"c'],
    ]);
  });

  it('reads hosts and IPv6 references as values', () => {
    assert.deepEqual(entries(';received=2001:db8::1;maddr=[2001:db8::2]'), [
      ['received', '2001:db8::1'],
      ['maddr', '[2001:db8::2]'],
    ]);
  });

  it('takes blanks around ; and =', () => {
    assert.deepEqual(entries(' ; a = b ;\tc '), [
      ['a', 'b'],
      ['c', null],
    ]);
  });

  it('reads nothing as no parameters', () => {
    assert.deepEqual(entries(''), []);
    assert.deepEqual(entries('  '), []);
  });

  for (const bad of [
    ';',
    ';;a',
    ';a;',
    ';a=',
    'a=b',
    ';a b',
    ';a="x',
    ';a="x"y',
    ';a=b c',
    ';=b',
    ';a=b,c',
    ';a=<b>',
  ]) {
    it(`refuses ${bad}`, () => assert.equal(entries(bad), undefined));
  }

  it('keeps one of two equal duplicates and refuses two that differ', () => {
    assert.deepEqual(entries(';ob;ob'), [['ob', null]]);
    assert.equal(entries(';tag=a;tag=b'), undefined);
    assert.equal(entries(';tag=a;Tag'), undefined);
  });

  it('writes tokens bare and everything else quoted', () => {
    const params = new Map([
      ['tag', 'a1'],
      ['lr', null],
      ['x', 'a b"c'],
      ['maddr', '[::1]'],
    ]);
    assert.equal(serializeParams(params), ';tag=a1;lr;x="a b\\"c";maddr=[::1]');
  });

  it('always quotes feature parameters and the text of a Reason', () => {
    assert.equal(serializeParams(new Map([['+sip.instance', 'abc']])), ';+sip.instance="abc"');
    assert.equal(serializeParams(new Map([['text', 'Busy']])), ';text="Busy"');
  });

  it('throws rather than write a line break or a name that is no token', () => {
    assert.throws(() => serializeParams(new Map([['a', 'b\r\nc']])), TypeError);
    assert.throws(() => serializeParams(new Map([['a b', null]])), TypeError);
  });
});

describe('URI parameters', () => {
  const uriEntries = (text: string) => {
    const params = parseUriParams(text, 0, text.length);
    return params === undefined ? undefined : [...params];
  };

  it('keeps escapes', () => {
    assert.deepEqual(uriEntries(';n%61me=v%61lue%25%34%31;LR'), [
      ['n%61me', 'v%61lue%25%34%31'],
      ['lr', null],
    ]);
  });

  for (const bad of [';', ';a=', ';a="b"', ';a b', '; lr', ';a=%4', ';a=b;;c']) {
    it(`refuses ${bad}`, () => assert.equal(uriEntries(bad), undefined));
  }
});
