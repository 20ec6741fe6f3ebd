import assert from 'node:assert/strict';
import type { Leg } from '../../sip/leg.js';
import { tagOf } from '../../sip/message/index.js';
import { isSubscription } from '../../sip/subscription.js';
import { LegNotes, ScriptedBrowser, ScriptedDialog, sdpA, sdpB } from '../support/scripted-browser.js';

const sdp = { contentType: 'application/sdp', body: sdpA };

describe('a request of a browser that its core refuses in a dialog', () => {
  let browser: ScriptedBrowser;
  let dialog: ScriptedDialog;
  let leg: Leg;

  beforeEach(async () => {
    browser = new ScriptedBrowser();
    browser.onCall = (call) => call.leg.listen(new LegNotes());
    dialog = browser.call();
    const [call] = browser.calls;
    assert.ok(call);
    ({ leg } = call);
    const answered = call.leg.answer(sdpB);
    dialog.learn(browser.takeResponse(200));
    dialog.ack();
    await answered;
    browser.inbox.length = 0;
  });

  afterEach(() => browser.core.dispose());

  const cases: readonly (readonly [what: string, status: number, code: string, ask: () => void])[] = [
    ['out of order', 500, 'dialog.sequence', () => dialog.send('INFO', { cseq: 1 })],
    ['of a method that is not served', 405, 'message.method_not_allowed', () => dialog.send('PUBLISH')],
    [
      're-INVITE with something else than SDP',
      415,
      'message.content_type',
      () => dialog.send('INVITE', { contentType: 'text/plain', body: 'hold' }),
    ],
    [
      'PRACK for nothing',
      481,
      'dialog.unknown',
      () => dialog.send('PRACK', { headers: ['RAck: 1 1 INVITE'] }),
    ],
    [
      're-INVITE that meets ours',
      491,
      'dialog.request_pending',
      () => {
        leg.reoffer(sdpB).catch(() => undefined);
        dialog.send('INVITE', sdp);
      },
    ],
    [
      'UPDATE while another offer is open',
      500,
      'dialog.request_pending',
      () => {
        dialog.send('UPDATE', sdp);
        dialog.send('UPDATE', sdp);
      },
    ],
  ];

  for (const [what, status, code, ask] of cases) {
    it(`(${what}) is told, and gets its ${status} again on a new flow`, () => {
      ask();
      const refused = browser.takeResponse(status);
      assert.deepEqual(browser.refusals, [code]);
      browser.inbox.length = 0;
      browser.core.resume();
      assert.deepEqual(browser.takeResponse(status).headers, refused.headers);
      assert.deepEqual(browser.refusals, [code]);
    });
  }

  it('(in a subscription, out of order) is told, and gets its 500 again on a new flow', () => {
    const contact = `Contact: <${browser.contact}>`;
    browser.request('SUBSCRIBE', { headers: [contact, 'Event: dialog'] });
    const [request] = browser.requests;
    assert.ok(request !== undefined && isSubscription(request));
    const listener = { request: () => undefined, lost: () => undefined };
    request.accept({ status: 200, reason: 'OK', headers: [] }, 'sip:gateway.invalid', listener);
    const { callId, from, to } = browser.takeResponse(200);
    const subscription = new ScriptedDialog(browser, 'sip:gateway.invalid');
    subscription.callId = callId;
    subscription.localTag = tagOf(from) ?? '';
    subscription.remoteTag = tagOf(to);
    subscription.send('SUBSCRIBE', { cseq: 1 });
    browser.takeResponse(500);
    assert.deepEqual(browser.refusals, ['dialog.sequence']);
    browser.core.resume();
    browser.takeResponse(500);
  });
});
