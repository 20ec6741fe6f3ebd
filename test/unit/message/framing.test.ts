import assert from 'node:assert/strict';
import { defaultParseLimits, StreamFramer, type StreamEvent } from '../../../sip/message/index.js';
import { requestBytes } from '../../support/sip-text.js';

const show = (events: readonly StreamEvent[]) =>
  events.map((event) => {
    if (event.kind === 'message') return event.bytes.toString();
    return event.kind === 'ping' ? 'ping' : `failure ${event.failure.status} ${event.failure.reason}`;
  });

describe('StreamFramer (RFC 3261 §18.3)', () => {
  const one = requestBytes('MESSAGE', {}, 'Gr\u00fc\u00dfe\r\n\r\n');
  const two = requestBytes('OPTIONS');
  const stream = Buffer.concat([Buffer.from('\r\n'), one, two, Buffer.from('\r\n\r\n'), one]);
  const expected = [one.toString(), two.toString(), 'ping', one.toString()];

  it('cuts messages out of one chunk', () => {
    assert.deepEqual(show(new StreamFramer().push(stream)), expected);
  });

  for (const size of [1, 2, 3, 7, 64, 500]) {
    it(`cuts the same out of chunks of ${size} bytes`, () => {
      const framer = new StreamFramer();
      const events: StreamEvent[] = [];
      for (let at = 0; at < stream.length; at += size)
        events.push(...framer.push(stream.subarray(at, at + size)));
      assert.deepEqual(show(events), expected);
    });
  }

  it('takes a single CRLF for no ping, whichever way it is cut', () => {
    const framer = new StreamFramer();
    assert.deepEqual(framer.push(Buffer.from('\r\n')), []);
    assert.equal(framer.push(two).length, 1);
    assert.deepEqual(framer.push(Buffer.from('\r\n\r')), []);
    assert.deepEqual(show(framer.push(Buffer.from('\n'))), ['ping']);
  });

  it('answers a flood of pings once for each chunk', () => {
    assert.deepEqual(show(new StreamFramer().push(Buffer.from('\r\n'.repeat(10_000)))), ['ping']);
  });

  it('gives messages that outlive its buffer', () => {
    const framer = new StreamFramer();
    const [event] = framer.push(two);
    for (let i = 0; i < 50; i++) framer.push(one);
    assert.deepEqual(show(event === undefined ? [] : [event]), [two.toString()]);
  });

  for (const [what, bytes, answer] of [
    [
      'no Content-Length',
      requestBytes('OPTIONS', { 'Content-Length': undefined }),
      'failure 400 Missing Content-Length',
    ],
    [
      'a negative Content-Length',
      requestBytes('OPTIONS', { 'Content-Length': '-1' }),
      'failure 400 Malformed Content-Length',
    ],
    [
      'two Content-Lengths',
      requestBytes('OPTIONS', { 'Content-Length': '0\r\nl: 5' }),
      'failure 400 Duplicate Content-Length',
    ],
    [
      'a huge Content-Length',
      requestBytes('OPTIONS', { 'Content-Length': '99999999999999999999' }),
      'failure 513 Message Too Large',
    ],
    [
      'a head without end',
      Buffer.from(`OPTIONS sip:a SIP/2.0\r\nX: ${'y'.repeat(70_000)}`),
      'failure 513 Message Too Large',
    ],
  ] as const) {
    it(`gives up at ${what} and takes nothing more`, () => {
      const framer = new StreamFramer();
      assert.deepEqual(show(framer.push(Buffer.concat([two, bytes, two]))), [two.toString(), answer]);
      assert.deepEqual(framer.push(two), []);
    });
  }

  it('has a reply for a request whose end it cannot find', () => {
    const [event] = new StreamFramer().push(requestBytes('OPTIONS', { 'Content-Length': '-1' }));
    assert.ok(event?.kind === 'failure');
    assert.match(event.reply?.toString() ?? '', /^SIP\/2\.0 400 Malformed Content-Length\r\nVia: /);
  });

  it('takes time linear in the stream, one byte at a time', () => {
    const framer = new StreamFramer({ ...defaultParseLimits, maxBytes: 1_000_000 });
    const large = requestBytes('MESSAGE', {}, 'x'.repeat(400_000));
    const before = process.cpuUsage();
    let messages = 0;
    for (let at = 0; at < large.length; at++) messages += framer.push(large.subarray(at, at + 1)).length;
    const { user } = process.cpuUsage(before);
    assert.equal(messages, 1);
    assert.ok(user < 2_000_000, `took ${user} us`);
  });
});
