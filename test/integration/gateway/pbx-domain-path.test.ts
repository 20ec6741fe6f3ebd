import assert from 'node:assert/strict';
import { officeOptions, pbxDomain, PbxDomainRig } from '../../support/pbx-domain-rig.js';
import { sdp } from '../../support/sip-peer.js';
import { answer, nextRequest } from '../../support/ws-call.js';

describe('a domain whose PBX takes Path (RFC 3327)', () => {
  let rig: PbxDomainRig;

  beforeEach(async () => {
    rig = await PbxDomainRig.start(['127.0.0.2'], (uris) => officeOptions(uris, {}, { pbxTakesPath: true }));
  });

  afterEach(() => rig.close());

  const browserUri = (): string => `sip:1001@${rig.browser.contactHost};transport=ws`;
  const path = (): string => rig.pbx.seen('REGISTER').at(-1)?.headers.get('path') ?? '';

  it('is told the Contact of the browser, and by Path how to reach it', async () => {
    assert.equal((await rig.browser.register({ expires: 300 })).status, 200);
    assert.equal(rig.pbx.binding, browserUri());
    assert.match(path(), new RegExp(`^<sip:[0-9a-f]{40}@${rig.gateway.sipAddress};lr>$`));
    const register = rig.pbx.seen('REGISTER').at(-1);
    assert.equal(register?.headers.get('supported'), 'path');
    assert.ok(!rig.gateway.lines.some(({ msg }) => String(msg).includes('not to take Path')));
  });

  it('says to the browser how long it keeps that Contact', async () => {
    rig.pbx.grantsSeconds = 42;
    const granted = await rig.browser.register({ expires: 300 });
    const contacts = granted.headers.getAll('contact');
    assert.equal(contacts.length, 1);
    assert.ok(contacts[0]?.startsWith(`<${browserUri()}>;expires=42`));
    assert.equal(granted.headers.has('path'), false);
  });

  it('keeps one Path for one browser, and de-registers it', async () => {
    await rig.browser.register();
    const first = path();
    await rig.browser.register();
    assert.equal(path(), first);
    assert.equal((await rig.browser.register({ expires: 0 })).status, 200);
    assert.equal(rig.pbx.binding, undefined);
    assert.equal(rig.gateway.app.inspect()['pbxContacts'], 0);
  });

  it('reaches the browser by Route, with the Contact of the browser as Request-URI', async () => {
    await rig.browser.register();
    const { pbx, browser } = rig;
    for (const [method, ...headers] of [
      ['INVITE', 'Content-Type: application/sdp'],
      ['NOTIFY', 'Event: message-summary', 'Subscription-State: active', 'Content-Type: text/plain'],
    ] as const) {
      const since = browser.received.length;
      const request = { callId: method, headers: [`Route: ${path()}`, ...headers], body: sdp(7002) };
      pbx.peer.send(pbx.requestText(method, request));
      const passed = await nextRequest(browser, method, since);
      assert.equal(passed.requestUri, browserUri());
      assert.equal(passed.headers.has('route'), false);
      answer(browser, passed, 486);
      assert.equal((await pbx.peer.status(486, method)).callId, method);
    }
  });

  it('does not reach it without Route, nor by the Route of one that is gone', async () => {
    await rig.browser.register();
    const { pbx } = rig;
    const headers = ['Content-Type: application/sdp'];
    pbx.peer.send(pbx.requestText('INVITE', { callId: 'no-route', headers, body: sdp(7002) }));
    assert.equal((await pbx.peer.status(404)).callId, 'no-route');
    const to = browserUri();
    await rig.browser.register({ expires: 0 });
    const late = [`Route: ${path()}`, ...headers];
    pbx.peer.send(pbx.requestText('INVITE', { to, callId: 'late', headers: late, body: sdp(7002) }));
    assert.equal((await pbx.peer.status(480)).callId, 'late');
  });

  it('that ignores Path is seen in the log: nobody could call the browser', async () => {
    rig.pbx.takesPath = false;
    await rig.browser.register();
    const line = rig.gateway.lines.find(({ msg }) => String(msg).includes('not to take Path'));
    assert.equal(line?.['domain'], pbxDomain);
  });
});
