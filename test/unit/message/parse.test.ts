import assert from 'node:assert/strict';
import { defaultParseLimits, parseMessage, type ParseOptions } from '../../../sip/message/index.js';
import type { ParseFailure, SipMessage, SipRequest } from '../../../sip/message/index.js';
import { requestBytes, requestLines, sipBytes } from '../../support/sip-text.js';

function request(bytes: Buffer, options: ParseOptions = {}): SipRequest {
  const message = parseMessage(bytes, options);
  assert.ok(message.kind === 'request', message.kind === 'failure' ? message.failure.message : message.kind);
  return message;
}

function refused(bytes: Buffer, options: ParseOptions = {}): ParseFailure {
  const message = parseMessage(bytes, options);
  assert.ok(message.kind === 'failure', 'was not refused');
  return message;
}

function lines(reply: Buffer | undefined): string[] {
  assert.ok(reply, 'there is no reply');
  return reply.toString().split('\r\n');
}

describe('parseMessage', () => {
  it('fills the slots of a request', () => {
    const message = request(requestBytes('INVITE', { 'Content-Type': 'application/sdp' }, 'v=0\r\n'));
    assert.equal(message.method, 'INVITE');
    assert.equal(message.requestUri, 'sip:bob@example.com');
    assert.ok(message.uri.scheme === 'sip');
    assert.equal(message.uri.user, 'bob');
    assert.equal(message.topVia.params.get('branch'), 'z9hG4bKtest1');
    assert.equal(message.from.params.get('tag'), 'f1');
    assert.equal(message.to.params.get('tag'), undefined);
    assert.equal(message.callId, 'call-1');
    assert.deepEqual(message.cseq, { number: 7, method: 'INVITE' });
    assert.equal(message.body.toString(), 'v=0\r\n');
  });

  it('reads a response with and without reason', () => {
    for (const [line, status, reason] of [
      ['SIP/2.0 200 OK', 200, 'OK'],
      ['SIP/2.0 100 ', 100, ''],
      ['SIP/2.0 699', 699, ''],
      ['sip/2.0 486 Busy \u043d\u043e', 486, 'Busy \u043d\u043e'],
    ] as const) {
      const message = parseMessage(requestBytes('INVITE', { start: line }));
      assert.ok(message.kind === 'response');
      assert.equal(message.status, status);
      assert.equal(message.reason, reason);
    }
  });

  it('ignores line ends before the start line (RFC 3261 §7.5)', () => {
    assert.equal(
      request(Buffer.concat([Buffer.from('\r\n\r\n\n\r'), requestBytes('OPTIONS')])).method,
      'OPTIONS',
    );
  });

  it('joins folded lines with one space', () => {
    const message = request(requestBytes('OPTIONS', { Subject: 'one  two \r\n \t three\r\n\tfour\r\n ' }));
    assert.equal(message.headers.get('Subject'), 'one  two three four');
    assert.equal(request(requestBytes('OPTIONS', { 'Call-ID': '\r\n  folded' })).callId, 'folded');
  });

  it('keeps a line that looks like a header inside a folded value', () => {
    const message = request(requestBytes('OPTIONS', { Subject: 'x\r\n To: <sip:evil@example.com>' }));
    assert.equal(message.headers.get('Subject'), 'x To: <sip:evil@example.com>');
    assert.equal(message.headers.getAll('To').length, 1);
  });

  it('reads UTF-8 and replaces what is none', () => {
    const from = '"J\u00fcrgen \u{1F600}" <sip:alice@example.com>;tag=f1';
    assert.equal(request(requestBytes('OPTIONS', { From: from })).from.displayName, 'J\u00fcrgen \u{1F600}');
    const latin1 = Buffer.from(
      requestBytes('OPTIONS', { Subject: 'M\u00fcller' }).toString('utf8'),
      'latin1',
    );
    assert.equal(request(latin1).headers.get('Subject'), 'M\ufffdller');
  });

  it('refuses identifiers that it cannot copy byte for byte, without a reply', () => {
    for (const change of [
      { 'Call-ID': 'M\u00fcller' },
      { From: '<sip:a@b>;tag=M\u00fcller' },
      { Via: 'SIP/2.0/WS a.invalid;branch=M\u00fcller' },
    ]) {
      const bytes = Buffer.from(requestBytes('OPTIONS', change).toString('utf8'), 'latin1');
      assert.equal(refused(bytes).reply, undefined);
    }
  });

  it('takes the first of several Via values', () => {
    const via = 'SIP/2.0/WS a.invalid;branch=z9hG4bKa;x="1,2", SIP/2.0/UDP b;branch=z9hG4bKb';
    assert.equal(request(requestBytes('OPTIONS', { Via: via })).topVia.params.get('branch'), 'z9hG4bKa');
  });

  describe('Content-Length', () => {
    it('counts bytes, not characters', () => {
      const body = 'Gr\u00fc\u00dfe \u{1F600}';
      assert.equal(request(requestBytes('MESSAGE', {}, body)).body.toString(), body);
    });

    it('drops what follows the body', () => {
      assert.equal(
        request(requestBytes('MESSAGE', { 'Content-Length': '2' }, 'abcdef')).body.toString(),
        'ab',
      );
    });

    it('takes the rest of a datagram or a WebSocket message when absent', () => {
      const bytes = requestBytes('MESSAGE', { 'Content-Length': undefined }, 'abc');
      assert.equal(request(bytes).body.toString(), 'abc');
      assert.equal(request(bytes, { framing: 'websocket' }).body.toString(), 'abc');
    });

    it('is required on a stream', () => {
      const failure = refused(requestBytes('MESSAGE', { 'Content-Length': undefined }), {
        framing: 'stream',
      });
      assert.equal(failure.failure.reason, 'Missing Content-Length');
    });

    for (const [value, reason] of [
      ['9999', 'Content-Length Larger Than Message'],
      ['99999999999999999999999999', 'Content-Length Larger Than Message'],
      ['-1', 'Malformed Content-Length'],
      ['1 2', 'Malformed Content-Length'],
      ['', 'Malformed Content-Length'],
      ['0x3', 'Malformed Content-Length'],
      ['3\r\nl: 3', 'Duplicate Content-Length'],
    ] as const) {
      it(`answers 400 to ${JSON.stringify(value)}`, () => {
        const failure = refused(requestBytes('MESSAGE', { 'Content-Length': value }, 'abc'));
        assert.equal(failure.failure.reason, reason);
        assert.equal(lines(failure.reply)[0], `SIP/2.0 400 ${reason}`);
      });
    }
  });

  describe('duplicates', () => {
    for (const [name, line] of [
      ['From', 'f: <sip:mallory@example.com>;tag=z'],
      ['To', 't: <sip:mallory@example.com>'],
      ['Call-ID', 'i: other'],
      ['CSeq', 'CSEQ: 8 OPTIONS'],
      ['Max-Forwards', 'max-forwards: 1'],
      ['Content-Type', 'c: text/plain'],
    ] as const) {
      it(`answers 400 to two ${name}, by the first`, () => {
        const bytes = sipBytes([...requestLines('OPTIONS', { 'Content-Type': 'text/plain' }), line]);
        const reply = lines(refused(bytes).reply);
        assert.equal(reply[0], `SIP/2.0 400 Duplicate ${name}`);
        assert.ok(reply.includes('From: <sip:alice@example.com>;tag=f1'));
        assert.ok(reply.includes('Call-ID: call-1'));
        assert.ok(reply.includes('CSeq: 7 OPTIONS'));
      });
    }
  });

  describe('refusals', () => {
    for (const [change, reason] of [
      [{ Via: 'SIP/2.0/UDP 192.0.2.15;;,;,,' }, 'Malformed Via'],
      [{ From: '"open <sip:a@b>;tag=1' }, 'Malformed From'],
      [{ To: '<sip:a@b' }, 'Malformed To'],
      [{ 'Call-ID': 'a b' }, 'Malformed Call-ID'],
      [{ CSeq: '36893488147419103232 OPTIONS' }, 'Malformed CSeq'],
      [{ start: 'OPTIONS sip:bob@example.com; lr SIP/2.0' }, 'Malformed Request Line'],
      [{ start: 'OPTIONS <sip:bob@example.com> SIP/2.0' }, 'Malformed Request-URI'],
      [{ start: 'OPTIONS sip:bob@example.com?Route=x SIP/2.0' }, 'Headers in Request-URI'],
      [{ start: 'OPTIONS sip:bob@example.com SIP/2.0 ' }, 'Malformed Request Line'],
      [{ 'X Y': 'z' }, 'Malformed Header Name'],
      [{ X: 'a\rb' }, 'CR Without LF in Header'],
      [{ X: 'a\nb' }, 'LF Without CR in Header'],
      [{ X: 'a\0b' }, 'NUL in Header'],
    ] as const) {
      it(`answers 400 ${reason} to ${JSON.stringify(change)}`, () => {
        const failure = refused(requestBytes('OPTIONS', change));
        assert.equal(failure.failure.code, 'message.malformed');
        const reply = lines(failure.reply);
        assert.equal(reply[0], `SIP/2.0 400 ${reason}`);
        assert.ok(reply.some((line) => line.startsWith('CSeq: ')));
      });
    }

    it('answers a header line without colon', () => {
      const [start = '', ...rest] = requestLines('OPTIONS');
      const reply = lines(refused(sipBytes([start, 'no colon here', ...rest])).reply);
      assert.equal(reply[0], 'SIP/2.0 400 Header Line Without Colon');
    });

    it('answers 505 to another version', () => {
      const failure = refused(requestBytes('OPTIONS', { start: 'OPTIONS sip:a@b SIP/7.0' }));
      assert.equal(failure.failure.code, 'message.version');
      assert.equal(lines(failure.reply)[0], 'SIP/2.0 505 Version Not Supported');
    });

    it('copies every Via, and adds the same To tag to each retransmission', () => {
      const bytes = requestBytes('OPTIONS', {
        Via: 'SIP/2.0/WS a\r\nv: SIP/2.0/UDP b',
        'Content-Length': '-1',
      });
      const first = lines(refused(bytes).reply);
      assert.deepEqual(first.slice(1, 3), ['Via: SIP/2.0/WS a', 'Via: SIP/2.0/UDP b']);
      assert.match(first[4] ?? '', /^To: <sip:bob@example.com>;tag=[0-9a-f]{32}$/);
      assert.deepEqual(lines(refused(bytes).reply), first);
    });

    it('adds no To tag where there is one', () => {
      const reply = lines(
        refused(requestBytes('BYE', { To: '<sip:bob@example.com> ; Tag = x', 'Content-Length': '-1' })).reply,
      );
      assert.ok(reply.includes('To: <sip:bob@example.com> ; Tag = x'));
    });

    it('never answers ACK, responses, or what lacks an address', () => {
      assert.equal(refused(requestBytes('ACK', { 'Content-Length': '-1' })).reply, undefined);
      assert.equal(refused(requestBytes('INVITE', { start: 'SIP/2.0 200 OK', From: 'x' })).reply, undefined);
      for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq']) {
        const failure = refused(requestBytes('OPTIONS', { [name]: undefined }));
        assert.equal(failure.failure.reason, `Missing ${name}`);
        assert.equal(failure.reply, undefined);
      }
    });

    it('drops garbage', () => {
      for (const bytes of [
        '',
        '\r\n\r\n',
        'x',
        'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
        '\0\0\0\0',
        'SIP/2.0 99 x\r\n\r\n',
        '\r\r\r',
        '\ufeff',
      ]) {
        assert.equal(refused(Buffer.from(bytes)).reply, undefined, JSON.stringify(bytes));
      }
    });

    it('puts no line break of the input into a reply', () => {
      const failure = refused(
        requestBytes('OPTIONS', { 'Call-ID': 'a\nSet-Cookie: b', To: '<sip:a@b>\rX: y' }),
      );
      assert.equal(failure.reply, undefined);
    });

    it('reads a message whose last header line ends it', () => {
      const bytes = Buffer.from(`${requestLines('OPTIONS').join('\r\n')}\r\n`);
      assert.equal(request(bytes).method, 'OPTIONS');
      assert.equal(
        refused(bytes.subarray(0, bytes.length - 2)).failure.reason,
        'Missing Empty Line After Header',
      );
    });
  });

  describe('limits', () => {
    const limits = {
      ...defaultParseLimits,
      maxBytes: 2000,
      maxHeaders: 12,
      maxHeaderBytes: 300,
      maxListLength: 4,
    };

    it('answers 513 to a message that is too large', () => {
      const failure = refused(requestBytes('MESSAGE', {}, 'x'.repeat(2000)), { limits });
      assert.equal(failure.failure.code, 'message.too_large');
      assert.equal(lines(failure.reply)[0], 'SIP/2.0 513 Message Too Large');
    });

    it('answers too many header lines by those within the limit', () => {
      const many = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`X-${i}`, 'y']));
      const failure = refused(requestBytes('OPTIONS', many), { limits });
      assert.equal(lines(failure.reply)[0], 'SIP/2.0 513 Too Many Header Fields');
    });

    it('answers a header line that is too long, folded or not, in bytes', () => {
      for (const value of ['x'.repeat(301), `a${'\r\n b'.repeat(100)}`, '\u00fc'.repeat(160)]) {
        const failure = refused(requestBytes('OPTIONS', { Subject: value }), { limits });
        assert.equal(lines(failure.reply)[0], 'SIP/2.0 513 Header Field Too Long');
      }
      assert.ok(request(requestBytes('OPTIONS', { Subject: '\u00fc'.repeat(140) }), { limits }));
    });

    it('drops a start line that is too long', () => {
      assert.equal(
        refused(requestBytes('OPTIONS', { start: `OPTIONS sip:${'x'.repeat(300)} SIP/2.0` }), { limits })
          .reply,
        undefined,
      );
    });

    it('answers lists that are too long, on one line or on several', () => {
      for (const change of [
        { Route: '<sip:a>,<sip:b>,<sip:c>,<sip:d>,<sip:e>' },
        { Route: '<sip:a>,<sip:b>,<sip:c>\r\nRoute: <sip:d>,<sip:e>' },
      ]) {
        const failure = refused(requestBytes('OPTIONS', change), { limits });
        assert.equal(lines(failure.reply)[0], 'SIP/2.0 513 Too Many Route Values');
      }
    });

    it('counts values, not commas', () => {
      const message: SipMessage = request(
        requestBytes('OPTIONS', { Contact: '"a,b,c,d,e,f" <sip:a@b>', Allow: 'A,B,C,D' }),
        { limits },
      );
      assert.equal(message.headers.get('Allow'), 'A,B,C,D');
    });
  });
});
