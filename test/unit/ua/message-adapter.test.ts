import assert from 'node:assert/strict';
import { Grammar, NameAddrHeader } from 'sip.js/lib/core/index.js';
import { parseMessage, type SipMessage } from '../../../sip/message/index.js';
import {
  AdaptedRequest,
  AdaptedResponse,
  contactUri,
  isSdp,
  sdpOf,
  transactionKey,
} from '../../../sip/ua/message-adapter.js';
import { OutgoingRequest } from '../../../sip/ua/outgoing-request.js';
import { WireUri } from '../../../sip/ua/wire-uri.js';
import { LegNotes, ScriptedBrowser, sdpA, sdpB } from '../../support/scripted-browser.js';

const invite = [
  'INVITE sip:bob@localhost SIP/2.0',
  'v: SIP/2.0/WS client.invalid;branch=z9hG4bKabc;rport',
  'Via: SIP/2.0/WSS far.invalid;branch=z9hG4bKfar',
  'f: "Al \\"Ice\\"" <sip:al%20ice@localhost;x=Y>;tag=ft',
  't: <tel:+1555;phone-context=x>',
  'i: cid@x',
  'CSeq: 7 INVITE',
  'm: "x, y" <sip:u%ffser@client.invalid;transport=ws;ob>;+sip.instance="<urn:uuid:1>"',
  'Record-Route: <sip:a;lr>, <sip:b;lr>',
  'Record-Route: <sip:c;lr>',
  'c: Application/SDP ; charset=utf-8',
  '',
  'v=0 ü',
];

function request(lines: readonly string[]): AdaptedRequest {
  const message = messageOf(lines);
  assert.equal(message.kind, 'request');
  return new AdaptedRequest(message);
}

function response(lines: readonly string[]): AdaptedResponse {
  const message = messageOf(lines);
  assert.equal(message.kind, 'response');
  return new AdaptedResponse(message);
}

function messageOf(lines: readonly string[]): SipMessage {
  const message = parseMessage(Buffer.from(lines.join('\r\n')), { framing: 'websocket' });
  assert.notEqual(message.kind, 'failure');
  if (message.kind === 'failure') throw message.failure;
  return message;
}

const replaced = (line: string, by: string): string[] =>
  invite.map((each) => (each.startsWith(line) ? by : each));

