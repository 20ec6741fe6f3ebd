import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { dialTarget, isDigit } from '#web/phone/dial-string.js';

const uriOf = (typed: string): string => {
  const target = dialTarget(typed, 'example.com');
  return 'uri' in target ? target.uri : `problem: ${target.problem}`;
};

describe('what was typed, as a URI to call', () => {
  it('strips what people put between digits', () => {
    assert.equal(uriOf('+49 (30) 12-34.56/7'), 'sip:+49301234567@example.com');
    assert.equal(uriOf('  600 '), 'sip:600@example.com');
    assert.equal(uriOf('+1\u00a0555\u2011123'), 'sip:+1555123@example.com');
  });

  it('keeps star and hash, the latter escaped', () => {
    assert.equal(uriOf('*97#'), 'sip:*97%23@example.com');
  });

  it('takes a name as a user of our domain', () => {
    assert.equal(uriOf('bob'), 'sip:bob@example.com');
    assert.equal(uriOf('dead'), 'sip:dead@example.com');
    assert.equal(uriOf('bob.o-neil_2'), 'sip:bob.o-neil_2@example.com');
  });

  it('takes addresses and URIs as they are', () => {
    assert.equal(uriOf('bob@other.org'), 'sip:bob@other.org');
    assert.equal(uriOf('sip:bob@other.org:5070'), 'sip:bob@other.org:5070');
    assert.equal(uriOf('SIP:bob'), 'sip:bob@example.com');
    assert.equal(uriOf('tel:+49-30-1'), 'sip:+49301@example.com');
    assert.equal(uriOf('bob@[2001:db8::1]'), 'sip:bob@[2001:db8::1]');
  });

  it('shows the number without its separators and the domain only when it is another', () => {
    assert.deepEqual(dialTarget('06 00', 'example.com'), { uri: 'sip:0600@example.com', shown: '0600' });
    assert.deepEqual(dialTarget('b@example.com', 'example.com'), { uri: 'sip:b@example.com', shown: 'b' });
    assert.deepEqual(dialTarget('b@o.org', 'example.com'), { uri: 'sip:b@o.org', shown: 'b@o.org' });
  });

  it('says what is wrong with the rest', () => {
    assert.match(uriOf(''), /^problem: Enter a number/);
    assert.match(uriOf('   '), /^problem: Enter a number/);
    assert.match(uriOf('sips:bob@x'), /^problem: .*sips/);
    for (const bad of [
      'bob smith',
      'a\r\nVia: x',
      'bob>',
      '"bob"',
      '<sip:bob@x>',
      'b#b',
      '50%',
      '@host',
      '()',
    ]) {
      assert.match(uriOf(bad), /^problem: /, bad);
    }
    assert.match(uriOf('bob@ho st'), /^problem: .*host/);
    assert.match(uriOf('bob@host;transport=tcp'), /^problem: .*host/);
  });

  it('does not slow down on a long paste', () => {
    const began = performance.now();
    dialTarget(`${'1 '.repeat(100_000)}!`, 'example.com');
    dialTarget(`${'%41'.repeat(100_000)}%`, 'example.com');
    assert.ok(performance.now() - began < 500);
  });
});

describe('what can be sent as a telephone event', () => {
  it('is the sixteen digits of RFC 4733', () => {
    assert.ok([...'0123456789*#ABCD'].every(isDigit));
    assert.ok(!['E', 'a', '', '12', '+'].some(isDigit));
  });
});
