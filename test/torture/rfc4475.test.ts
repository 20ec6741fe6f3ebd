import assert from 'node:assert/strict';
import { checkRequest, parseMessage, serializeMessage, type SipMessage } from '../../sip/message/index.js';
import { ownMessages } from './own-messages.js';
import { rfc4475, rfcFiles, tortureMessages, type Outcome } from './rfc4475-table.js';

const methods = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER', 'MESSAGE', 'UPDATE'];

function outcome(bytes: Buffer): { readonly outcome: Outcome; readonly message: SipMessage | undefined } {
  const message = parseMessage(bytes);
  if (message.kind === 'failure') {
    const { status, reason } = message.failure;
    if (message.reply === undefined) return { outcome: `dropped ${reason}`, message: undefined };
    const line = message.reply.toString().split('\r\n', 1)[0];
    assert.equal(line, `SIP/2.0 ${status} ${reason}`);
    return { outcome: `answered ${status} ${reason}`, message: undefined };
  }
  const failure = message.kind === 'request' ? checkRequest(message, ['100rel'], methods) : undefined;
  return {
    outcome: failure === undefined ? 'accepted' : `checked ${failure.status} ${failure.reason}`,
    message,
  };
}

describe('RFC 4475 torture messages', () => {
  it('has one expectation and one message of ours for each of the 49', () => {
    assert.equal(rfc4475.length, 49);
    assert.equal(new Set(rfc4475.map(({ name }) => name)).size, 49);
    assert.deepEqual(Object.keys(ownMessages).sort(), rfc4475.map(({ name }) => name).sort());
  });

  it('knows every file of the RFC that is at hand', () => {
    const names = new Set(rfc4475.map(({ name }) => name));
    assert.deepEqual(
      rfcFiles().filter((name) => !names.has(name)),
      [],
    );
  });

  for (const { expectation, source, bytes } of tortureMessages()) {
    it(`${expectation.name} (§${expectation.section}, ${source}): ${expectation.outcome}`, () => {
      const result = outcome(bytes);
      assert.equal(result.outcome, expectation.outcome);
      if (result.message === undefined) return;
      expectation.verify?.(result.message);
      const again = parseMessage(serializeMessage(result.message));
      assert.ok(again.kind !== 'failure', 'what we write must be readable');
      expectation.verify?.(again);
    });
  }
});
