import assert from 'node:assert/strict';
import type { SipResponse } from '../../../sip/message/index.js';
import { tagOf } from '../../../sip/message/index.js';
import { chosenEngine, requireOwnEngine } from '../../support/engine-under-test.js';
import { ipTrunk, startGateway, type Gateway } from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import { ScriptedPbx } from '../../support/scripted-pbx.js';
import { answer, inDialog, nextRequest } from '../../support/ws-call.js';
import { sdp, UdpPeer } from '../../support/sip-peer.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

const domain = 'pbx.example';
const password = 'extension-secret';
const pbxTables = ['pbxContacts', 'pbxRegisters', 'pbxRequests', 'pbxSubscriptions', 'subscriptions'];
const allTables = [
  ...pbxTables,
  'bindings',
  'endpoints',
  'calls',
  'media_sessions',
  'trunk_legs',
  'trunk_requests',
];

describe('a domain whose PBX knows the passwords', () => {
  let pbx: ScriptedPbx;
  let gateway: Gateway;
  let browser: WsSipClient;

  const connect = (): Promise<WsSipClient> =>
    WsSipClient.connect(gateway.wsUrl, {
      user: '1001',
      password,
      domain,
      instanceId: '<urn:uuid:00000000-0000-4000-8000-000000000001>',
    });

  /** Sends a request, and once more with credentials when it is challenged. */
  const ask = async (
    method: string,
    uri: string,
    headers: readonly string[],
    body = '',
  ): Promise<SipResponse> => {
    const challenged = await browser.transact(browser.request(method, uri, { headers, body }));
    assert.equal(challenged.status, 407);
    const credentials = browser.authorize(challenged, method, uri);
    return browser.transact(browser.request(method, uri, { headers: [...headers, credentials], body }));
  };

  beforeEach(async () => {
    pbx = await ScriptedPbx.open('127.0.0.2', { '1001': password });
    gateway = await startGateway({
      media: 'passthrough',
      trunks: [ipTrunk('office', pbx.uri)],
      pbxDomains: { [domain]: 'office' },
      websocket: { resumeGraceMs: 0 },
      limits: { registerFailuresPerMinute: 3 },
    });
    pbx.peer.aim(Number(gateway.sipAddress.split(':')[1]));
    browser = await connect();
  });

  afterEach(async () => {
    await browser.close();
    await idle(gateway, allTables);
    await gateway.close();
    await pbx.close();
  });

  describe('REGISTER', () => {
    it('reaches the PBX as the browser has signed it, with a Contact that leads to the gateway', async () => {
      assert.equal((await browser.register({ expires: 300 })).status, 200);
      const [first, second] = pbx.seen('REGISTER');
      assert.equal(first?.requestUri, `sip:${domain}`);
      assert.equal(first?.headers.has('authorization'), false);
      assert.equal(second?.callId, first?.callId);
      assert.ok((second?.cseq.number ?? 0) > (first?.cseq.number ?? 0));
      assert.match(second?.headers.get('to') ?? '', /<sip:1001@pbx\.example>/);
      assert.match(pbx.binding ?? '', new RegExp(`^sip:[0-9a-f]{40}@${gateway.sipAddress}$`));
      assert.ok(!(second?.headers.get('contact') ?? '').includes(browser.contactHost));
    });

    it('gives the browser what the PBX has granted to it, and nothing of the other phones', async () => {
      pbx.grantsSeconds = 42;
      const granted = await browser.register({ expires: 300 });
      const contacts = granted.headers.getAll('contact');
      assert.equal(contacts.length, 1);
      assert.ok(contacts[0]?.startsWith(`<sip:1001@${browser.contactHost};transport=ws>;expires=42`));
      assert.equal(gateway.app.inspect()['bindings'], 1);
    });

    it('gives back no reg-id without an instance-id (RFC 5626 §6)', async () => {
      const contacts = [`<sip:1001@${browser.contactHost};transport=ws>;reg-id=1`];
      const [contact] = (await browser.register({ contacts })).headers.getAll('contact');
      assert.match(contact ?? '', /;expires=\d+$/);
    });

    it('of another user does not reach the PBX once somebody has signed in', async () => {
      await browser.register();
      const asked = pbx.seen('REGISTER').length;
      const headers = [`From: <sip:1002@${domain}>;tag=x`, `To: <sip:1002@${domain}>`];
      assert.equal((await browser.register({ headers })).status, 403);
      assert.equal(pbx.seen('REGISTER').length, asked);
    });

    it('keeps no state, and no endpoint, until the PBX has agreed', async () => {
      assert.equal((await browser.transact(browser.registerText())).status, 401);
      const sizes = gateway.app.inspect();
      for (const table of ['endpoints', 'bindings', ...pbxTables]) assert.equal(sizes[table], 0, table);
    });

    it('passes the challenge on untouched', async () => {
      const challenged = await browser.transact(browser.registerText());
      assert.equal(challenged.reason, 'Who Are You');
      assert.match(
        challenged.headers.get('www-authenticate') ?? '',
        /^Digest realm="the office", nonce="[0-9a-f]{16}", opaque="o\/1", algorithm=MD5, qop="auth"$/,
      );
    });

    it('passes the refusal of a wrong password on, counts it, and locks the address out after some', async () => {
      for (let count = 0; count < 3; count += 1) {
        assert.equal((await browser.register({}, { password: 'guess' })).status, 401);
      }
      const asked = pbx.seen('REGISTER').length;
      const locked = await browser.register({}, { password: 'guess' });
      assert.equal(locked.status, 503);
      assert.ok(locked.headers.has('retry-after'));
      assert.equal(pbx.seen('REGISTER').length, asked);
      assert.ok(gateway.lines.some(({ code }) => code === 'auth.rejected'));
    });

    it('refreshes at the PBX with the same Contact, and de-registers there', async () => {
      await browser.register();
      const first = pbx.binding;
      await browser.register();
      assert.equal(pbx.binding, first);
      assert.equal(gateway.app.inspect()['pbxContacts'], 1);
      assert.equal((await browser.register({ expires: 0 })).status, 200);
      assert.equal(pbx.binding, undefined);
      assert.equal(gateway.app.inspect()['bindings'], 0);
      assert.equal(gateway.app.inspect()['pbxContacts'], 0);
    });

    it('removes all bindings by `*`, which would end a drachtio-server', async () => {
      await browser.register();
      const removed = await browser.register({ contacts: ['*'], expires: 0 });
      if (chosenEngine() === 'drachtio') return assert.equal(removed.status, 501);
      assert.equal(removed.status, 200);
      assert.equal(pbx.seen('REGISTER').at(-1)?.headers.get('contact'), '*');
      assert.equal(gateway.app.inspect()['bindings'], 0);
    });

    it('is refused while two others wait for the PBX', async () => {
      pbx.peer.onMessage = undefined;
      const waiting = [browser.transact(browser.registerText()), browser.transact(browser.registerText())];
      await pbx.peer.request('REGISTER');
      const third = await browser.transact(browser.registerText());
      assert.equal(third.status, 503);
      for (const request of new Map(pbx.seen('REGISTER').map((seen) => [seen.cseq.number, seen])).values()) {
        pbx.peer.respond(request, 403, 'Forbidden');
      }
      const late = await pbx.peer.request('REGISTER', 2_000).catch(() => undefined);
      if (late !== undefined) pbx.peer.respond(late, 403, 'Forbidden');
      for (const response of await Promise.all(waiting)) assert.equal(response.status, 403);
    });
  });

  describe('calls', () => {
    it('are refused without registration', async () => {
      const invite = browser.request('INVITE', `sip:1002@${domain}`, {
        headers: ['Content-Type: application/sdp'],
        body: sdp(7000),
      });
      assert.equal((await browser.transact(invite)).status, 403);
      assert.equal(pbx.seen('INVITE').length, 0);
    });

    it('reach the PBX with Request-URI, From and credentials of the browser, and nothing that it forges', async () => {
      await browser.register();
      pbx.onRequest = (request) => {
        const headers = [`Contact: <sip:1002@127.0.0.2:${pbx.peer.port}>`];
        if (request.method === 'INVITE') pbx.peer.respond(request, 200, 'OK', { headers, body: sdp(7002) });
        else pbx.peer.respond(request, 200, 'OK');
      };
      const forged = ['P-Asserted-Identity: <sip:boss@bank.example>', 'X-Account: boss'];
      const uri = `sip:1002@${domain};user=phone`;
      const answered = await ask('INVITE', uri, ['Content-Type: application/sdp', ...forged], sdp(7000));
      assert.equal(answered.status, 200);
      browser.send(inDialog(browser, 'ACK', answered));
      const invite = pbx.seen('INVITE').at(-1);
      assert.equal(invite?.requestUri, uri);
      assert.match(invite?.headers.get('from') ?? '', /^<sip:1001@pbx\.example>;tag=/);
      assert.ok(!(invite?.headers.get('p-asserted-identity') ?? '').includes('boss'));
      assert.equal(invite?.headers.has('x-account'), false);
      assert.equal((await browser.transact(inDialog(browser, 'BYE', answered))).status, 200);
    });

    it('of the PBX find the browser, and only from the addresses of the trunk', async function () {
      requireOwnEngine(this);
      await browser.register();
      const stranger = await UdpPeer.open(Number(gateway.sipAddress.split(':')[1]), '127.0.0.3');
      const headers = ['Content-Type: application/sdp'];
      stranger.send(pbx.requestText('INVITE', { callId: 'stranger', headers, body: sdp(7002) }));
      assert.ok(await stranger.silent(() => true, 200));
      await stranger.close();
      const since = browser.received.length;
      pbx.peer.send(pbx.requestText('INVITE', { callId: 'known', headers, body: sdp(7002) }));
      const invite = await nextRequest(browser, 'INVITE', since);
      assert.equal(invite.requestUri, `sip:1001@${browser.contactHost};transport=ws`);
      assert.match(invite.headers.get('from') ?? '', /^"Reception" <sip:1002@pbx\.example>/);
      answer(browser, invite, 486);
      assert.equal((await pbx.peer.status(486)).callId, 'known');
    });

    it('of the PBX are refused when the registration has ended', async () => {
      await browser.register();
      const to = pbx.binding ?? '';
      await browser.register({ expires: 0 });
      const headers = ['Content-Type: application/sdp'];
      pbx.peer.send(pbx.requestText('INVITE', { to, callId: 'late-call', headers, body: sdp(7002) }));
      assert.equal((await pbx.peer.status(480)).callId, 'late-call');
    });
  });

  describe('messages and presence', () => {
    it('pass both ways outside dialogs', async () => {
      await browser.register();
      pbx.onRequest = (request) => pbx.peer.respond(request, 202, 'Accepted', { headers: [] });
      const uri = `sip:1002@${domain}`;
      const sent = await ask('MESSAGE', uri, ['Content-Type: text/plain'], 'Grüße');
      assert.equal(sent.status, 202);
      assert.equal(pbx.seen('MESSAGE').at(-1)?.body.toString(), 'Grüße');
      const since = browser.received.length;
      const headers = [
        'Event: message-summary',
        'Subscription-State: active',
        'Content-Type: application/simple-message-summary',
      ];
      pbx.peer.send(pbx.requestText('NOTIFY', { callId: 'mwi', headers, body: 'Messages-Waiting: yes\r\n' }));
      const notify = await nextRequest(browser, 'NOTIFY', since);
      assert.equal(notify.headers.get('event'), 'message-summary');
      assert.equal(notify.body.toString(), 'Messages-Waiting: yes\r\n');
      answer(browser, notify, 200);
      assert.equal((await pbx.peer.status(200, 'NOTIFY')).callId, 'mwi');
    });

    const subscribe = async (): Promise<SipResponse> => {
      await browser.register();
      pbx.onRequest = (request) =>
        pbx.peer.respond(request, 200, 'OK', {
          headers: [`Contact: <sip:presence@127.0.0.2:${pbx.peer.port}>`, 'Expires: 120'],
        });
      return ask('SUBSCRIBE', `sip:1002@${domain}`, [
        'Event: dialog',
        'Expires: 300',
        'Accept: application/dialog-info+xml',
      ]);
    };

    const notify = (cseq: number, state: string): string => {
      const subscription = pbx.seen('SUBSCRIBE').at(-1);
      const tag = subscription === undefined ? '' : (tagOf(subscription.from) ?? '');
      const contact = /<([^>]+)>/.exec(subscription?.headers.get('contact') ?? '')?.[1] ?? '';
      return pbx.requestText('NOTIFY', {
        to: contact,
        callId: subscription?.callId ?? '',
        cseq,
        fromTag: 'peer',
        headers: [
          `To: <sip:1001@${domain}>;tag=${tag}`,
          'Event: dialog',
          `Subscription-State: ${state}`,
          'Content-Type: application/dialog-info+xml',
        ],
        body: '<dialog-info/>',
      });
    };

    it('a subscription lasts as the PBX grants, its NOTIFYs pass, and it ends with the last', async () => {
      // drachtio-server answers the NOTIFY that ends a subscription by itself.
      const lastStatus = chosenEngine() === 'drachtio' ? 500 : 200;
      const accepted = await subscribe();
      assert.equal(accepted.status, 200);
      assert.equal(accepted.headers.get('expires'), '120');
      assert.equal(gateway.app.inspect()['pbxSubscriptions'], 1);
      for (const [cseq, state, status] of [
        [1, 'active;expires=120', 200],
        [2, 'terminated;reason=timeout', lastStatus],
      ] as const) {
        const since = browser.received.length;
        pbx.peer.send(notify(cseq, state));
        const passed = await nextRequest(browser, 'NOTIFY', since);
        assert.equal(passed.callId, browser.callId);
        assert.equal(tagOf(passed.to), browser.fromTag);
        assert.equal(tagOf(passed.from), tagOf(accepted.to));
        assert.equal(passed.headers.get('subscription-state'), state);
        assert.equal(passed.body.toString(), '<dialog-info/>');
        answer(browser, passed, 200);
        await pbx.peer.status(status, 'NOTIFY');
      }
      await idle(gateway, ['pbxSubscriptions', 'subscriptions', 'trunk_legs']);
    });

    it('a subscription is refreshed in its dialog', async () => {
      const accepted = await subscribe();
      const headers = ['Event: dialog', 'Expires: 600'];
      const refreshed = await browser.transact(inDialog(browser, 'SUBSCRIBE', accepted, { headers }));
      assert.equal(refreshed.status, 200);
      const second = pbx.seen('SUBSCRIBE').at(-1);
      assert.equal(tagOf(second?.to ?? accepted.to), 'peer');
      assert.equal(second?.requestUri, `sip:presence@127.0.0.2:${pbx.peer.port}`);
      assert.equal(second.headers.get('expires'), '600');
    });

    it('a subscription is given up at the PBX when the browser is gone', async () => {
      await subscribe();
      await browser.close();
      const last = await pbx.peer.next(
        (message) => message.kind === 'request' && message.headers.get('expires') === '0',
      );
      assert.equal(last.kind === 'request' && last.method, 'SUBSCRIBE');
    });

    it('are refused without registration', async () => {
      const message = browser.request('MESSAGE', `sip:1002@${domain}`, {
        headers: ['Content-Type: text/plain'],
        body: 'x',
      });
      assert.equal((await browser.transact(message)).status, 403);
    });
  });

  it('ends every call and forgets the browser when its flow is lost for good', async () => {
    await browser.register();
    const headers = ['Content-Type: application/sdp'];
    const since = browser.received.length;
    pbx.peer.send(pbx.requestText('INVITE', { callId: 'lost', headers, body: sdp(7002) }));
    const invite = await nextRequest(browser, 'INVITE', since);
    answer(browser, invite, 180);
    await pbx.peer.status(180);
    await browser.close();
    await pbx.peer.status(480, 'INVITE');
  });
});
