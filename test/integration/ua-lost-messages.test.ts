import assert from 'node:assert/strict';
import { failure } from '../../sip/failure.js';
import type { CalleeLeg } from '../../sip/leg.js';
import type { SipRequest } from '../../sip/message/index.js';
import {
  LegNotes,
  ScriptedBrowser,
  sdpA,
  sdpB,
  unique,
  type ScriptedDialog,
} from '../support/scripted-browser.js';

const empty = { transactions: 0, dialogs: 0, legs: 0, subscriptions: 0, unsent: 0 };

/** A socket that is dead already takes messages and delivers none: nobody knows, until the browser is back on another. */
describe('what was written to a socket that was dead', () => {
  let browser: ScriptedBrowser;

  beforeEach(() => {
    browser = new ScriptedBrowser('alice');
  });
  afterEach(() => browser.core.dispose());

  const isEmpty = async (): Promise<void> => {
    // sip.js ends a transaction by a timer of zero.
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(browser.core.sizes(), empty);
  };
  const lose = (): void => void browser.inbox.splice(0);
  const comeBack = (): string => {
    browser.core.resume();
    return browser.summary();
  };
  const established = (): ScriptedDialog => {
    const dialog = browser.call();
    const [call] = browser.calls;
    call?.leg.listen(new LegNotes());
    void call?.leg.answer(sdpB);
    dialog.learn(browser.takeResponse(200));
    dialog.ack();
    lose();
    return dialog;
  };
  const ring = (): { invite: SipRequest; leg: CalleeLeg } => {
    const { contact } = browser;
    const party = { uri: 'sip:bob@localhost' };
    const invitation = { legId: unique('l_'), sdp: sdpA, from: party, to: party, headers: [] };
    const leg = browser.core.invite(contact, invitation, new LegNotes());
    return { invite: browser.takeRequest('INVITE'), leg };
  };

  it('is sent again: the refusal of its call, until its ACK', () => {
    const dialog = browser.call();
    const [call] = browser.calls;
    call?.leg.progress(180, 'Ringing');
    call?.leg.reject(failure('callee.busy'));
    lose();
    assert.equal(comeBack(), '486 INVITE');
    dialog.sameTransaction('ACK', browser.takeResponse(486));
    assert.equal(comeBack(), '');
  });

  it('is sent again: the answer to its call, until its ACK', () => {
    const dialog = browser.call();
    void browser.calls[0]?.leg.answer(sdpB);
    lose();
    assert.equal(comeBack(), '200 INVITE');
    dialog.learn(browser.takeResponse(200));
    dialog.ack();
    assert.equal(comeBack(), '');
  });

  it('is sent again: that it rings', () => {
    browser.call();
    browser.calls[0]?.leg.progress(180, 'Ringing');
    lose();
    assert.equal(comeBack(), '180 INVITE');
  });

  it('is sent again: a call to it, which clients that forget their transactions ring for anew, until it is decided', () => {
    const { invite } = ring();
    assert.equal(comeBack(), 'INVITE');
    assert.deepEqual(browser.takeRequest('INVITE').topVia, invite.topVia);
    browser.reply(invite, 180);
    assert.equal(comeBack(), 'INVITE');
    lose();
    browser.reply(invite, 480);
    lose();
    assert.equal(comeBack(), '');
  });

  it('is sent again: that it need not ring any more, and a BYE for clients that have forgotten why they ring', async () => {
    const { invite, leg } = ring();
    browser.reply(invite, 180);
    leg.hangUp();
    const cancel = browser.takeRequest('CANCEL');
    assert.equal(comeBack(), 'CANCEL, BYE');
    browser.reply(cancel, 481);
    assert.notEqual(browser.core.sizes().legs, 0);
    browser.reply(browser.takeRequest('BYE'), 200);
    lose();
    await isEmpty();
    assert.equal(comeBack(), '');
  });

  it('is sent again: the end of its call, until it is answered', () => {
    established();
    browser.calls[0]?.leg.hangUp();
    const bye = browser.takeRequest('BYE');
    assert.equal(comeBack(), 'BYE');
    assert.equal(browser.takeRequest('BYE').cseq.number, bye.cseq.number);
    browser.reply(bye, 200);
    assert.equal(comeBack(), '');
  });

  it('is sent again: a re-INVITE, until it is answered', () => {
    established();
    browser.calls[0]?.leg.reoffer(sdpB).catch(() => undefined);
    const invite = browser.takeRequest('INVITE');
    assert.equal(comeBack(), 'INVITE');
    browser.reply(invite, 100);
    lose();
    assert.equal(comeBack(), 'INVITE');
    browser.reply(invite, 488);
    lose();
    assert.equal(comeBack(), '');
  });

  it('waits for no answer to a re-INVITE of a call that it knows to be over', async () => {
    established();
    browser.calls[0]?.leg.reoffer(sdpB).catch(() => undefined);
    browser.calls[0]?.leg.hangUp();
    browser.reply(browser.takeRequest('BYE'), 200);
    await isEmpty();
  });

  it('is sent again, once: answers to its other requests, as long as it can wait for them', () => {
    const dialog = established();
    dialog.send('UPDATE');
    lose();
    assert.equal(comeBack(), '200 UPDATE');
    lose();
    assert.equal(comeBack(), '');
    dialog.send('UPDATE');
    lose();
    browser.clock.advance(32_001);
    assert.equal(comeBack(), '');
  });

  it('is sent before what could not be written at all, and that only once', () => {
    const dialog = established();
    dialog.send('UPDATE');
    lose();
    browser.online = false;
    dialog.send('UPDATE');
    browser.calls[0]?.leg.hangUp();
    browser.online = true;
    assert.equal(comeBack(), '200 UPDATE, 200 UPDATE, BYE');
  });

  it('is not asked for while too much waits: a request is refused with 480 at once, and the call goes on', async () => {
    established();
    const [call] = browser.calls;
    browser.online = false;
    const info = { contentType: 'application/dtmf-relay', body: 'Signal=1' };
    const all = Array.from({ length: 100 }, () => call?.leg.request('INFO', info));
    const refused = all
      .slice(48)
      .map((request) => assert.rejects(request ?? Promise.resolve(), { status: 480 }));
    await Promise.all(refused);
    await assert.rejects(call?.leg.reoffer(sdpB) ?? Promise.resolve(), { code: 'endpoint.backlog' });
    const party = { uri: 'sip:bob@localhost' };
    const invitation = { legId: unique('l_'), sdp: sdpA, from: party, to: party, headers: [] };
    assert.throws(() => browser.core.invite(browser.contact, invitation, new LegNotes()), { status: 480 });
    assert.equal(browser.core.sizes().unsent, 48);
    browser.online = true;
    browser.core.resume();
    for (const request of all.slice(0, 48)) {
      browser.reply(browser.takeRequest('INFO'), 200);
      assert.equal((await request)?.status, 200);
    }
    assert.equal(browser.core.sizes().legs, 1);
  });

  it('is bounded: the latest sixteen answers', () => {
    const dialog = established();
    for (let each = 0; each < 40; each += 1) dialog.send('UPDATE');
    lose();
    browser.core.resume();
    assert.equal(browser.inbox.length, 16);
  });
});
