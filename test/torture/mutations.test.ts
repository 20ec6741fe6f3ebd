import assert from 'node:assert/strict';
import { parseMessage, serializeMessage, serializeText, StreamFramer } from '../../sip/message/index.js';
import { mutate, seededRandom } from './mutate.js';
import { tortureMessages } from './rfc4475-table.js';

const rounds = 10_000;

describe('mutated messages', () => {
  const seeds = tortureMessages().map(({ bytes }) => bytes);

  it(`never throw, never leak a line end, and stay what they are when written again (${rounds})`, () => {
    const random = seededRandom(4475);
    const counts = { read: 0, answered: 0, dropped: 0 };
    for (let i = 0; i < rounds; i++) {
      const bytes = mutate(seeds[i % seeds.length] ?? Buffer.alloc(0), seeds, random);
      const message = parseMessage(bytes);
      if (message.kind === 'failure') {
        counts[message.reply === undefined ? 'dropped' : 'answered']++;
        if (message.reply !== undefined) checkReply(message.reply, bytes);
        continue;
      }
      counts.read++;
      for (const [name, value] of message.headers.entries()) {
        assert.doesNotMatch(`${name}${value}`, /[\r\n\0]/, `round ${i}`);
      }
      const written = serializeMessage(message);
      const again = parseMessage(written);
      assert.ok(
        again.kind === message.kind,
        `round ${i}: cannot read ${JSON.stringify(written.toString('latin1'))}`,
      );
      assert.deepEqual(
        [again.topVia, again.from, again.to, again.callId, again.cseq],
        [message.topVia, message.from, message.to, message.callId, message.cseq],
      );
      assert.deepEqual(again.body, message.body);
      assert.deepEqual(serializeMessage(again), written);
      assert.equal(parseMessage(Buffer.from(serializeText(message))).kind, message.kind);
    }
    for (const count of Object.values(counts)) assert.ok(count > rounds / 50, JSON.stringify(counts));
  });

  it('never throw in a stream, whichever way it is cut', () => {
    const random = seededRandom(3261);
    for (let i = 0; i < rounds / 10; i++) {
      const framer = new StreamFramer();
      const stream = Buffer.concat(
        seeds.slice(i % 40, (i % 40) + 4).map((seed) => mutate(seed, seeds, random)),
      );
      let failures = 0;
      for (let at = 0; at < stream.length;) {
        const size = 1 + random(400);
        for (const event of framer.push(stream.subarray(at, at + size))) {
          assert.equal(failures, 0, 'something follows a failure');
          if (event.kind === 'failure') failures++;
          if (event.kind === 'message') parseMessage(event.bytes, { framing: 'stream' });
        }
        at += size;
      }
    }
  });
});

/** A reply is a response that our own parser reads, unless it quotes what was malformed. */
function checkReply(reply: Buffer, cause: Buffer): void {
  const text = reply.toString();
  assert.match(text, /^SIP\/2\.0 (400|505|513) [A-Za-z0-9 -]+\r\nVia: /);
  assert.ok(text.endsWith('\r\nContent-Length: 0\r\n\r\n'));
  for (const line of text.slice(0, -4).split('\r\n'))
    assert.doesNotMatch(line, /[\r\n\0]/, cause.toString('latin1'));
}
