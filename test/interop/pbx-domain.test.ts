import assert from 'node:assert/strict';
import type { SipResponse } from '../../sip/message/index.js';
import { chosenEngine, requireOwnEngine } from '../support/engine-under-test.js';
import { ipTrunk, startGateway, type Gateway } from '../support/gateway.js';
import { idle } from '../support/idle.js';
import { KamailioOffice } from '../support/kamailio-office.js';
import { requirePeer } from '../support/peers.js';
import { happens, JsSipClient, media } from '../support/ua-jssip-client.js';
import { answer, nextRequest } from '../support/ws-call.js';
import { sdp } from '../support/sip-peer.js';
import { WsSipClient } from '../support/ws-sip-client.js';

const domain = 'pbx.example';
const passwords = { '1001': 'secret-of-1001', '1002': 'secret-of-1002', '1004': 'secret-of-1004' };

/** Kamailio is registrar, proxy and presence server, and checks the Request-URI in every digest. */
for (const takesPath of [false, true]) {
  describe(`extensions of Kamailio ${takesPath ? 'with Path (RFC 3327)' : 'with rewritten Contacts'}`, function () {
    this.timeout(20_000);
    let kamailio: KamailioOffice;
    let gateway: Gateway;
    let one: WsSipClient;
    let other: WsSipClient;

    const connect = async (user: keyof typeof passwords): Promise<WsSipClient> => {
      const client = await WsSipClient.connect(gateway.wsUrl, { user, password: passwords[user], domain });
      assert.equal((await client.register({ expires: 300 })).status, 200);
      return client;
    };

    const ask = async (
      method: string,
      uri: string,
      headers: readonly string[],
      body = '',
    ): Promise<SipResponse> => {
      const challenged = await one.transact(one.request(method, uri, { headers, body }));
      assert.equal(challenged.status, 407);
      const credentials = one.authorize(challenged, method, uri);
      return one.transact(one.request(method, uri, { headers: [...headers, credentials], body }));
    };

    before(async function () {
      const program = requirePeer(this, 'kamailio');
      requirePeer(this, 'kamailio-presence-modules');
      kamailio = await KamailioOffice.start({ program, domain, extensions: passwords, takesPath });
      gateway = await startGateway({
        media: 'passthrough',
        trunks: [ipTrunk('office', kamailio.uri)],
        pbxDomains: { [domain]: 'office' },
        pbxTakesPath: takesPath,
        routes: [],
        websocket: { resumeGraceMs: 0 },
      });
      one = await connect('1001');
      other = await connect('1002');
    });

    after(async () => {
      await one?.close();
      await other?.close();
      if (gateway !== undefined) await idle(gateway);
      await gateway?.close();
      await kamailio?.close();
    });

    it('passes MESSAGE from one browser to the other', async () => {
      const since = other.received.length;
      const sent = ask('MESSAGE', `sip:1002@${domain}`, ['Content-Type: text/plain'], 'lunch?');
      const message = await nextRequest(other, 'MESSAGE', since);
      assert.equal(message.body.toString(), 'lunch?');
      assert.equal(message.requestUri, `sip:1002@${other.contactHost};transport=ws`);
      answer(other, message, 200);
      assert.equal((await sent).status, 200);
    });

    it('passes the unasked NOTIFY of a waiting message', async () => {
      const since = one.received.length;
      const sent = await ask('MESSAGE', `sip:voicemail@${domain}`, ['Content-Type: text/plain'], 'hello');
      assert.equal(sent.status, 202);
      const notify = await nextRequest(one, 'NOTIFY', since);
      assert.equal(notify.headers.get('event'), 'message-summary');
      assert.match(notify.body.toString(), /Messages-Waiting: yes/);
      answer(one, notify, 200);
    });

    it('passes a presence subscription, and what is published', async () => {
      const since = one.received.length;
      const headers = ['Event: presence', 'Expires: 120', 'Accept: application/pidf+xml'];
      const accepted = await ask('SUBSCRIBE', `sip:1001@${domain}`, headers);
      assert.ok(accepted.status === 200 || accepted.status === 202);
      const first = await nextRequest(one, 'NOTIFY', since);
      assert.match(first.headers.get('subscription-state') ?? '', /^active/);
      answer(one, first, 200);
      const published = one.received.length;
      const document =
        '<?xml version="1.0"?><presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:1001@pbx.example">' +
        '<tuple id="t1"><status><basic>open</basic></status></tuple></presence>';
      const kinds = ['Event: presence', 'Expires: 120', 'Content-Type: application/pidf+xml'];
      const stored = await ask('PUBLISH', `sip:1001@${domain}`, kinds, document);
      assert.equal(stored.status, 200);
      assert.ok(stored.headers.has('sip-etag'));
      const second = await nextRequest(one, 'NOTIFY', published);
      assert.match(second.body.toString(), /<basic>open<\/basic>/);
      answer(one, second, 200);
    });

    if (chosenEngine() === 'drachtio') {
      it('refuses calls of one browser to the other, whose ends drachtio-server would mix up', async () => {
        const headers = ['Content-Type: application/sdp'];
        assert.equal((await ask('INVITE', `sip:1002@${domain}`, headers, sdp(7000))).status, 482);
      });
    }

    it('JsSIP registers, calls and is called', async function () {
      requireOwnEngine(this);
      const client = await JsSipClient.start('1004', gateway.wsUrl, passwords['1004'], domain);
      try {
        const since = other.received.length;
        const calling = client.agent.call(`sip:1002@${domain}`, media);
        const refused = happens(calling, 'failed');
        answer(other, await nextRequest(other, 'INVITE', since), 486);
        assert.equal((await refused).cause, 'Busy');
        const invited = ask('INVITE', `sip:1004@${domain}`, ['Content-Type: application/sdp'], sdp(7000));
        const called = await client.sessions.first(() => true);
        called.terminate();
        assert.equal((await invited).status, 480);
      } finally {
        client.stop();
      }
    });
  });
}
