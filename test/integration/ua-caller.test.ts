import assert from 'node:assert/strict';
import { failure } from '../../sip/failure.js';
import { tagOf } from '../../sip/message/index.js';
import {
  LegNotes,
  ScriptedBrowser,
  sdpA,
  sdpB,
  settle,
  type ScriptedDialog,
} from '../support/scripted-browser.js';

const empty = { transactions: 0, dialogs: 0, legs: 0, subscriptions: 0, unsent: 0 };

describe('a browser that calls', () => {
  let browser: ScriptedBrowser;
  let notes: LegNotes;

  beforeEach(() => {
    browser = new ScriptedBrowser();
    notes = new LegNotes();
    browser.onCall = ({ leg }) => leg.listen(notes);
  });
  afterEach(() => browser.core.dispose());

  const onlyCall = () => {
    const [call] = browser.calls;
    assert.ok(call);
    return call;
  };
  const established = async (): Promise<ScriptedDialog> => {
    const dialog = browser.call();
    const answered = onlyCall().leg.answer(sdpB);
    dialog.learn(browser.takeResponse(200));
    dialog.ack();
    await answered;
    browser.inbox.length = 0;
    return dialog;
  };
  const isEmpty = async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(browser.core.sizes(), empty);
    assert.equal(browser.clock.pending, 0, 'a timer is left');
  };

  it('gets 100 at once and is shown to call control with what it sent', () => {
    browser.call({ headers: ['Subject: hello', 's: compact'] });
    browser.takeResponse(100);
    const call = onlyCall();
    assert.equal(call.requestUri, 'sip:bob@localhost');
    assert.deepEqual(call.from, { uri: 'sip:alice@localhost', displayName: 'Al "Ice"' });
    assert.deepEqual(call.to, { uri: 'sip:bob@localhost' });
    assert.equal(call.sdp, sdpA);
    assert.equal(call.headers.get('subject'), 'hello');
    assert.equal(call.leg.side, 'browser');
    assert.equal(call.leg.role, 'caller');
  });

  it('hears 180 and 183 with one tag and our Contact, then 200', async () => {
    const dialog = browser.call();
    const { leg } = onlyCall();
    leg.progress(180, 'Ringing');
    leg.progress(183, 'Session Progress', sdpB);
    const ringing = browser.takeResponse(180);
    const early = browser.takeResponse(183);
    assert.equal(early.body.toString(), sdpB);
    const answered = leg.answer(sdpB, [['X-Hi', 'there\r\nEvil: 1']]);
    const ok = dialog.learn(browser.takeResponse(200));
    assert.equal(tagOf(ok.to), tagOf(ringing.to));
    assert.equal(tagOf(ok.to), tagOf(early.to));
    assert.match(ok.headers.get('contact') ?? '', /^<sip:[^@]+@webtrunk\.invalid;transport=ws>$/);
    assert.match(ok.headers.get('allow') ?? '', /UPDATE/);
    assert.equal(ok.headers.get('evil'), undefined);
    assert.equal(ok.body.toString(), sdpB);
    dialog.ack();
    assert.equal(await answered, undefined);
  });

  it('leaves nothing behind after its BYE', async () => {
    const dialog = await established();
    dialog.send('BYE', { headers: ['Reason: Q.850;cause=16'] });
    browser.takeResponse(200);
    assert.deepEqual(notes.end, { cause: 'remote', reason: 'Q.850;cause=16' });
    await isEmpty();
  });

  it('leaves nothing behind after our BYE', async () => {
    await established();
    onlyCall().leg.hangUp({ headers: [['Reason', 'SIP;cause=200']] });
    const bye = browser.takeRequest('BYE');
    assert.equal(bye.headers.get('reason'), 'SIP;cause=200');
    assert.equal(bye.requestUri, browser.contact);
    browser.reply(bye, 200);
    assert.deepEqual(notes.events, ['ended local']);
    onlyCall().leg.hangUp();
    assert.equal(browser.summary(), '');
    await isEmpty();
  });

  it('is refused with the failure of call control, and its ACK ends the transaction', async () => {
    const dialog = browser.call();
    onlyCall().leg.reject(failure('callee.busy', { headers: [['Retry-After', '5']] }));
    const busy = browser.takeResponse(486);
    assert.equal(busy.headers.get('retry-after'), '5');
    dialog.sameTransaction('ACK', busy);
    assert.deepEqual(notes.events, ['ended local']);
    await isEmpty();
  });

  it('cancels: 200 to the CANCEL, 487 to the INVITE, the reason to call control', async () => {
    const dialog = browser.call();
    onlyCall().leg.progress(180, 'Ringing');
    const tag = tagOf(browser.takeResponse(180).to);
    dialog.sameTransaction('CANCEL', undefined, ['Reason: SIP;cause=487']);
    assert.equal(tagOf(browser.takeResponse(200, 'CANCEL').to), tag);
    dialog.sameTransaction('ACK', browser.takeResponse(487));
    assert.deepEqual(notes.end, { cause: 'remote', reason: 'SIP;cause=487' });
    await assert.rejects(onlyCall().leg.answer(sdpB), { code: 'caller.cancelled' });
    onlyCall().leg.progress(180, 'Ringing');
    onlyCall().leg.reject(failure('callee.busy'));
    await isEmpty();
  });

  it('cancels too late: 200 to the CANCEL and the call stands', async () => {
    const dialog = browser.call();
    const answered = onlyCall().leg.answer(sdpB);
    dialog.sameTransaction('CANCEL');
    browser.takeResponse(200, 'CANCEL');
    dialog.learn(browser.takeResponse(200, 'INVITE'));
    dialog.ack();
    await answered;
    assert.deepEqual(notes.events, []);
  });

  it('gets the 200 again and again until its ACK', async () => {
    const dialog = browser.call();
    const answered = onlyCall().leg.answer(sdpB);
    dialog.learn(browser.takeResponse(200));
    browser.clock.advance(500);
    browser.takeResponse(200);
    browser.clock.advance(999);
    assert.equal(browser.summary(), '100 INVITE');
    browser.clock.advance(1);
    browser.takeResponse(200);
    dialog.ack();
    await answered;
    browser.clock.advance(60_000);
    assert.equal(browser.summary(), '100 INVITE');
  });

  it('is hung up with call.ack_timeout when it never acknowledges', async () => {
    browser.call();
    const answered = onlyCall().leg.answer(sdpB);
    browser.clock.advance(32_000);
    await assert.rejects(answered, { code: 'call.ack_timeout' });
    browser.reply(browser.takeRequest('BYE'), 200);
    assert.equal(notes.end?.failure?.code, 'call.ack_timeout');
    await isEmpty();
  });

  it('gets our BYE only after its ACK when we hang up in between', async () => {
    const dialog = browser.call();
    const { leg } = onlyCall();
    void leg.answer(sdpB);
    dialog.learn(browser.takeResponse(200));
    leg.hangUp();
    assert.deepEqual(notes.events, ['ended local']);
    assert.equal(browser.summary(), '100 INVITE');
    dialog.ack();
    browser.reply(browser.takeRequest('BYE'), 200);
    await isEmpty();
  });

  it('may hang up before it has acknowledged', async () => {
    const dialog = browser.call();
    const answered = onlyCall().leg.answer(sdpB);
    dialog.learn(browser.takeResponse(200));
    dialog.send('BYE');
    browser.takeResponse(200, 'BYE');
    await assert.rejects(answered, { code: 'caller.cancelled' });
    assert.deepEqual(notes.events, ['ended remote']);
    browser.clock.advance(60_000);
    await isEmpty();
  });

  it('may hang up an early dialog: its INVITE gets 487', async () => {
    const dialog = browser.call();
    onlyCall().leg.progress(180, 'Ringing');
    dialog.learn(browser.takeResponse(180));
    dialog.send('BYE');
    browser.takeResponse(200, 'BYE');
    dialog.sameTransaction('ACK', browser.takeResponse(487));
    assert.deepEqual(notes.events, ['ended remote']);
    await isEmpty();
  });

  it('is told 487 when we hang up before an answer, or the failure that we name', async () => {
    const first = browser.call();
    onlyCall().leg.hangUp();
    first.sameTransaction('ACK', browser.takeResponse(487));
    const second = browser.call();
    browser.calls[1]?.leg.hangUp({
      failure: failure('callee.no_answer'),
      headers: [['Reason', 'SIP;cause=480']],
    });
    const gone = browser.takeResponse(480);
    assert.equal(gone.headers.get('reason'), 'SIP;cause=480');
    second.sameTransaction('ACK', gone);
    await isEmpty();
  });

  it('brings its answer in the ACK when it offered nothing', async () => {
    const dialog = browser.call({ sdp: '' });
    const { leg, sdp } = onlyCall();
    assert.equal(sdp, undefined);
    leg.progress(183, 'Session Progress', sdpB);
    assert.equal(browser.takeResponse(183).body.length, 0, 'an offer must not go into an unreliable 183');
    const answered = leg.answer(sdpB);
    dialog.learn(browser.takeResponse(200));
    dialog.ack({ contentType: 'application/sdp', body: sdpA });
    assert.equal(await answered, sdpA);
  });

  it('sends its INVITE twice and is one call; over another branch it gets 482', () => {
    const dialog = browser.call();
    browser.takeResponse(100);
    dialog.invite();
    browser.takeResponse(100);
    dialog.inviteBranch = 'z9hG4bKother';
    dialog.invite();
    browser.takeResponse(482);
    assert.equal(browser.calls.length, 1);
  });

  it('is refused an INVITE without Contact, with a body of another type, of no type, or with a hasty session timer', () => {
    browser.call({ noContact: true });
    browser.takeResponse(400);
    browser.call({ contentType: 'text/plain', body: 'hello' });
    assert.equal(browser.takeResponse(415).headers.get('accept'), 'application/sdp');
    browser.call({ body: 'hello' });
    browser.takeResponse(400);
    browser.call({ headers: ['Supported: timer', 'Session-Expires: 30'] });
    assert.equal(browser.takeResponse(422).headers.get('min-se'), '90');
    assert.equal(browser.calls.length, 0);
    assert.deepEqual(browser.core.sizes(), empty);
  });

  it('gets 500 when call control throws, and other calls go on', async () => {
    const other = await established();
    browser.onCall = () => {
      throw new Error('a bug');
    };
    const dialog = browser.call();
    dialog.sameTransaction('ACK', browser.takeResponse(500));
    other.send('BYE');
    browser.takeResponse(200, 'BYE');
    await isEmpty();
  });

  describe('with 100rel', () => {
    it('gets provisional responses reliably, one after the other, when it requires them', () => {
      const dialog = browser.call({ headers: ['Require: 100rel'] });
      const { leg } = onlyCall();
      leg.progress(180, 'Ringing');
      leg.progress(183, 'Session Progress', sdpB);
      const ringing = dialog.learn(browser.takeResponse(180));
      assert.match(ringing.headers.get('require') ?? '', /100rel/);
      const rseq = Number(ringing.headers.get('rseq'));
      assert.equal(browser.summary(), '100 INVITE');
      browser.clock.advance(500);
      browser.takeResponse(180);
      browser.clock.advance(1000);
      browser.takeResponse(180);
      dialog.send('PRACK', { headers: [`RAck: ${rseq} 1 INVITE`] });
      browser.takeResponse(200, 'PRACK');
      const early = browser.takeResponse(183);
      assert.equal(Number(early.headers.get('rseq')), rseq + 1);
      dialog.send('PRACK', { headers: [`RAck: ${rseq} 1 INVITE`] });
      browser.takeResponse(481, 'PRACK');
    });

    it('gets the 200 only after it has acknowledged early media', async () => {
      const dialog = browser.call({ headers: ['Supported: 100rel'] });
      const { leg } = onlyCall();
      leg.progress(180, 'Ringing');
      assert.equal(browser.takeResponse(180).headers.get('rseq'), undefined);
      leg.progress(183, 'Session Progress', sdpB);
      const early = dialog.learn(browser.takeResponse(183));
      const answered = leg.answer(sdpB);
      assert.equal(browser.summary(), '100 INVITE');
      dialog.send('PRACK', { headers: [`RAck: ${early.headers.get('rseq') ?? ''} 1 INVITE`] });
      browser.takeResponse(200, 'PRACK');
      browser.takeResponse(200, 'INVITE');
      dialog.ack();
      await answered;
    });

    it('has the offer of its PRACK passed on, and the answer in the 200', async () => {
      const dialog = browser.call({ headers: ['Supported: 100rel'] });
      const { leg } = onlyCall();
      leg.progress(183, 'Session Progress', sdpB);
      const early = dialog.learn(browser.takeResponse(183));
      dialog.send('PRACK', {
        headers: [`RAck: ${early.headers.get('rseq') ?? ''} 1 INVITE`],
        contentType: 'application/sdp',
        body: sdpA,
      });
      assert.deepEqual(notes.events, ['reoffer PRACK']);
      assert.equal(notes.reoffers[0]?.sdp, sdpA);
      await notes.reoffers[0].accept(sdpB);
      assert.equal(browser.takeResponse(200, 'PRACK').body.toString(), sdpB);
      dialog.send('UPDATE', { contentType: 'application/sdp', body: sdpA });
      assert.deepEqual(notes.events, ['reoffer PRACK', 'reoffer UPDATE']);
    });

    it('acknowledges a provisional response that the 200 has overtaken', () => {
      const dialog = browser.call({ headers: ['Require: 100rel'] });
      const { leg } = onlyCall();
      leg.progress(180, 'Ringing');
      const ringing = dialog.learn(browser.takeResponse(180));
      void leg.answer(sdpB);
      browser.takeResponse(200);
      dialog.send('PRACK', { headers: [`RAck: ${ringing.headers.get('rseq') ?? ''} 1 INVITE`] });
      browser.takeResponse(200, 'PRACK');
      dialog.send('PRACK', { headers: ['RAck: nonsense'] });
      browser.takeResponse(481, 'PRACK');
    });

    it('is refused with 408 when it never acknowledges one', async () => {
      const dialog = browser.call({ headers: ['Require: 100rel'] });
      const { leg } = onlyCall();
      leg.progress(183, 'Session Progress', sdpB);
      const answered = leg.answer(sdpB);
      browser.clock.advance(32_000);
      dialog.sameTransaction('ACK', browser.takeResponse(408));
      await assert.rejects(answered, { code: 'caller.cancelled' });
      assert.equal(notes.end?.cause, 'failure');
      await isEmpty();
    });
  });

  it('ends with endpoint.lost when its endpoint is disposed of, at every moment', async () => {
    browser.call();
    const { leg } = onlyCall();
    const second = new LegNotes();
    browser.onCall = (call) => call.leg.listen(second);
    browser.call();
    const answered = browser.calls[1]?.leg.answer(sdpB);
    browser.core.dispose();
    assert.equal(notes.end?.failure?.code, 'endpoint.lost');
    assert.equal(second.end?.failure?.code, 'endpoint.lost');
    await assert.rejects(answered ?? Promise.resolve(), { code: 'endpoint.lost' });
    leg.hangUp();
    browser.core.dispose();
    browser.inbox.length = 0;
    browser.call();
    browser.takeResponse(480);
    await settle();
    await isEmpty();
  });
});
