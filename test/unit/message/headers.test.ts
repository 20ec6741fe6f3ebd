import assert from 'node:assert/strict';
import { Headers } from '../../../sip/message/headers.js';

const make = () =>
  Headers.from([
    ['v', 'one'],
    ['X-Other', 'x'],
    ['VIA', 'two'],
    ['m', '*'],
  ]);

const list = (headers: Headers) => [...headers.entries()].map(([name, value]) => `${name}: ${value}`);

describe('Headers', () => {
  it('finds names in any case, compact or long', () => {
    const headers = make();
    assert.equal(headers.get('Via'), 'one');
    assert.equal(headers.get('V'), 'one');
    assert.deepEqual(headers.getAll('via'), ['one', 'two']);
    assert.equal(headers.get('CONTACT'), '*');
    assert.equal(headers.get('x-OTHER'), 'x');
    assert.equal(headers.get('To'), undefined);
    assert.equal(headers.has('t'), false);
  });

  it('writes known names in their usual form and others as given', () => {
    assert.deepEqual(list(make()), ['Via: one', 'X-Other: x', 'Via: two', 'Contact: *']);
  });

  it('knows every compact form', () => {
    const forms: Record<string, string> = {
      a: 'Accept-Contact',
      b: 'Referred-By',
      c: 'Content-Type',
      d: 'Request-Disposition',
      e: 'Content-Encoding',
      f: 'From',
      i: 'Call-ID',
      j: 'Reject-Contact',
      k: 'Supported',
      l: 'Content-Length',
      m: 'Contact',
      n: 'Identity-Info',
      o: 'Event',
      r: 'Refer-To',
      s: 'Subject',
      t: 'To',
      u: 'Allow-Events',
      v: 'Via',
      x: 'Session-Expires',
      y: 'Identity',
    };
    for (const [compact, name] of Object.entries(forms)) {
      assert.equal(Headers.from([[compact, '1']]).get(name), '1', name);
      assert.equal(Headers.from([[name, '1']]).get(compact.toUpperCase()), '1', name);
    }
  });

  it('sets in the place of the first and removes the others', () => {
    const headers = make();
    headers.set('Via', 'three');
    headers.set('New', 'n');
    assert.deepEqual(list(headers), ['Via: three', 'X-Other: x', 'Contact: *', 'New: n']);
  });

  it('prepends before its own kind, or at the top', () => {
    const headers = make();
    headers.prepend('Contact', '<sip:a@b>');
    headers.prepend('Route', '<sip:r>');
    headers.append('Via', 'last');
    assert.deepEqual(list(headers), [
      'Route: <sip:r>',
      'Via: one',
      'X-Other: x',
      'Via: two',
      'Contact: <sip:a@b>',
      'Contact: *',
      'Via: last',
    ]);
  });

  it('removes all, or the first', () => {
    const headers = make();
    assert.equal(headers.removeFirst('Via'), 'one');
    assert.equal(headers.removeFirst('Nothing'), undefined);
    headers.delete('via');
    assert.deepEqual(list(headers), ['X-Other: x', 'Contact: *']);
    assert.equal(headers.size, 2);
  });

  it('clones', () => {
    const headers = make();
    const copy = headers.clone();
    copy.delete('Via');
    assert.equal(headers.getAll('Via').length, 2);
  });

  it('lets no line break and no broken name in', () => {
    const headers = make();
    for (const value of ['a\r\nVia: evil', 'a\nb', 'a\rb', 'a\0b']) {
      assert.throws(() => headers.set('Subject', value), TypeError);
      assert.throws(() => headers.append('Subject', value), TypeError);
      assert.throws(() => headers.prepend('Subject', value), TypeError);
      assert.throws(() => Headers.from([['Subject', value]]), TypeError);
    }
    for (const name of ['', 'a b', 'a:b', 'a\r\n']) assert.throws(() => headers.set(name, 'x'), TypeError);
    assert.equal(headers.size, 4);
  });
});
