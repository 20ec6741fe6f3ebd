import assert from 'node:assert/strict';
import type { Leg } from '../../sip/leg.js';
import { failure } from '../../sip/failure.js';
import { tagOf } from '../../sip/message/index.js';
import {
  LegNotes,
  ScriptedBrowser,
  sdpA,
  sdpB,
  unique,
  type ScriptedDialog,
} from '../support/scripted-browser.js';

const empty = { transactions: 0, dialogs: 0, legs: 0, subscriptions: 0, unsent: 0 };
const sdpHold = sdpA.replace('t=0 0', 't=0 0\r\na=sendonly');
const sdp = { contentType: 'application/sdp' };

for (const role of ['caller', 'callee'] as const) {
  describe(`the dialog of a browser that is the ${role}`, () => {
    let browser: ScriptedBrowser;
    let notes: LegNotes;
    let leg: Leg;
    let dialog: ScriptedDialog;

    beforeEach(async () => {
      browser = new ScriptedBrowser();
      notes = new LegNotes();
      if (role === 'caller') {
        browser.onCall = (call) => call.leg.listen(notes);
        dialog = browser.call();
        const call = browser.calls[0];
        assert.ok(call);
        ({ leg } = call);
        const answered = call.leg.answer(sdpB);
        dialog.learn(browser.takeResponse(200));
        dialog.ack();
        await answered;
      } else {
        leg = browser.core.invite(
          browser.contact,
          {
            legId: unique('l_'),
            sdp: sdpA,
            from: { uri: 'sip:bob@localhost' },
            to: { uri: 'sip:alice@localhost' },
            headers: [],
          },
          notes,
        );
        const request = browser.takeRequest('INVITE');
        browser.reply(request, 200, { sdp: sdpB });
        notes.answer?.ack();
        dialog = browser.dialogOf(request);
      }
      browser.inbox.length = 0;
      notes.events.length = 0;
    });

    afterEach(() => browser.core.dispose());

    const hangUpAndBeEmpty = async () => {
      leg.hangUp();
      browser.reply(browser.takeRequest('BYE'), 200);
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.deepEqual(browser.core.sizes(), empty);
      assert.equal(browser.clock.pending, 0, 'a timer is left');
    };
    const onlyReoffer = () => {
      const [reoffer] = notes.reoffers;
      assert.ok(reoffer);
      return reoffer;
    };

    describe('re-INVITE from the browser', () => {
      it('holds and resumes: 100, then our answer with our Contact, then its ACK', async () => {
        for (const offer of [sdpHold, sdpA]) {
          dialog.send('INVITE', { ...sdp, body: offer });
          browser.takeResponse(100);
          const reoffer = notes.reoffers.shift();
          assert.equal(reoffer?.method, 'INVITE');
          assert.equal(reoffer.sdp, offer);
          const acknowledged = reoffer.accept(sdpB, [['X-Held', 'maybe']]);
          const ok = browser.takeResponse(200);
          assert.match(ok.headers.get('contact') ?? '', /webtrunk\.invalid/);
          assert.equal(ok.headers.get('x-held'), 'maybe');
          assert.equal(ok.body.toString(), sdpB);
          dialog.ack({ cseq: dialog.cseq });
          assert.equal(await acknowledged, undefined);
          reoffer.reject(failure('gateway.internal'));
          assert.equal(browser.summary(), '');
        }
        await hangUpAndBeEmpty();
      });

      it('without offer: ours goes out in the 200, its answer comes in the ACK', async () => {
        dialog.send('INVITE');
        const acknowledged = onlyReoffer().accept(sdpB);
        assert.equal(browser.takeResponse(200).body.toString(), sdpB);
        await assert.rejects(leg.reoffer(sdpA), { code: 'dialog.request_pending' });
        dialog.ack({ cseq: dialog.cseq, ...sdp, body: sdpA });
        assert.equal(await acknowledged, sdpA);
        await hangUpAndBeEmpty();
      });

      it('refused: its failure goes out and the dialog lives on', async () => {
        const branch = unique('z9hG4bKre');
        dialog.send('INVITE', { ...sdp, body: sdpHold, branch });
        onlyReoffer().reject(failure('media.not_acceptable', { headers: [['Warning', '304 x "no"']] }));
        const refused = browser.takeResponse(488);
        assert.equal(refused.headers.get('warning'), '304 x "no"');
        dialog.send('ACK', { branch, cseq: dialog.cseq });
        dialog.send('INVITE', { ...sdp, body: sdpHold });
        void notes.reoffers[1]?.accept(sdpB);
        dialog.ack({ cseq: dialog.cseq });
        await hangUpAndBeEmpty();
      });

      it('never acknowledged: BYE, and the leg ends with call.ack_timeout', async () => {
        dialog.send('INVITE', { ...sdp, body: sdpHold });
        const acknowledged = onlyReoffer().accept(sdpB);
        browser.clock.advance(500);
        browser.takeResponse(200);
        browser.takeResponse(200);
        browser.clock.advance(32_000);
        await assert.rejects(acknowledged, { code: 'call.ack_timeout' });
        browser.takeRequest('BYE');
        assert.equal(notes.end?.failure?.code, 'call.ack_timeout');
      });

      it('while another of its own is unanswered: 500 with Retry-After', () => {
        dialog.send('INVITE', { ...sdp, body: sdpHold });
        dialog.send('INVITE', { ...sdp, body: sdpHold });
        assert.match(browser.takeResponse(500).headers.get('retry-after') ?? '', /^([0-9]|10)$/);
        assert.equal(notes.reoffers.length, 1);
      });

      it('cancelled: 200 and 487, and an answer that comes later goes nowhere', async () => {
        const branch = unique('z9hG4bKre');
        dialog.send('INVITE', { ...sdp, body: sdpHold, branch });
        dialog.send('CANCEL', { branch, cseq: dialog.cseq, noContact: true });
        browser.takeResponse(200, 'CANCEL');
        browser.takeResponse(487, 'INVITE');
        dialog.send('ACK', { branch, cseq: dialog.cseq });
        await assert.rejects(onlyReoffer().accept(sdpB));
        browser.takeResponse(100);
        assert.equal(browser.summary(), '');
        await hangUpAndBeEmpty();
      });

      it('overtaken by its BYE: 487', () => {
        dialog.send('INVITE', { ...sdp, body: sdpHold });
        dialog.send('BYE');
        browser.takeResponse(200, 'BYE');
        browser.takeResponse(487, 'INVITE');
        assert.deepEqual(notes.events, ['reoffer INVITE', 'ended remote']);
      });

      it('moves the remote target', () => {
        dialog.send('INVITE', {
          ...sdp,
          body: sdpA,
          noContact: true,
          headers: ['Contact: <sip:new@moved.invalid>'],
        });
        void onlyReoffer().accept(sdpB);
        dialog.ack({ cseq: dialog.cseq });
        leg.hangUp();
        assert.equal(browser.takeRequest('BYE').requestUri, 'sip:new@moved.invalid');
      });

      it('without Contact, or with a body that is no SDP, is refused', () => {
        dialog.send('INVITE', { ...sdp, body: sdpA, noContact: true });
        browser.takeResponse(400);
        dialog.send('INVITE', { contentType: 'text/plain', body: 'hi' });
        browser.takeResponse(415);
        assert.equal(notes.reoffers.length, 0);
      });

      it('whose listener throws gets 500 and the dialog lives on', () => {
        notes.reoffer = () => {
          throw new Error('a bug');
        };
        dialog.send('INVITE', { ...sdp, body: sdpHold });
        browser.takeResponse(500);
        dialog.send('INFO');
        assert.deepEqual(notes.events, ['request INFO']);
      });
    });

    describe('re-INVITE from us', () => {
      it('is answered, acknowledged, and its 200 moves the remote target', async () => {
        const result = leg.reoffer(sdpB, [['X-Hold', 'yes']]);
        const request = browser.takeRequest('INVITE');
        assert.equal(request.headers.get('x-hold'), 'yes');
        assert.match(request.headers.get('contact') ?? '', /webtrunk\.invalid/);
        assert.equal(request.body.toString(), sdpB);
        browser.reply(request, 100);
        browser.reply(request, 200, {
          sdp: sdpA,
          noContact: true,
          headers: ['Contact: <sip:new@moved.invalid>'],
        });
        const reoffered = await result;
        assert.equal(reoffered.sdp, sdpA);
        await assert.rejects(leg.reoffer(sdpB), { code: 'dialog.request_pending' });
        reoffered.ack();
        reoffered.ack();
        const acked = browser.takeRequest('ACK');
        assert.equal(acked.cseq.number, request.cseq.number);
        assert.equal(acked.requestUri, 'sip:new@moved.invalid');
        assert.equal(browser.summary(), '');
        browser.reply(request, 200, { sdp: sdpA });
        browser.takeRequest('ACK');
        await hangUpAndBeEmpty();
      });

      it('without offer brings its offer, and our ACK the answer', async () => {
        const result = leg.reoffer(undefined);
        browser.reply(browser.takeRequest('INVITE'), 200, { sdp: sdpA });
        const reoffered = await result;
        assert.equal(reoffered.sdp, sdpA);
        reoffered.ack(sdpB);
        assert.equal(browser.takeRequest('ACK').body.toString(), sdpB);
        await hangUpAndBeEmpty();
      });

      it('glares with its own: it gets 491, and so may we', async () => {
        const result = leg.reoffer(sdpB);
        dialog.send('INVITE', { ...sdp, body: sdpHold });
        browser.takeResponse(491);
        dialog.send('UPDATE', { ...sdp, body: sdpHold });
        browser.takeResponse(491);
        browser.reply(browser.takeRequest('INVITE'), 491);
        await assert.rejects(result, { code: 'dialog.request_pending', status: 491 });
        browser.takeRequest('ACK');
        assert.equal(notes.reoffers.length, 0);
        const again = leg.reoffer(sdpB);
        browser.reply(browser.takeRequest('INVITE'), 200, { sdp: sdpA });
        (await again).ack();
        browser.takeRequest('ACK');
        await hangUpAndBeEmpty();
      });

      it('refused: the failure has the status and Warning, the dialog lives on', async () => {
        const result = leg.reoffer(sdpB);
        browser.reply(browser.takeRequest('INVITE'), 488, { headers: ['Warning: 305 x "no"'] });
        await assert.rejects(result, {
          code: 'upstream.refused',
          status: 488,
          headers: [['Warning', '305 x "no"']],
        });
        browser.takeRequest('ACK');
        await hangUpAndBeEmpty();
      });

      it('answered with 481: BYE, and the leg ends', async () => {
        const result = leg.reoffer(sdpB);
        browser.reply(browser.takeRequest('INVITE'), 481);
        await assert.rejects(result, { code: 'dialog.unknown' });
        browser.takeRequest('ACK');
        browser.reply(browser.takeRequest('BYE'), 200);
        assert.deepEqual(notes.events, ['ended failure']);
        assert.equal(notes.end?.failure?.code, 'dialog.unknown');
      });

      it('cannot start while one of the browser is open', async () => {
        dialog.send('INVITE', { ...sdp, body: sdpHold });
        await assert.rejects(leg.reoffer(sdpB), { code: 'dialog.request_pending' });
      });

      it('crossed by its BYE: rejected, and a late 200 still gets its ACK', async () => {
        const result = leg.reoffer(sdpB);
        const request = browser.takeRequest('INVITE');
        dialog.send('BYE');
        browser.takeResponse(200);
        await assert.rejects(result);
        browser.reply(request, 200, { sdp: sdpA });
        browser.takeRequest('ACK');
        assert.deepEqual(notes.events, ['ended remote']);
        browser.clock.advance(32_000);
        assert.deepEqual(browser.core.sizes().transactions, 1, 'only the 200 of the BYE, for a tick');
      });

      it('never gets a final response: BYE after timer C', async () => {
        const result = leg.reoffer(sdpB);
        browser.reply(browser.takeRequest('INVITE'), 100);
        browser.clock.advance(181_000);
        await assert.rejects(result, { code: 'dialog.unknown', status: 408 });
        browser.takeRequest('BYE');
        assert.deepEqual(notes.events, ['ended failure']);
      });
    });

    describe('UPDATE from the browser', () => {
      it('with an offer is a re-offer without ACK', async () => {
        dialog.send('UPDATE', { ...sdp, body: sdpHold });
        assert.equal(onlyReoffer().method, 'UPDATE');
        assert.equal(await onlyReoffer().accept(sdpB), undefined);
        const ok = browser.takeResponse(200);
        assert.equal(ok.body.toString(), sdpB);
        assert.match(ok.headers.get('contact') ?? '', /webtrunk/);
        await hangUpAndBeEmpty();
      });

      it('with an offer while one is open gets 500', () => {
        dialog.send('UPDATE', { ...sdp, body: sdpHold });
        dialog.send('UPDATE', { ...sdp, body: sdpHold });
        browser.takeResponse(500);
        onlyReoffer().reject(failure('media.not_acceptable'));
        browser.takeResponse(488);
        dialog.send('UPDATE', { ...sdp, body: sdpHold });
        assert.equal(notes.reoffers.length, 2);
      });

      it('with an offer that nobody answers gets 500 before its sender gives up', async () => {
        dialog.send('UPDATE', { ...sdp, body: sdpHold });
        browser.clock.advance(20_000);
        browser.takeResponse(500);
        await assert.rejects(onlyReoffer().accept(sdpB), { code: 'dialog.unknown' });
        dialog.send('UPDATE', { ...sdp, body: sdpHold });
        assert.equal(notes.reoffers.length, 2);
      });

      it('that refreshes the session timer is answered without anybody else', () => {
        dialog.send('UPDATE', { headers: ['Supported: timer', 'Session-Expires: 90;refresher=uac'] });
        const ok = browser.takeResponse(200);
        assert.equal(ok.headers.get('session-expires'), '90;refresher=uac');
        assert.equal(ok.headers.get('require'), 'timer');
        assert.equal(ok.body.length, 0);
        assert.deepEqual(notes.events, []);
        browser.clock.advance(59_000);
        dialog.send('UPDATE', { headers: ['x: 90;refresher=uac'] });
        browser.takeResponse(200);
        browser.clock.advance(59_000);
        assert.deepEqual(notes.events, []);
        browser.clock.advance(1_000);
        browser.takeRequest('BYE');
        assert.equal(notes.end?.failure?.code, 'call.session_expired');
      });

      it('that leaves the refreshing to us makes us send UPDATEs', async () => {
        dialog.send('INVITE', {
          ...sdp,
          body: sdpA,
          headers: ['Allow: INVITE, UPDATE', 'Session-Expires: 100;refresher=uas'],
        });
        void onlyReoffer().accept(sdpB);
        assert.equal(browser.takeResponse(200).headers.get('session-expires'), '100;refresher=uas');
        dialog.ack({ cseq: dialog.cseq });
        for (let round = 0; round < 2; round += 1) {
          browser.clock.advance(50_000);
          const update = browser.takeRequest('UPDATE');
          assert.equal(update.headers.get('session-expires'), '100;refresher=uac');
          assert.match(update.headers.get('contact') ?? '', /webtrunk/);
          browser.reply(update, 200, { headers: ['Session-Expires: 100;refresher=uac'] });
          await new Promise((resolve) => setImmediate(resolve));
        }
        await hangUpAndBeEmpty();
      });
    });

    describe('other requests', () => {
      it('INFO, MESSAGE, REFER, NOTIFY and OPTIONS go to call control, whose answer goes back once', async () => {
        for (const method of ['INFO', 'MESSAGE', 'REFER', 'NOTIFY', 'OPTIONS']) {
          dialog.send(method, {
            contentType: 'text/plain',
            body: 'grüß',
            headers: ['Event: refer', 'Refer-To: <sip:x@y>'],
          });
          const request = notes.requests.shift();
          assert.equal(request?.method, method);
          assert.equal(request.body, 'grüß');
          assert.equal(request.contentType, 'text/plain');
          assert.equal(request.headers.get('refer-to'), '<sip:x@y>');
          request.respond(202, 'Fine', [['X-Is', 'so']]);
          request.respond(500);
          const answer = browser.takeResponse(202, method);
          assert.equal(answer.reason, 'Fine');
          assert.equal(answer.headers.get('x-is'), 'so');
        }
        assert.equal(browser.summary(), '');
        await hangUpAndBeEmpty();
      });

      it('answered with Allow get it once, whether it is ours or call control’s', async () => {
        for (const [method, status, allow] of [
          ['OPTIONS', 200, /^INVITE$/],
          ['REFER', 405, /^INVITE$/],
          ['NOTIFY', 200, /UPDATE/],
        ] as const) {
          dialog.send(method);
          notes.requests.shift()?.respond(status, 'Fine', [['Allow', 'INVITE']]);
          const allowed = browser.takeResponse(status, method).headers.getAll('allow');
          assert.equal(allowed.length, 1);
          assert.match(allowed[0] ?? '', allow);
        }
        await hangUpAndBeEmpty();
      });

      it('unanswered at the end get 487', async () => {
        dialog.send('INFO');
        leg.hangUp();
        browser.takeResponse(487, 'INFO');
        browser.reply(browser.takeRequest('BYE'), 200);
        await new Promise((resolve) => setTimeout(resolve, 5));
        assert.deepEqual(browser.core.sizes(), empty);
      });

      it('of unknown methods get 405 with Allow', () => {
        for (const method of ['SUBSCRIBE', 'PUBLISH', 'REGISTER', 'FOO']) {
          dialog.send(method);
          assert.match(browser.takeResponse(405, method).headers.get('allow') ?? '', /INVITE/);
        }
        dialog.send('PRACK', { headers: ['RAck: 1 1 INVITE'] });
        browser.takeResponse(481);
      });

      it('out of order get 500 and change nothing', () => {
        dialog.send('INFO', { cseq: 200 });
        dialog.send('INFO', { cseq: 199 });
        browser.takeResponse(500);
        dialog.send('BYE', { cseq: 150 });
        browser.takeResponse(500);
        dialog.send('INFO', { cseq: 500 });
        assert.deepEqual(notes.events, ['request INFO', 'request INFO']);
      });

      it('with a body but no Content-Type get 400', () => {
        dialog.send('INFO', { body: 'what is it' });
        browser.takeResponse(400);
        assert.deepEqual(notes.events, []);
      });

      it('of ours get the browser’s answer', async () => {
        for (const method of ['INFO', 'MESSAGE', 'REFER', 'NOTIFY', 'UPDATE']) {
          const answer = leg.request(method, { contentType: 'text/plain', body: 'hi' }, [['X-No', '1']]);
          const request = browser.takeRequest(method);
          assert.equal(request.headers.get('content-type'), 'text/plain');
          assert.equal(request.headers.get('x-no'), '1');
          assert.equal(request.headers.has('contact'), !['INFO', 'MESSAGE'].includes(method));
          browser.reply(request, 200, { sdp: sdpB });
          const { status, contentType, body } = await answer;
          assert.deepEqual(
            { status, contentType, body },
            { status: 200, contentType: 'application/sdp', body: sdpB },
          );
        }
        await hangUpAndBeEmpty();
      });

      it('of ours answered with 481 end the leg, with 4xx they do not', async () => {
        const refused = leg.request('INFO');
        browser.reply(browser.takeRequest('INFO'), 415);
        assert.equal((await refused).status, 415);
        assert.deepEqual(notes.events, []);
        const unknown = leg.request('INFO');
        browser.reply(browser.takeRequest('INFO'), 481);
        assert.equal((await unknown).status, 481);
        await new Promise((resolve) => setImmediate(resolve));
        assert.deepEqual(notes.events, ['ended failure']);
        browser.takeRequest('BYE');
        await assert.rejects(leg.request('INFO'), { code: 'dialog.unknown' });
        await assert.rejects(leg.reoffer(sdpA), { code: 'dialog.unknown' });
      });

      it('that nobody answers are given up after 64·T1', async () => {
        dialog.send('INFO');
        browser.clock.advance(32_000);
        notes.requests[0]?.respond(200);
        assert.equal(browser.summary(), '');
        await hangUpAndBeEmpty();
      });

      it('of ours may be an UPDATE with an offer, which then glares like a re-INVITE', async () => {
        const answer = leg.request('UPDATE', { contentType: 'application/sdp', body: sdpB });
        await assert.rejects(leg.reoffer(sdpB), { code: 'dialog.request_pending' });
        await assert.rejects(leg.request('UPDATE', { contentType: 'application/sdp', body: sdpB }), {
          code: 'dialog.request_pending',
        });
        dialog.send('INVITE', { ...sdp, body: sdpHold });
        browser.takeResponse(491);
        browser.reply(browser.takeRequest('UPDATE'), 200, { sdp: sdpA });
        assert.equal((await answer).body, sdpA);
        await hangUpAndBeEmpty();
      });

      it('of ours under way at the end are rejected', async () => {
        const answer = leg.request('INFO');
        dialog.send('BYE');
        await assert.rejects(answer);
      });

      it('with a method and tags of nobody get 481, an ACK nothing', () => {
        dialog.remoteTag = 'nobody';
        for (const method of ['BYE', 'INFO', 'INVITE', 'UPDATE', 'PRACK', 'FOO']) {
          dialog.send(method);
          browser.takeResponse(481, method);
        }
        dialog.send('ACK');
        assert.equal(browser.summary(), '');
      });

      it('with our From tag as To tag are in our dialog whatever the Request-URI', () => {
        dialog.remoteTarget = 'tel:+123';
        dialog.send('BYE');
        browser.takeResponse(200);
        assert.deepEqual(notes.events, ['ended remote']);
      });
    });

    it('keeps From and To alike in every request of ours', () => {
      void leg.request('INFO');
      const info = browser.takeRequest('INFO');
      leg.hangUp();
      const bye = browser.takeRequest('BYE');
      assert.equal(bye.headers.get('from'), info.headers.get('from'));
      assert.equal(bye.headers.get('to'), info.headers.get('to'));
      assert.equal(tagOf(bye.to), dialog.localTag);
      if (role === 'caller')
        assert.equal(bye.headers.get('to'), `"Al \\"Ice\\"" <sip:alice@localhost>;tag=${dialog.localTag}`);
    });
  });
}
