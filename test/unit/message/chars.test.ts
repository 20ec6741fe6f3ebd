import assert from 'node:assert/strict';
import {
  endOfQuoted,
  hasLineBreak,
  isToken,
  isUserPart,
  lowerSlice,
  quote,
  skipBlank,
  trimBlank,
  unquote,
} from '../../../sip/message/chars.js';

describe('character classes', () => {
  it('takes every token character and nothing else', () => {
    assert.equal(isToken("azAZ09-.!%*_+`'~"), true);
    for (const character of ' \t()<>@,;:\\"/[]?={}\u007f\u00e9')
      assert.equal(isToken(`a${character}b`), false);
    assert.equal(isToken(''), false);
  });

  it('takes escapes in a user part only when two hexadecimal digits follow', () => {
    const isUser = (text: string) => isUserPart(text, 0, text.length);
    assert.equal(isUser('a%2fB'), true);
    for (const bad of ['%', 'a%2', '%zz', '%%41', 'a b', 'a<b', 'a"b', 'a@b'])
      assert.equal(isUser(bad), false, bad);
  });

  it('finds the end of a quoted string over escaped quotes', () => {
    assert.equal(endOfQuoted('"a\\"b" c', 0, 8), 6);
    assert.equal(endOfQuoted('"a\\"', 0, 4), -1);
    assert.equal(endOfQuoted('"a\\', 0, 3), -1);
  });

  it('undoes what quote does', () => {
    for (const text of ['', 'a', 'a"b', '\\', '\\\\"', 'x\\y"']) {
      const quoted = quote(text);
      assert.equal(unquote(quoted, 0, quoted.length), text);
    }
  });

  it('finds CR, LF and NUL', () => {
    for (const text of ['a\rb', 'a\nb', 'a\0b']) assert.equal(hasLineBreak(text), true);
    assert.equal(hasLineBreak('a\tb'), false);
  });

  it('trims spaces and tabs and lowers ASCII', () => {
    assert.equal(skipBlank(' \t x', 0, 4), 3);
    assert.equal(trimBlank('x \t ', 0, 4), 1);
    assert.equal(trimBlank('   ', 0, 3), 0);
    assert.equal(lowerSlice('xABCx', 1, 4), 'abc');
  });
});
