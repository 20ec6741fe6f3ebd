import assert from 'node:assert/strict';
import { Dialog, InviteServerTransaction } from 'sip.js/lib/core/index.js';
import { failure } from '../../sip/failure.js';
import { LegNotes, ScriptedBrowser, sdpA, sdpB, unique } from '../support/scripted-browser.js';

const empty = { transactions: 0, dialogs: 0, legs: 0, subscriptions: 0, unsent: 0 };

describe('bad and unexpected input to an endpoint’s core', () => {
  let browser: ScriptedBrowser;
  let errors: unknown[];

  beforeEach(() => {
    errors = [];
    const ignore = () => undefined;
    browser = new ScriptedBrowser('alice', {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (fields) => errors.push(fields),
    });
  });
  afterEach(() => browser.core.dispose());

  it('a CANCEL with the branch of another endpoint’s INVITE gets 481 and harms nobody', () => {
    const victim = new ScriptedBrowser('victim');
    const notes = new LegNotes();
    victim.onCall = (call) => call.leg.listen(notes);
    const dialog = victim.call();
    browser.request('CANCEL', { branch: dialog.inviteBranch });
    browser.takeResponse(481);
    assert.deepEqual(notes.events, []);
    assert.equal(victim.core.sizes().legs, 1);
    victim.core.dispose();
  });

  it('a CANCEL for nothing, or for a request that is no INVITE, gets 481', () => {
    browser.request('CANCEL');
    browser.takeResponse(481);
    const branch = browser.request('MESSAGE', { contentType: 'text/plain', body: 'x' });
    browser.request('CANCEL', { branch });
    browser.takeResponse(481);
  });

  it('requests that need a dialog get 481 without one, an ACK nothing', () => {
    for (const method of ['BYE', 'PRACK', 'UPDATE']) {
      browser.request(method);
      browser.takeResponse(481, method);
    }
    browser.request('ACK');
    assert.equal(browser.summary(), '');
  });

  it('OPTIONS gets 200 with what we take, unknown methods 405 with Allow', () => {
    browser.request('OPTIONS');
    const options = browser.takeResponse(200);
    assert.equal(options.headers.get('accept'), 'application/sdp');
    assert.match(options.headers.get('allow') ?? '', /UPDATE/);
    for (const method of ['FOO', 'REGISTER']) {
      browser.request(method);
      assert.match(browser.takeResponse(405, method).headers.get('allow') ?? '', /INVITE/);
    }
  });

  it('MESSAGE, SUBSCRIBE, PUBLISH, NOTIFY, REFER and INFO go to the listener, whose answer goes back once', async () => {
    for (const method of ['MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'NOTIFY', 'REFER', 'INFO']) {
      browser.request(method, { contentType: 'text/plain', body: 'hello', uri: 'tel:+1555' });
      const request = browser.requests.shift();
      assert.equal(request?.method, method);
      assert.equal(request.requestUri, 'tel:+1555');
      assert.equal(request.from.uri, 'sip:alice@localhost');
      assert.equal(request.body, 'hello');
      request.respond(404);
      request.respond(200);
      browser.takeResponse(404, method);
    }
    assert.equal(browser.summary(), '');
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(browser.core.sizes(), empty);
  });

  it('a request that comes twice is answered twice and handed on once', () => {
    const branch = unique('z9hG4bKtwice');
    browser.request('MESSAGE', { branch });
    browser.request('MESSAGE', { branch });
    assert.equal(browser.requests.length, 1);
    browser.requests[0]?.respond(200);
    browser.request('MESSAGE', { branch });
    browser.takeResponse(200);
    browser.takeResponse(200);
    assert.equal(browser.summary(), '');
  });

  it('a request that the listener refuses gets the answer of the failure, which is told', () => {
    browser.request('PUBLISH');
    const refusal = failure('message.method_not_allowed', { headers: [['Allow', 'INVITE']] });
    browser.requests[0]?.refuse(refusal);
    assert.equal(browser.takeResponse(405).headers.get('allow'), 'INVITE');
    assert.deepEqual(browser.refusals, ['message.method_not_allowed']);
  });

  it('two requests that share a branch are told apart by their method', () => {
    const branch = unique('z9hG4bKsame');
    browser.request('MESSAGE', { branch });
    browser.request('INFO', { branch });
    assert.deepEqual(
      browser.requests.map(({ method }) => method),
      ['MESSAGE', 'INFO'],
    );
  });

  it('a URI of another scheme in From, To and the Request-URI can call', () => {
    browser.say(
      [
        'INVITE tel:+15551234 SIP/2.0',
        `Via: SIP/2.0/WS browser.invalid;branch=${unique('z9hG4bKtel')}`,
        'From: <tel:+1999>;tag=f',
        'To: <tel:+15551234>',
        'Call-ID: telcall',
        'CSeq: 1 INVITE',
        'Contact: <sips:a%ff@browser.invalid;transport=ws>',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    );
    const call = browser.calls[0];
    assert.equal(call?.from.uri, 'tel:+1999');
    void call.leg.answer(sdpA);
    const ok = browser.takeResponse(200);
    assert.match(ok.headers.get('to') ?? '', /^<tel:\+15551234>;tag=/);
    browser.core.dispose();
    assert.deepEqual(errors, []);
  });

  it('a Contact of `*` or without any URI cannot call', () => {
    for (const contact of ['*', '<>', '"x']) {
      browser.call({ noContact: true, headers: [`Contact: ${contact}`] });
      browser.takeResponse(400);
    }
    assert.deepEqual(errors, []);
  });

  describe('when sip.js throws', () => {
    const patched: (() => void)[] = [];
    /** Makes the next call of a method of sip.js throw. */
    const breakNext = (prototype: object, method: string) => {
      const own: unknown = Reflect.get(prototype, method);
      const mend = () => void Reflect.set(prototype, method, own);
      Reflect.set(prototype, method, () => {
        mend();
        throw new TypeError('a defect of sip.js');
      });
      patched.push(mend);
    };
    afterEach(() => patched.splice(0).forEach((mend) => mend()));

    const isEmpty = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual(browser.core.sizes(), empty);
      assert.equal(browser.clock.pending, 0, 'a timer is left');
    };

    it('on an INVITE: 500, one line in the log, nothing left, and the next call goes through', async () => {
      breakNext(InviteServerTransaction.prototype, 'receiveResponse');
      const dialog = browser.call();
      dialog.sameTransaction('ACK', browser.takeResponse(500));
      assert.equal(errors.length, 1);
      await isEmpty();
      browser.call();
      assert.equal(browser.calls.length, 1);
    });

    it('on our answer: 500 to the caller, the answer rejects, the leg ends', async () => {
      const notes = new LegNotes();
      browser.onCall = (call) => call.leg.listen(notes);
      const dialog = browser.call();
      breakNext(InviteServerTransaction.prototype, 'receiveResponse');
      const answered = browser.calls[0]?.leg.answer(sdpB);
      await assert.rejects(answered ?? Promise.resolve());
      dialog.sameTransaction('ACK', browser.takeResponse(500));
      assert.deepEqual(notes.events, ['ended failure']);
      assert.equal(notes.end?.failure?.code, 'gateway.internal');
      await isEmpty();
    });

    it('on a request in a dialog: 500 to that request, the call goes on', async () => {
      const notes = new LegNotes();
      browser.onCall = (call) => call.leg.listen(notes);
      const dialog = browser.call();
      const leg = browser.calls[0]?.leg;
      const answered = leg?.answer(sdpB);
      dialog.learn(browser.takeResponse(200));
      dialog.ack();
      await answered;
      breakNext(Dialog.prototype, 'receiveRequest');
      dialog.send('INFO');
      browser.takeResponse(500, 'INFO');
      dialog.send('INFO');
      assert.deepEqual(notes.events, ['request INFO']);
      breakNext(Dialog.prototype, 'createOutgoingRequestMessage');
      leg?.hangUp();
      assert.deepEqual(notes.events, ['request INFO', 'ended local']);
      browser.reply(browser.takeRequest('BYE'), 200);
      await isEmpty();
    });

    for (const status of [180, 200]) {
      it(`on a ${status} to our INVITE: the leg fails and nothing is left`, async () => {
        const notes = new LegNotes();
        browser.core.invite(
          browser.contact,
          { legId: unique('l_'), sdp: sdpA, from: { uri: 'sip:x@y' }, to: { uri: 'sip:a@b' }, headers: [] },
          notes,
        );
        const invite = browser.takeRequest('INVITE');
        browser.reply(invite, 100);
        breakNext(Dialog, 'initialDialogStateForUserAgentClient');
        browser.reply(invite, status, { sdp: sdpB });
        assert.deepEqual(notes.events, ['failed 500']);
        assert.equal(notes.failure?.code, 'gateway.internal');
        if (status === 180) browser.reply(browser.takeRequest('CANCEL'), 200);
        browser.clock.advance(32_000);
        await isEmpty();
      });
    }
  });

  it('a response that cannot be sent waits for the next flow, in order', () => {
    browser.online = false;
    browser.call();
    const [call] = browser.calls;
    call?.leg.progress(180, 'Ringing');
    assert.equal(browser.core.sizes().unsent, 2);
    browser.online = true;
    browser.core.resume();
    assert.equal(browser.summary(), '100 INVITE, 180 INVITE');
    assert.equal(browser.core.sizes().unsent, 0);
  });

  it('what has waited longer than its transaction lives is dropped, and so is what is too much', () => {
    browser.online = false;
    for (let each = 0; each < 100; each += 1) browser.request('OPTIONS');
    assert.equal(browser.core.sizes().unsent, 64);
    browser.clock.advance(32_001);
    browser.online = true;
    browser.core.resume();
    assert.equal(browser.summary(), '');
    assert.equal(browser.core.sizes().unsent, 0);
  });

  it('a 200 that is sent again while there is no flow waits once', () => {
    browser.call();
    browser.online = false;
    void browser.calls[0]?.leg.answer(sdpB);
    browser.clock.advance(20_000);
    assert.equal(browser.core.sizes().unsent, 1);
  });

  it('a flow that throws is a flow that is gone', () => {
    Object.defineProperty(browser, 'online', {
      get: () => {
        throw new Error('broken');
      },
    });
    browser.call();
    assert.equal(browser.core.sizes().unsent, 1);
    assert.equal(browser.calls.length, 1);
  });
});
