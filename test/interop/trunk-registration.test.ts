import assert from 'node:assert/strict';
import type { TrunkConfig } from '../../gateway/config/config.js';
import { Secret } from '../../gateway/config/secret.js';
import { digestResponse, ha1, parseAuthorization } from '../../sip/message/index.js';
import { freePort } from '../support/free-port.js';
import { ipTrunk, passwordOf, startGateway, usersRoute, type Gateway } from '../support/gateway.js';
import { Kamailio, kamailioRealm, type KamailioOptions } from '../support/kamailio.js';
import { requirePeer } from '../support/peers.js';
import { UdpPeer } from '../support/sip-peer.js';
import { nextRequest } from '../support/ws-call.js';
import { WsSipClient } from '../support/ws-sip-client.js';

const password = 'gw-secret';

function registering(uris: readonly string[], change: Partial<TrunkConfig> = {}): TrunkConfig {
  return ipTrunk('carrier', uris[0] ?? '', {
    type: 'register',
    hosts: uris.map((uri, index) => ({ uri, priority: index })),
    auth: { username: 'gw', password: new Secret(password) },
    register: { expiresMs: 300_000, retryMs: 1_000 },
    ...change,
  });
}

/** Resolves when the trunk's registration is as wanted. */
async function registration(
  gateway: Gateway,
  state: string,
  answer: RegExp,
  withinMs = 10_000,
): Promise<void> {
  const untilMs = Date.now() + withinMs;
  for (;;) {
    const now = gateway.app.trunkStatuses.get('carrier')?.registration;
    if (now?.state === state && answer.test(now.lastAnswer ?? '')) return;
    if (Date.now() > untilMs) assert.fail(`it is ${now?.state}: ${now?.lastAnswer}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('signing in to a trunk', function () {
  this.timeout(20_000);
  let gateway: Gateway | undefined;

  const open = async (trunk: TrunkConfig): Promise<Gateway> => {
    gateway = await startGateway({ media: 'passthrough', trunks: [trunk], routes: [usersRoute] });
    return gateway;
  };

  afterEach(async () => {
    await gateway?.close();
    gateway = undefined;
  });

  describe('that is Kamailio', () => {
    let kamailio: Kamailio | undefined;
    let program = '';

    const start = async (options: Partial<KamailioOptions> = {}): Promise<Kamailio> =>
      Kamailio.start({
        program,
        users: { gw: password, bob: 'bob-secret' },
        gateway: { numbers: [], address: '127.0.0.1:9' },
        ...options,
      });

    before(function () {
      program = requirePeer(this, 'kamailio');
    });
    afterEach(() => kamailio?.close());

    it('is registered there, is called through the registration, and signs out at the end', async () => {
      kamailio = await start();
      const own = await open(
        registering([kamailio.uri], {
          auth: { username: 'gw', password: new Secret(password), realm: kamailioRealm },
          inbound: { allow: undefined, numbers: undefined, numberFrom: 'to' },
        }),
      );
      await registration(own, 'registered', /^200 OK$/);
      const alice = await WsSipClient.connect(own.wsUrl, { user: 'alice', password: passwordOf('alice') });
      await alice.register();
      const caller = await UdpPeer.open(kamailio.port);
      const line = (text: readonly string[]): string => [...text, 'Content-Length: 0', '', ''].join('\r\n');
      const invite = (extra: readonly string[]): string =>
        line([
          `INVITE sip:gw@${kamailioRealm} SIP/2.0`,
          `Via: SIP/2.0/UDP 127.0.0.1:${caller.port};branch=z9hG4bKinv${extra.length}`,
          'Max-Forwards: 70',
          'From: <sip:bob@pbx.example>;tag=b',
          'To: <sip:alice@pbx.example>',
          'Call-ID: through-the-registration',
          `CSeq: ${extra.length + 1} INVITE`,
          `Contact: <sip:bob@127.0.0.1:${caller.port}>`,
          ...extra,
        ]);
      caller.send(invite([]));
      const challenge = await caller.status(407, 'INVITE');
      const nonce = /nonce="([^"]+)"/.exec(challenge.text)?.[1] ?? '';
      const uri = `sip:gw@${kamailioRealm}`;
      const key = ha1('bob', kamailioRealm, 'bob-secret');
      const response = digestResponse({ ha1: key, algorithm: 'MD5', nonce, method: 'INVITE', uri });
      caller.send(
        invite([
          `Proxy-Authorization: Digest username="bob", realm="${kamailioRealm}", nonce="${nonce}", uri="${uri}", response="${response}"`,
        ]),
      );
      const rung = await nextRequest(alice, 'INVITE');
      assert.match(rung.requestUri, /^sip:.*alice/);
      await alice.close();
      await caller.close();
      await own.close();
      gateway = undefined;
      const left = own.lines.find(({ event }) => event === 'trunk.unregistered');
      assert.equal(left?.['answer'], '200 OK');
    });

    it('is refused with a wrong password, which is said in words and not tried in a hurry', async () => {
      kamailio = await start();
      const own = await open(
        registering([kamailio.uri], { auth: { username: 'gw', password: new Secret('wrong') } }),
      );
      await registration(own, 'lost', /^401 Unauthorized: it refuses our user name or password$/);
      const { nextTryMs = 0 } = own.app.trunkStatuses.get('carrier')?.registration ?? {};
      assert.ok(nextTryMs - Date.now() > 4_000);
    });

    it('is asked for longer after its 423, and when its Retry-After says so', async () => {
      kamailio = await start({ minExpires: 900, busyForSeconds: 1 });
      const beganMs = Date.now();
      const own = await open(registering([kamailio.uri]));
      await registration(own, 'lost', /^503 Busy$/);
      await registration(own, 'registered', /^200 OK$/);
      assert.ok(Date.now() - beganMs >= 1_000);
      const { expiresAtMs = 0 } = own.app.trunkStatuses.get('carrier')?.registration ?? {};
      assert.ok(Math.abs(expiresAtMs - Date.now() - 900_000) < 5_000);
      const told = own.lines.filter(({ event }) => event === 'trunk.registration_failed');
      assert.deepEqual(
        told.map(({ answer }) => answer),
        ['503 Busy', '423 Interval Too Brief'],
      );
    });

    it('registers at the next when the first is not there', async () => {
      kamailio = await start();
      const silent = await UdpPeer.open(kamailio.port);
      silent.onMessage = (message) => {
        if (message.kind === 'request') silent.respond(message, 503, 'Service Unavailable');
      };
      const own = await open(registering([`sip:127.0.0.1:${silent.port};transport=udp`, kamailio.uri]));
      silent.aim(Number(own.sipAddress.split(':')[1]));
      await registration(own, 'registered', /^200 OK$/, 15_000);
      assert.equal(own.app.trunkStatuses.get('carrier')?.registration?.host, kamailio.uri);
      await silent.close();
    });

    it('is found dead by OPTIONS, passed over, and found again', async () => {
      const port = await freePort();
      kamailio = await start({ port });
      const uri = `sip:127.0.0.1:${port};transport=udp`;
      const own = await open(ipTrunk('carrier', uri, { options: { everyMs: 300, failAfter: 2 } }));
      const state = async (wanted: string): Promise<void> => {
        const untilMs = Date.now() + 10_000;
        while (own.app.trunkStatuses.get('carrier')?.hosts[0]?.state !== wanted) {
          if (Date.now() > untilMs) assert.fail(`never ${wanted}`);
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      };
      await state('up');
      await kamailio.close();
      await state('down');
      kamailio = await start({ port });
      await state('up');
      const events = own.lines.map(({ event }) => event).filter((event) => /host_/.test(String(event)));
      assert.deepEqual(events, ['trunk.host_down', 'trunk.host_up']);
    });
  });

  describe('that does as the test tells it', () => {
    let carrier: UdpPeer;

    const begin = async (): Promise<Gateway> => {
      carrier = await UdpPeer.open(0);
      const own = await open(registering([`sip:127.0.0.1:${carrier.port};transport=udp`]));
      carrier.aim(Number(own.sipAddress.split(':')[1]));
      return own;
    };
    afterEach(async () => {
      await gateway?.close();
      gateway = undefined;
      await carrier.close();
    });

    const takeAll = (): void => {
      carrier.onMessage = (message) => {
        if (message.kind === 'request') carrier.respond(message, 200, 'OK', { headers: ['Expires: 60'] });
      };
    };

    it('gives SHA-256 to a carrier that offers it beside MD5 (RFC 8760)', async () => {
      const own = await begin();
      const first = await carrier.request('REGISTER');
      carrier.respond(first, 401, 'Unauthorized', {
        headers: [
          'WWW-Authenticate: Digest realm="r", nonce="n1", algorithm=MD5, qop="auth"',
          'WWW-Authenticate: Digest realm="r", nonce="n2", algorithm=SHA-256, qop="auth,auth-int"',
        ],
      });
      const second = await carrier.request('REGISTER');
      const given = parseAuthorization(second.headers.get('authorization') ?? '');
      assert.equal(given?.algorithm, 'SHA-256');
      const { nonce, uri, qop, nc, cnonce } = given;
      const key = ha1('gw', 'r', password, 'SHA-256');
      const expected = {
        ha1: key,
        algorithm: 'SHA-256',
        nonce,
        method: 'REGISTER',
        uri,
        qop,
        nc,
        cnonce,
      } as const;
      assert.equal(given.response, digestResponse(expected));
      assert.equal(second.callId, first.callId);
      assert.equal(second.cseq.number, first.cseq.number + 1);
      const contact = second.headers.get('contact') ?? '';
      assert.match(contact, /^<sip:gw@127\.0\.0\.1:\d+>$/);
      const phone = '<sip:gw@192.0.2.2:5062>;expires=3400';
      const ours = `Contact: ${contact};expires=120, <sip:gw@192.0.2.1>;expires=5, ${phone}`;
      carrier.respond(second, 200, 'OK', { headers: [ours, 'Expires: 3600'] });
      await registration(own, 'registered', /^200 OK$/);
      const { expiresAtMs = 0 } = own.app.trunkStatuses.get('carrier')?.registration ?? {};
      assert.ok(Math.abs(expiresAtMs - Date.now() - 120_000) < 2_000);
      takeAll();
    });

    it('asks for longer after 423, and comes back when Retry-After says so', async () => {
      const own = await begin();
      carrier.respond(await carrier.request('REGISTER'), 423, 'Interval Too Brief', {
        headers: ['Min-Expires: 900'],
      });
      const longer = await carrier.request('REGISTER');
      assert.equal(longer.headers.get('expires'), '900');
      const beganMs = Date.now();
      carrier.respond(longer, 503, 'Service Unavailable', { headers: ['Retry-After: 1'] });
      await registration(own, 'lost', /^503 Service Unavailable$/);
      takeAll();
      await registration(own, 'registered', /^200 OK$/);
      assert.ok(Date.now() - beganMs >= 1_000);
    });
  });
});
