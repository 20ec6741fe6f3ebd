import assert from 'node:assert/strict';
import { parseCommand } from '../../../sip/engine/control-protocol/command.js';
import { frame, frameLimit, FrameReader } from '../../../sip/engine/control-protocol/framing.js';
import { timeOfDay } from '../../../sip/engine/control-protocol/meta.js';

/** Feeds the chunks; returns the payloads and why it stopped. */
const read = (
  chunks: readonly Buffer[],
  limit = frameLimit,
): { payloads: string[]; error: string | undefined } => {
  const reader = new FrameReader();
  reader.limit = limit;
  const payloads: string[] = [];
  let error: string | undefined;
  for (const chunk of chunks) {
    error ??= reader.push(chunk, (payload) => {
      payloads.push(payload);
      return true;
    });
  }
  return { payloads, error };
};

describe('control frames', () => {
  const payloads = [
    'a|ping',
    'b|sip||\r\nMESSAGE sip:a SIP/2.0\r\n\r\nhéllo 🎧',
    'c|route|invite',
    `d|sip||\r\n${'x'.repeat(70_000)}`,
  ];
  const stream = Buffer.from(payloads.map(frame).join(''));

  it('count bytes, not characters', () => {
    assert.equal(frame('é'), '2#é');
  });

  it('are read when many come in one segment', () => {
    assert.deepEqual(read([stream]), { payloads, error: undefined });
  });

  it('are read when split anywhere', () => {
    for (let at = 1; at < 120; at += 1) {
      assert.deepEqual(read([stream.subarray(0, at), stream.subarray(at)]), { payloads, error: undefined });
    }
    const bytes = [...stream.subarray(0, 200)].map((byte) => Buffer.from([byte]));
    assert.deepEqual(read([...bytes, stream.subarray(200)]).payloads, payloads);
  });

  it('stop when the reader of payloads says so', () => {
    const reader = new FrameReader();
    const seen: string[] = [];
    reader.push(stream, (payload) => seen.push(payload) < 2);
    assert.deepEqual(seen, payloads.slice(0, 2));
  });

  for (const [name, bytes] of [
    ['no length', '#x'],
    ['a length of zero', '0#'],
    ['a letter in the length', '1x#y'],
    ['a sign', '-5#xxxxx'],
    ['too many digits', '123456789#'],
    ['a blank before the length', ' 5#xxxxx'],
  ] as const) {
    it(`are refused with ${name}`, () => {
      assert.equal(read([Buffer.from(bytes)]).error, 'invalid message length');
    });
  }

  it('are refused beyond the limit, before they are buffered', () => {
    assert.equal(read([Buffer.from('4097#')], 4096).error, 'message too long');
    assert.equal(read([Buffer.from(`4096#${'x'.repeat(4096)}`)], 4096).payloads.length, 1);
  });
});

describe('control commands', () => {
  it('keep every token at its place', () => {
    assert.deepEqual(parseCommand('i|sip|t|d|sip:1.2.3.4;transport=tcp\r\nINVITE sip:a SIP/2.0\r\n\r\n'), {
      verb: 'sip',
      id: 'i',
      transactionId: 't',
      dialogId: 'd',
      proxy: 'sip:1.2.3.4;transport=tcp',
      text: 'INVITE sip:a SIP/2.0\r\n\r\n',
    });
    assert.deepEqual(parseCommand('i|sip||d\r\nx'), {
      verb: 'sip',
      id: 'i',
      transactionId: '',
      dialogId: 'd',
      proxy: undefined,
      text: 'x',
    });
  });

  it('read authenticate, ping and routes', () => {
    assert.deepEqual(parseCommand('i|authenticate|secret|'), {
      verb: 'authenticate',
      id: 'i',
      secret: 'secret',
    });
    assert.deepEqual(parseCommand('i|ping'), { verb: 'ping', id: 'i' });
    assert.deepEqual(parseCommand('i|route|INVITE'), { verb: 'route', id: 'i', method: 'invite' });
    assert.deepEqual(parseCommand('i|remove_route|invite'), {
      verb: 'remove_route',
      id: 'i',
      method: 'invite',
    });
    assert.deepEqual(parseCommand('i|proxy|t||||serial|||sip:a\r\nx'), { verb: 'proxy', id: 'i' });
  });

  it('do not know other verbs', () => {
    assert.equal(parseCommand('i|bogus|x'), undefined);
    assert.equal(parseCommand(''), undefined);
  });

  it('write the time of day with microseconds', () => {
    assert.equal(timeOfDay(Date.UTC(2026, 0, 2, 3, 4, 5, 67)), '03:04:05.067000');
  });
});
