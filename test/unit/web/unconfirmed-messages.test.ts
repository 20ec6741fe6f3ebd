import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { UnconfirmedMessages } from '#web/phone/line/unconfirmed-messages.js';

interface Parts {
  readonly callId?: string;
  readonly cseq?: string;
  readonly branch?: string;
}

function message(
  start: string,
  { callId = 'c1', cseq = '1 INVITE', branch = 'z9hG4bK1' }: Parts = {},
): string {
  const via = `Via: SIP/2.0/WS a.invalid;rport;branch=${branch};received=127.0.0.1`;
  return [start, via, `Call-ID: ${callId}`, `CSeq: ${cseq}`, '', ''].join('\r\n');
}

describe('what a connection may have lost', () => {
  let nowMs: number;
  let messages: UnconfirmedMessages;
  const bye = message('BYE sip:a@b SIP/2.0', { cseq: '2 BYE' });

  beforeEach(() => {
    nowMs = 0;
    messages = new UnconfirmedMessages(() => nowMs);
  });

  it('is a request until a response to it has come, provisional ones too', () => {
    const invite = message('INVITE sip:a@b SIP/2.0', { branch: 'z9hG4bK2' });
    const cancel = message('CANCEL sip:a@b SIP/2.0', { cseq: '1 CANCEL', branch: 'z9hG4bK2' });
    for (const each of [bye, invite, cancel]) messages.sent(each);
    messages.received(message('SIP/2.0 100 Trying', { branch: 'z9hG4bK2' }));
    assert.deepEqual(messages.drain(), [bye, cancel]);
    assert.equal(messages.size, 0);
  });

  it('is an answer to an INVITE until its ACK has come', () => {
    const [ok, busy] = [message('SIP/2.0 200 OK'), message('SIP/2.0 486 Busy Here', { callId: 'c2' })];
    messages.sent(ok);
    messages.sent(busy);
    messages.received(message('ACK sip:a@b SIP/2.0', { cseq: '1 ACK', branch: 'z9hG4bK9' }));
    assert.deepEqual(messages.drain(), [busy]);
  });

  it('is the answer to any other request, which nothing confirms', () => {
    const ok = message('SIP/2.0 200 OK', { cseq: '2 BYE' });
    messages.sent(ok);
    assert.deepEqual(messages.drain(), [ok]);
  });

  it('is not what the other side asks for again, or what belongs to the connection', () => {
    messages.sent(message('ACK sip:a@b SIP/2.0', { cseq: '1 ACK' }));
    messages.sent(message('SIP/2.0 180 Ringing'));
    messages.sent(message('REGISTER sip:b SIP/2.0', { cseq: '1 REGISTER' }));
    assert.equal(messages.size, 0);
  });

  it('is dropped when its transaction must be over', () => {
    messages.sent(bye);
    assert.equal(messages.isWorthSending, true);
    nowMs = 32_001;
    assert.equal(messages.isWorthSending, false);
    assert.deepEqual(messages.drain(), []);
  });

  it('does not grow: the oldest make room', () => {
    const texts = Array.from({ length: 100 }, (_, each) =>
      message('INFO sip:a@b SIP/2.0', { cseq: `${each} INFO`, branch: `z9hG4bK${each}` }),
    );
    for (const text of texts) messages.sent(text);
    assert.deepEqual(messages.drain(), texts.slice(-32));
  });
});