describe('message adapter', () => {
  const parse = Grammar.parse;
  before(() => {
    Object.assign(Grammar, {
      parse: () => assert.fail('sip.js parsed something itself'),
    });
  });
  after(() => {
    Object.assign(Grammar, { parse });
  });

  it('fills what sip.js reads of an INVITE', () => {
    const message = request(invite);
    assert.equal(message.method, 'INVITE');
    assert.equal(message.callId, 'cid@x');
    assert.equal(message.cseq, 7);
    assert.equal(message.fromTag, 'ft');
    assert.equal(message.toTag, undefined);
    assert.equal(message.from.uri.toString(), 'sip:al%20ice@localhost;x=Y');
    assert.equal(message.to.uri.toString(), 'tel:+1555;phone-context=x');
    assert.deepEqual(message.getHeaders('via'), [
      'SIP/2.0/WS client.invalid;branch=z9hG4bKabc;rport',
      'SIP/2.0/WSS far.invalid;branch=z9hG4bKfar',
    ]);
    assert.deepEqual(message.getHeaders('record-route'), ['<sip:a;lr>', '<sip:b;lr>', '<sip:c;lr>']);
    const contact: unknown = message.parseHeader('contact');
    assert.ok(contact instanceof NameAddrHeader);
    assert.equal(contact.uri.toString(), 'sip:u%ffser@client.invalid;transport=ws;ob');
    assert.equal(contact.uri.clone().toRaw(), 'sip:u%ffser@client.invalid;transport=ws;ob');
    const to: unknown = message.parseHeader('to');
    assert.ok(to instanceof NameAddrHeader);
    assert.equal(to.hasParam('tag'), false);
  });

  it('gives sip.js no body, which it would want to parse', () => {
    assert.equal(request(invite).body, undefined);
  });

  it('fills what sip.js reads of a response', () => {
    const message = response([
      'SIP/2.0 183 Early',
      'Via: SIP/2.0/WS webtrunk.invalid;branch=z9hG4bKown',
      'From: <sip:a@b>;tag=one',
      'To: "B" <sip:c@d>;tag=two',
      'Call-ID: x',
      'CSeq: 3 INVITE',
      'Contact: <sip:c@client.invalid>',
      '',
      '',
    ]);
    assert.equal(message.statusCode, 183);
    assert.equal(message.viaBranch, 'z9hG4bKown');
    assert.equal(message.method, 'INVITE');
    assert.equal(message.fromTag, 'one');
    assert.equal(message.toTag, 'two');
    assert.equal(message.getHeader('to'), '"B" <sip:c@d>;tag=two');
    assert.equal((message.parseHeader('contact') as NameAddrHeader).uri.toString(), 'sip:c@client.invalid');
  });

  it('finds a transaction by branch, sent-by and method, ACK and CANCEL by that of their INVITE', () => {
    const key = (lines: readonly string[]) => {
      const message = messageOf(lines);
      return message.kind === 'request' ? transactionKey(message) : '';
    };
    const own = key(invite);
    assert.equal(key(replaced('CSeq', 'CSeq: 7 INVITE')), own);
    const as = (method: string) =>
      replaced('CSeq', `CSeq: 7 ${method}`).map((line) => line.replace(/^INVITE /, `${method} `));
    assert.equal(key(as('ACK')), own);
    assert.equal(key(as('CANCEL')), own);
    assert.notEqual(key(as('BYE')), own);
    assert.notEqual(key(replaced('v:', 'v: SIP/2.0/WS other.invalid;branch=z9hG4bKabc')), own);
    assert.notEqual(key(replaced('v:', 'v: SIP/2.0/WS client.invalid:5062;branch=z9hG4bKabc')), own);
    const old = key(replaced('v:', 'v: SIP/2.0/WS client.invalid;branch=1'));
    assert.notEqual(
      key(
        replaced('v:', 'v: SIP/2.0/WS client.invalid;branch=1').map((line) =>
          line.replace('i: cid@x', 'i: cid@y'),
        ),
      ),
      old,
    );
  });

  it('reads SDP by its media type and nothing else', () => {
    assert.equal(sdpOf(messageOf(invite)), 'v=0 ü');
    assert.equal(isSdp(messageOf(replaced('c:', 'c: application/sdpx'))), false);
    assert.equal(sdpOf(messageOf(replaced('c:', 'c: text/plain'))), undefined);
    assert.equal(sdpOf(messageOf(invite.map((line) => (line.startsWith('v=0') ? '' : line)))), undefined);
  });

  it('takes no Contact that a request could not be sent to', () => {
    for (const contact of ['*', 'nonsense', 'http://x/']) {
      assert.equal(contactUri(messageOf(replaced('m:', `m: ${contact}`)).headers), undefined, contact);
    }
    assert.equal(contactUri(messageOf(replaced('m:', 'm: <sips:x@y>, <sip:z@z>')).headers), 'sips:x@y');
  });

  it('writes requests with lengths in bytes, routes and one form of From and To', () => {
    const from = new WireUri('tel:+1', '"Ü" <tel:+1>');
    const options = {
      callId: 'cid',
      cseq: 4,
      fromTag: 'f',
      toTag: 't',
      routeSet: ['<sip:r1;lr>'],
      viaHost: 'h.invalid',
    };
    const body = { contentType: 'text/plain', contentDisposition: 'render', content: 'grüß' };
    const outgoing = new OutgoingRequest(
      'INFO',
      new WireUri('sip:u%ff@c'),
      from,
      from,
      options,
      ['X-A: 1'],
      body,
    );
    outgoing.setViaHeader('z9hG4bKb', 'WS');
    assert.equal(
      outgoing.toString(),
      'INFO sip:u%ff@c SIP/2.0\r\nVia: SIP/2.0/WS h.invalid;branch=z9hG4bKb\r\nMax-Forwards: 70\r\n' +
        'From: "Ü" <tel:+1>;tag=f\r\nTo: "Ü" <tel:+1>;tag=t\r\nCall-ID: cid\r\nCSeq: 4 INFO\r\n' +
        'Route: <sip:r1;lr>\r\nX-A: 1\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\ngrüß',
    );
    assert.equal(outgoing.getHeader('via'), 'SIP/2.0/WS h.invalid;branch=z9hG4bKb');
    assert.equal(outgoing.getHeader('route'), '<sip:r1;lr>');
  });

  it('keeps the grammar of sip.js out of whole calls, in both roles', async () => {
    const browser = new ScriptedBrowser();
    const notes = new LegNotes();
    browser.onCall = (call) => call.leg.listen(notes);
    const dialog = browser.call({ headers: ['Require: 100rel'] });
    const leg = browser.calls[0]?.leg;
    leg?.progress(183, 'Session Progress', sdpB);
    const rseq = dialog.learn(browser.takeResponse(183)).headers.get('rseq') ?? '';
    dialog.send('PRACK', { headers: [`RAck: ${rseq} 1 INVITE`] });
    const answered = leg?.answer(sdpB);
    dialog.ack();
    await answered;
    dialog.send('INVITE', { contentType: 'application/sdp', body: sdpA });
    dialog.send('BYE');
    const callee = new LegNotes();
    const invitation = {
      legId: 'l_1',
      sdp: sdpA,
      from: { uri: 'sip:x@y' },
      to: { uri: 'sip:a@b' },
      headers: [],
    };
    const out = browser.core.invite(browser.contact, invitation, callee);
    const request = browser.takeRequest('INVITE');
    browser.reply(request, 183, { sdp: sdpB, headers: ['Require: 100rel', 'RSeq: 1'] });
    browser.reply(request, 200, { sdp: sdpB });
    callee.answer?.ack();
    void out.reoffer(sdpA);
    browser.reply(browser.takeRequest('INVITE'), 401, {
      headers: ['WWW-Authenticate: Digest realm="x", nonce="y"'],
    });
    out.hangUp();
    browser.reply(browser.takeRequest('BYE'), 407, {
      headers: ['Proxy-Authenticate: Digest realm="x", nonce="y"'],
    });
    assert.deepEqual(notes.events, ['reoffer INVITE', 'ended remote']);
    assert.deepEqual(callee.events, ['progress 183', 'answered 200', 'ended local']);
    browser.core.dispose();
  });
});
