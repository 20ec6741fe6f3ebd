import assert from 'node:assert/strict';
import type { CalleeLeg, Invitation } from '../../sip/leg.js';
import { failure } from '../../sip/failure.js';
import { silentLog, type Log } from '../../sip/log.js';
import { serializeText, tagOf, type SipRequest } from '../../sip/message/index.js';
import { LegNotes, ScriptedBrowser, sdpA, sdpB, unique } from '../support/scripted-browser.js';

const empty = { transactions: 0, dialogs: 0, legs: 0, subscriptions: 0, unsent: 0 };

describe('a browser that is called', () => {
  let browser: ScriptedBrowser;
  let notes: LegNotes;

  beforeEach(() => {
    browser = new ScriptedBrowser('bob');
    notes = new LegNotes();
  });
  afterEach(() => browser.core.dispose());

  const invite = (options: Partial<Invitation> = {}): { leg: CalleeLeg; request: SipRequest } => {
    const leg = browser.core.invite(
      browser.contact,
      {
        legId: unique('l_'),
        sdp: sdpA,
        from: { uri: 'sip:alice@localhost', displayName: 'Al "Ice"\r\nEvil: 1' },
        to: { uri: 'sip:bob@localhost' },
        headers: [],
        ...options,
      },
      notes,
    );
    return { leg, request: browser.takeRequest('INVITE') };
  };
  const isEmpty = async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(browser.core.sizes(), empty);
    assert.equal(browser.clock.pending, 0, 'a timer is left');
  };

  it('gets an INVITE with our Contact, its own address and the headers of call control, each on its line', () => {
    const { request } = invite({
      headers: [
        ['Alert-Info', '<urn:alert:internal>'],
        ['Contact', '<sip:evil@example.com>'],
        ['X-Text', 'a\r\nEvil: 1'],
      ],
    });
    assert.equal(request.requestUri, browser.contact);
    assert.equal(request.from.displayName, 'Al "Ice" Evil: 1');
    assert.equal(request.headers.get('evil'), undefined);
    assert.equal(request.headers.get('x-text'), 'a Evil: 1');
    assert.deepEqual(request.headers.getAll('contact').length, 1);
    assert.match(request.headers.get('contact') ?? '', /webtrunk\.invalid/);
    assert.match(request.headers.get('supported') ?? '', /100rel/);
    assert.equal(request.body.toString(), sdpA);
    assert.match(request.topVia.params.get('branch') ?? '', /^z9hG4bK.{20,}/);
    assert.equal(request.topVia.transport, 'WS');
  });

  it('rings, answers, is acknowledged, hangs up, and leaves nothing behind', async () => {
    const { leg, request } = invite();
    browser.reply(request, 100);
    browser.reply(request, 180);
    browser.reply(request, 183, { sdp: sdpB });
    browser.reply(request, 200, { sdp: sdpB, headers: ['X-Phone: yes'] });
    assert.deepEqual(notes.events, ['progress 180', 'progress 183', 'answered 200']);
    assert.equal(notes.progresses[1]?.sdp, sdpB);
    assert.equal(notes.answer?.sdp, sdpB);
    assert.equal(notes.answer?.headers.get('x-phone'), 'yes');
    notes.answer?.ack();
    notes.answer?.ack();
    const ack = browser.takeRequest('ACK');
    assert.equal(ack.requestUri, browser.contact);
    assert.equal(ack.cseq.number, request.cseq.number);
    assert.notEqual(ack.topVia.params.get('branch'), request.topVia.params.get('branch'));
    assert.equal(browser.summary(), '');
    assert.equal(leg.sipCallId, request.callId);
    browser.dialogOf(request).send('BYE', { headers: ['Reason: SIP;cause=200'] });
    browser.takeResponse(200);
    assert.deepEqual(notes.end, { cause: 'remote', reason: 'SIP;cause=200' });
    await isEmpty();
  });

  it('is hung up by us', async () => {
    const { leg, request } = invite();
    browser.reply(request, 200, { sdp: sdpB });
    notes.answer?.ack();
    browser.takeRequest('ACK');
    leg.hangUp({ headers: [['Reason', 'Q.850;cause=16']] });
    const bye = browser.takeRequest('BYE');
    assert.equal(bye.cseq.number, request.cseq.number + 1);
    assert.equal(bye.headers.get('reason'), 'Q.850;cause=16');
    assert.equal(tagOf(bye.to), 'calleetag');
    assert.deepEqual(notes.events.at(-1), 'ended local');
    browser.reply(bye, 200);
    await isEmpty();
  });

  it('has each repeated 200 acknowledged again', () => {
    const { request } = invite();
    browser.reply(request, 200, { sdp: sdpB });
    notes.answer?.ack();
    browser.takeRequest('ACK');
    browser.reply(request, 200, { sdp: sdpB });
    browser.takeRequest('ACK');
    assert.deepEqual(notes.events, ['answered 200']);
  });

  it('answers without Contact and is still reached', () => {
    const { leg, request } = invite();
    browser.reply(request, 180, { noContact: true });
    browser.reply(request, 200, { sdp: sdpB, noContact: true });
    assert.deepEqual(notes.events, ['progress 180', 'answered 200']);
    notes.answer?.ack();
    leg.hangUp();
    assert.equal(browser.takeRequest('BYE').requestUri, browser.contact);
  });

  it('forks more than a browser can: sixteen are followed, and it is told once', () => {
    const warnings: string[] = [];
    const log: Log = { ...silentLog, warn: (_fields, text) => void warnings.push(text) };
    browser.core.dispose();
    browser = new ScriptedBrowser('bob', log);
    const { request } = invite();
    for (let fork = 1; fork <= 20; fork++) browser.reply(request, 180, { toTag: `T${fork}` });
    assert.equal(notes.events.length, 16);
    assert.deepEqual(warnings, ['more forks than are followed']);
    browser.reply(request, 200, { toTag: 'T16', sdp: sdpB });
    assert.equal(notes.events.at(-1), 'answered 200');
  });

  it('refuses: the failure has its status, reason and headers', async () => {
    for (const [status, code] of [
      [486, 'callee.busy'],
      [603, 'callee.declined'],
      [480, 'callee.no_answer'],
      [404, 'upstream.refused'],
      [302, 'upstream.refused'],
    ] as const) {
      notes = new LegNotes();
      const { request } = invite();
      browser.reply(request, 180);
      browser.reply(request, status, { headers: ['Retry-After: 7', 'Warning: 399 x "y"'] });
      assert.equal(notes.failure?.code, code);
      assert.equal(notes.failure.status, status);
      assert.equal(notes.failure.reason, 'Whatever');
      assert.equal(notes.failureHeaders?.get('retry-after'), '7');
      assert.deepEqual(notes.events.slice(-1), [`failed ${status}`]);
      const ack = browser.takeRequest('ACK');
      assert.equal(ack.topVia.params.get('branch'), request.topVia.params.get('branch'));
      assert.equal(ack.headers.get('from'), request.headers.get('from'));
      await isEmpty();
    }
  });

  it('never answers: endpoint.lost', async () => {
    // sip.js's timer B is 32 s of real time; the loss of the endpoint says the same.
    invite();
    browser.core.dispose();
    assert.deepEqual(notes.events, ['failed 480']);
    assert.equal(notes.failure?.code, 'endpoint.lost');
    await isEmpty();
  });

  it('says 100 or 180 and nothing more: cancelled after timer C', async () => {
    const { request } = invite();
    browser.reply(request, 180);
    browser.clock.advance(180_000);
    browser.reply(request, 180);
    browser.clock.advance(180_000);
    assert.equal(browser.summary(), '');
    browser.clock.advance(1_000);
    const cancel = browser.takeRequest('CANCEL');
    assert.equal(notes.failure?.code, 'callee.no_answer');
    browser.reply(cancel, 200);
    browser.reply(request, 487);
    browser.takeRequest('ACK');
    await isEmpty();
  });

  describe('and is cancelled', () => {
    it('after 180: CANCEL in the transaction of the INVITE, 487, ACK', async () => {
      const { leg, request } = invite();
      browser.reply(request, 180);
      leg.hangUp({ headers: [['Reason', 'SIP;cause=200;text="Call completed elsewhere"']] });
      const cancel = browser.takeRequest('CANCEL');
      assert.equal(cancel.headers.get('reason'), 'SIP;cause=200;text="Call completed elsewhere"');
      assert.equal(cancel.requestUri, request.requestUri);
      for (const name of ['via', 'from', 'to', 'call-id']) {
        assert.equal(cancel.headers.get(name), request.headers.get(name), name);
      }
      assert.equal(cancel.cseq.number, request.cseq.number);
      browser.reply(cancel, 200);
      browser.reply(request, 487);
      browser.takeRequest('ACK');
      assert.deepEqual(notes.events, ['progress 180', 'ended local']);
      await isEmpty();
    });

    it('before any response: the CANCEL waits for the first one', async () => {
      const { leg, request } = invite();
      leg.hangUp();
      assert.equal(browser.summary(), '');
      browser.reply(request, 100);
      browser.reply(browser.takeRequest('CANCEL'), 200);
      browser.reply(request, 487);
      browser.takeRequest('ACK');
      assert.deepEqual(notes.events, ['ended local']);
      await isEmpty();
    });

    it('while it answers: the 200 is acknowledged and hung up', async () => {
      const { leg, request } = invite();
      browser.reply(request, 180);
      leg.hangUp();
      browser.reply(browser.takeRequest('CANCEL'), 200);
      browser.reply(request, 200, { sdp: sdpB });
      browser.takeRequest('ACK');
      browser.reply(browser.takeRequest('BYE'), 200);
      assert.deepEqual(notes.events, ['progress 180', 'ended local']);
      await isEmpty();
    });

    it('and answers at once, before any 1xx', async () => {
      const { leg, request } = invite();
      leg.hangUp();
      browser.reply(request, 200, { sdp: sdpB });
      browser.takeRequest('ACK');
      browser.reply(browser.takeRequest('BYE'), 200);
      assert.equal(browser.summary(), '');
      await isEmpty();
    });

    it('and never gives a final response: forgotten after 64·T1', async () => {
      const { leg, request } = invite();
      browser.reply(request, 180);
      leg.hangUp();
      browser.reply(browser.takeRequest('CANCEL'), 200);
      assert.equal(browser.core.sizes().legs, 1);
      browser.clock.advance(32_000);
      await isEmpty();
    });

    it('after its 200 and before our ACK: ACK, then BYE', async () => {
      const { leg, request } = invite();
      browser.reply(request, 200, { sdp: sdpB });
      leg.hangUp({ failure: failure('media.failed') });
      browser.takeRequest('ACK');
      browser.reply(browser.takeRequest('BYE'), 200);
      assert.equal(notes.end?.failure?.code, 'media.failed');
      notes.answer?.ack();
      assert.equal(browser.summary(), '');
      await isEmpty();
    });
  });

  it('forks: the first 2xx wins, a later one is acknowledged and hung up', async () => {
    const { leg, request } = invite();
    browser.reply(request, 180, { toTag: 'one' });
    browser.reply(request, 180, { toTag: 'two' });
    assert.equal(browser.core.sizes().dialogs, 2);
    browser.reply(request, 200, { toTag: 'two', sdp: sdpB });
    notes.answer?.ack();
    assert.equal(tagOf(browser.takeRequest('ACK').to), 'two');
    browser.reply(request, 200, { toTag: 'one', sdp: sdpB });
    assert.equal(tagOf(browser.takeRequest('ACK').to), 'one');
    const bye = browser.takeRequest('BYE');
    assert.equal(tagOf(bye.to), 'one');
    browser.reply(bye, 200);
    browser.reply(request, 200, { toTag: 'three', sdp: sdpB });
    assert.equal(tagOf(browser.takeRequest('ACK').to), 'three');
    browser.reply(browser.takeRequest('BYE'), 200);
    assert.deepEqual(notes.events, ['progress 180', 'progress 180', 'answered 200']);
    leg.hangUp();
    browser.reply(browser.takeRequest('BYE'), 200);
    await isEmpty();
  });

  it('sends reliable provisional responses: each gets one PRACK, out of order ones none', async () => {
    const { request } = invite();
    browser.reply(request, 180, { headers: ['Require: 100rel', 'RSeq: 7'] });
    const prack = browser.takeRequest('PRACK');
    assert.equal(prack.headers.get('rack'), `7 ${request.cseq.number} INVITE`);
    assert.equal(prack.cseq.number, request.cseq.number + 1);
    browser.reply(prack, 200);
    browser.reply(request, 180, { headers: ['Require: 100rel', 'RSeq: 7'] });
    browser.reply(request, 183, { headers: ['Require: 100rel', 'RSeq: 9'] });
    assert.equal(browser.summary(), '');
    browser.reply(request, 183, { headers: ['Require: 100rel', 'RSeq: 8'], sdp: sdpB });
    browser.reply(browser.takeRequest('PRACK'), 200);
    browser.reply(request, 200);
    assert.equal(notes.answer?.sdp, sdpB, 'the answer was in the reliable 183');
    assert.deepEqual(notes.events, ['progress 180', 'progress 183', 'answered 200']);
    notes.answer.ack();
  });

  it('offers in its 200 when we offered nothing: the ACK carries our answer', async () => {
    const { request } = invite({ sdp: undefined });
    assert.equal(request.body.length, 0);
    assert.doesNotMatch(request.headers.get('supported') ?? '', /100rel/);
    browser.reply(request, 200, { sdp: sdpB });
    assert.equal(notes.answer?.sdp, sdpB);
    notes.answer.ack(sdpA);
    assert.equal(browser.takeRequest('ACK').body.toString(), sdpA);
  });

  it('hangs up an early dialog, which it must not: taken for a refusal', async () => {
    const { request } = invite();
    browser.reply(request, 180);
    browser.dialogOf(request).send('BYE');
    browser.takeResponse(200);
    browser.reply(browser.takeRequest('CANCEL'), 200);
    assert.deepEqual(notes.events, ['progress 180', 'failed 480']);
    browser.reply(request, 487);
    await isEmpty();
  });

  it('sends a response to nothing, with two Via, with nonsense: dropped', () => {
    const { request } = invite();
    browser.reply(request, 180);
    const ghost = serializeText(request).replace(/branch=z9hG4bK\w+/, 'branch=z9hG4bKghost');
    browser.say(ghost.replace(/^INVITE .*\r\n/, 'SIP/2.0 200 OK\r\n'));
    assert.deepEqual(notes.events, ['progress 180']);
  });

  it('cannot be invited at an unreadable address or when the endpoint is gone', () => {
    const invitation = {
      legId: 'l_1',
      sdp: sdpA,
      from: { uri: 'sip:a@b' },
      to: { uri: 'sip:c@d' },
      headers: [],
    };
    assert.throws(() => browser.core.invite('not a uri', invitation, notes), { code: 'message.malformed' });
    browser.core.dispose();
    assert.throws(() => browser.core.invite(browser.contact, invitation, notes), { code: 'dialog.unknown' });
    assert.deepEqual(browser.core.sizes(), empty);
  });

  it('loses a listener that throws: the call is hung up, not left hanging', async () => {
    notes.answered = () => {
      throw new Error('a bug');
    };
    const { request } = invite();
    browser.reply(request, 200, { sdp: sdpB });
    browser.takeRequest('ACK');
    browser.reply(browser.takeRequest('BYE'), 200);
    assert.equal(notes.end?.failure?.code, 'gateway.internal');
    await isEmpty();
  });

  it('takes a request outside any dialog and its answer comes back', async () => {
    const answer = browser.core.request('MESSAGE', browser.contact, {
      from: { uri: 'sip:alice@localhost' },
      to: { uri: 'sip:bob@localhost' },
      headers: [['Date', 'Sat, 13 Nov 2010 23:29:00 GMT']],
      content: { contentType: 'text/plain', body: 'grüß' },
    });
    const message = browser.takeRequest('MESSAGE');
    assert.equal(message.body.toString(), 'grüß');
    assert.equal(message.requestUri, browser.contact);
    browser.reply(message, 202);
    assert.equal((await answer).status, 202);
    await isEmpty();
  });
});
