import assert from 'node:assert/strict';
import { parseMessage, serializeMessage } from '../../sip/message/index.js';
import { rfc5118 } from './rfc5118-table.js';

describe('RFC 5118 torture messages, with IPv6', () => {
  it('has an expectation for each of the 11', () => {
    assert.equal(new Set(rfc5118.map(({ name }) => name)).size, 11);
  });

  for (const expectation of rfc5118) {
    const { name, section, outcome, bytes } = expectation;
    it(`${name} (§${section}): ${outcome}`, () => {
      const read = parseMessage(bytes);
      if (read.kind === 'failure') {
        assert.equal(`answered ${read.failure.status} ${read.failure.reason}`, outcome);
        assert.ok(read.reply !== undefined);
        return;
      }
      assert.equal(outcome, 'accepted');
      expectation.verify?.(read);
      const again = parseMessage(serializeMessage(read));
      assert.ok(again.kind !== 'failure', 'what we write must be readable');
      expectation.verify?.(again);
    });
  }
});
