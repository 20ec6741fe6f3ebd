import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config, RouteConfig } from '../../../gateway/config/config.js';
import { rehearsalText } from '../../../gateway/rehearsal/rehearsal-text.js';
import { rehearse } from '../../../gateway/rehearsal/rehearsal.js';
import { UnknownCaller, type RehearsalRequest } from '../../../gateway/rehearsal/rehearsed-source.js';
import { sampleOffer } from '../../../gateway/rehearsal/sample-offer.js';
import { systemClock } from '../../../sip/clock.js';
import { chosenEngine } from '../../support/engine-under-test.js';
import {
  ipTrunk,
  passwordOf,
  startGateway,
  testConfig,
  usersRoute,
  type Gateway,
  type GatewayOptions,
} from '../../support/gateway.js';
import { TcpPeer, UdpPeer } from '../../support/sip-peer.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

const monday = Date.parse('2026-11-23T12:00:00Z');

/** What two INVITEs of the same call may differ in. */
function comparable(text: string): string {
  return text
    .replace(/branch=[^;\r]+/g, 'branch=B')
    .replace(/;tag=[^;\r]+/g, ';tag=T')
    .replace(/^Call-ID: .+$/m, 'Call-ID: C')
    .replace(/^CSeq: [0-9]+/m, 'CSeq: N')
    .replace(/^(Via: [^;]+|Contact: .*?):[0-9]+(?=[;>])/gm, '$1:P');
}

/** A PBX that takes UDP and TCP at one port, one that happens to be free for both. */
async function openPbx(): Promise<[UdpPeer, TcpPeer]> {
  const udp = await UdpPeer.open(0);
  try {
    return [udp, await TcpPeer.open(undefined, udp.port)];
  } catch {
    await udp.close();
    return openPbx();
  }
}

describe('webtrunk route', () => {
  let pbx: UdpPeer;
  let tcp: TcpPeer;
  let options: GatewayOptions;
  let gateway: Gateway | undefined;

  const route = (name: string, match: RegExp, change: Partial<RouteConfig> = {}): RouteConfig => ({
    name,
    match,
    fromTrunk: undefined,
    to: { kind: 'trunks', trunks: ['office'] },
    ...change,
  });

  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-'));
  });

  after(() => rm(folder, { recursive: true }));

  beforeEach(async () => {
    [pbx, tcp] = await openPbx();
    const office = `sip:127.0.0.1:${pbx.port};transport=udp`;
    options = {
      media: 'passthrough',
      shown: { alice: { callerId: '+15551230001' } },
      trunks: [
        ipTrunk('office', office, {
          callerId: { send: ['from', 'pai'], privacy: 'honour', onMismatch: 'replace' },
        }),
        ipTrunk('nowhere', 'sip:pbx.invalid:5060;transport=udp'),
      ],
      routes: [
        usersRoute,
        route('did', /^777$/, { fromTrunk: 'office', to: { kind: 'user', user: 'alice' } }),
        route('sunday', /^6/, { when: { timezone: 'UTC', days: [0], dates: undefined, hours: undefined } }),
        route('premium', /^0900/, { to: { kind: 'reject', status: 403 } }),
        route('lost', /^5/, { to: { kind: 'trunks', trunks: ['nowhere'] } }),
        route('out', /^6/),
      ],
    };
  });

  afterEach(async () => {
    await gateway?.close();
    gateway = undefined;
    await pbx.close();
    await tcp.close();
  });

  const config = (): Config => testConfig(options);

  const rehearsed = (dialled: string, change: Partial<RehearsalRequest> = {}) =>
    rehearse(config(), { dialled, as: 'alice', fromTrunk: undefined, atMs: monday, ...change }, systemClock);

  const said = async (dialled: string, change?: Partial<RehearsalRequest>): Promise<string> =>
    rehearsalText(await rehearsed(dialled, change));

  /** The INVITE that a gateway with the same configuration sends when a page calls. */
  const sentByGateway = async (dialled: string, offer: string): Promise<string> => {
    for (const peer of [pbx, tcp]) {
      peer.onMessage = (message) => {
        if (message.kind === 'request' && message.method === 'INVITE')
          peer.respond(message, 486, 'Busy Here');
      };
    }
    gateway = await startGateway(options);
    pbx.aim(Number(gateway.sipAddress.split(':')[1]));
    const alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    try {
      await alice.register();
      const headers = [`To: <sip:${dialled}@localhost>`, 'Content-Type: application/sdp'];
      const invite = alice.request('INVITE', `sip:${dialled}@localhost`, { headers, body: offer });
      assert.equal((await alice.transact(invite)).status, 486);
    } finally {
      await alice.close();
    }
    const seen = [...tcp.seen, ...pbx.seen].find(({ text }) => text.startsWith('INVITE'));
    return seen?.text ?? assert.fail('no INVITE arrived');
  };

  it('shows the very INVITE that the gateway sends, with its size, and sends none', async function () {
    // drachtio-server writes some fields by itself.
    if (chosenEngine() === 'drachtio') return this.skip();
    const { attempts } = await rehearsed('600');
    assert.equal(pbx.seen.length + tcp.seen.length, 0);
    const shown = attempts[0]?.invite?.bytes.toString() ?? assert.fail('no INVITE');
    const sent = await sentByGateway('600', sampleOffer);
    assert.equal(comparable(shown), comparable(sent));
    assert.match(shown, /^P-Asserted-Identity: "Alice" <sip:\+15551230001@/m);
  });

  it('warns of an INVITE that is too large for UDP: it goes over TCP, as the gateway sends it', async function () {
    // drachtio-server writes some fields by itself.
    if (chosenEngine() === 'drachtio') return this.skip();
    const { attempts } = await rehearsed('600');
    const invite = attempts[0]?.invite;
    assert.ok(invite !== undefined && invite.bytes.length > 1_300);
    assert.equal(invite.transport, 'tcp');
    const text = await said('600');
    assert.match(text, /to tcp 127\.0\.0\.1:\d+, \d+ bytes: WARNING, more than 1300, so it goes over TCP/);
    await sentByGateway('600', sampleOffer);
    assert.equal(pbx.seen.length, 0);
    assert.ok(tcp.seen.length > 0);
  });

  it('translates the audio by the media engine of the configuration', async () => {
    options = { ...options, media: 'relay' };
    const { attempts } = await rehearsed('600');
    const text = attempts[0]?.invite?.bytes.toString() ?? '';
    assert.match(text, /^m=audio \d+ RTP\/AVP /m);
    assert.equal(attempts[0]?.invite?.transport, 'udp');
    assert.doesNotMatch(await said('600'), /WARNING/);
  });

  it('says of every route why it does not take the call, and which one does', async () => {
    const text = await said('600');
    assert.match(text, /^600 is called by user sip:alice@localhost, domain localhost$/m);
    assert.match(text, /^- users: .* does not match$/m);
    assert.match(text, /^- did: is only for calls from trunk office$/m);
    assert.match(text, /^- sunday: does not hold at 2026-11-23 12:00 in UTC$/m);
    assert.match(text, /^\+ out: takes the call \(match \^6\)$/m);
    assert.match(await said('600', { atMs: monday - 86_400_000 }), /^\+ sunday: takes the call/m);
  });

  it('asks the routing hook, and says when it fails', async () => {
    const hook = async (text: string): Promise<void> => {
      const path = join(folder, `${text.length}.mjs`);
      await writeFile(path, text);
      options = {
        ...options,
        routing: { hook: { kind: 'module', path }, timeoutMs: 1_000, fallback: 'routes' },
      };
    };
    await hook('export default () => ({ to: { trunks: ["office"] }, number: "42", name: "mine" });');
    const text = await said('600');
    assert.match(text, /^\+ mine: takes the call/m);
    assert.match(text, /^INVITE sip:42@127\.0\.0\.1/m);
    await hook('export default () => { throw new Error("no luck"); };');
    assert.match(await said('600'), /^the routing hook failed: no luck\n[^]*^\+ out: takes the call/m);
  });

  it('says how a call is refused', async () => {
    assert.match(await said('0900123'), /^The call is answered 403 Forbidden \(route\.rejected\)$/m);
    assert.match(await said('999'), /^The call is answered 404 Not Found \(route\.no_match\)$/m);
  });

  it('says when the guard against toll fraud would refuse, and what it counts', async () => {
    const fraud = {
      country: 'US',
      international: false,
      allow: [],
      deny: ['61'],
      newDestinationsPerHour: 20,
      minutesPerDay: 600,
    };
    options = { ...options, limits: { fraud } };
    assert.match(
      await said('610'),
      /^The call is answered 403 Number Not Allowed \(limit\.denied_number\)$/m,
    );
    assert.match(await said('6493012345678'), /^The call is answered 403 .* \(limit\.international\)$/m);
    const counts = /^limits\.fraud allows each user 20 new numbers an hour, 600 minutes a day; only/m;
    assert.match(await said('600'), counts);
    assert.match(await said('600'), /^1\. office/m);
    assert.doesNotMatch(await said('610'), counts);
  });

  it('says that a target leads nowhere', async () => {
    const text = await said('500');
    assert.match(text, /^1\. nowhere sip:pbx\.invalid:5060;transport=udp\n {3}trunk\.unreachable/m);
    assert.match(text, /no INVITE can be sent/);
  });

  it('follows a call from a trunk to the devices of a user', async () => {
    const text = await said('777', { as: '+15559990000', fromTrunk: 'office' });
    assert.match(text, /^777 is called by \+15559990000 by trunk office/m);
    assert.match(text, /^\+ did: takes the call/m);
    assert.match(text, /^1\. sip:alice@localhost.*\n {3}rings on every device that is online$/m);
  });

  describe('with a domain whose PBX knows the passwords', () => {
    beforeEach(() => {
      options = { ...options, pbxDomains: { 'pbx.example': 'office' }, media: 'relay' };
    });

    it('shows the INVITE of a browser to its PBX: nothing rewritten, no route asked', async () => {
      const text = await said('1002', { as: '1001@pbx.example' });
      assert.match(text, /^1002 is called by user sip:1001@pbx\.example, domain pbx\.example$/m);
      assert.match(text, /^pbx\.example is a domain with auth: pbx: its PBX \(trunk office\) decides/m);
      assert.match(text, /^1\. office sip:127\.0\.0\.1:/m);
      assert.match(text, /^INVITE sip:1002@pbx\.example SIP\/2\.0\r?$/m);
      assert.match(text, /^From: <sip:1001@pbx\.example>;tag=/m);
      assert.doesNotMatch(text, /^[-+] /m);
    });

    it('asks the routes for a call to another domain', async () => {
      const text = await said('600@elsewhere.example', { as: '1001@pbx.example' });
      assert.match(text, /^\+ out: takes the call/m);
    });

    it('follows a call of the PBX to the browser that is registered there', async () => {
      const text = await said('1001@pbx.example', { as: '1002', fromTrunk: 'office' });
      assert.match(text, /^1001 is called by 1002 by trunk office, domain pbx\.example$/m);
      assert.match(text, /no route is asked$/m);
      assert.match(text, /^1\. sip:1001@pbx\.example.*\n {3}rings on every device that is online$/m);
    });

    it('follows any other call of that PBX through the routes, and says how to ask for a browser', async () => {
      const text = await said('777', { as: undefined, fromTrunk: 'office' });
      assert.match(text, /^a browser that is registered there is dialled as 777@pbx\.example$/m);
      assert.match(text, /^\+ did: takes the call/m);
    });
  });

  it('knows nobody whom the configuration does not know', async () => {
    await assert.rejects(rehearsed('600', { as: 'mallory' }), UnknownCaller);
    await assert.rejects(rehearsed('600', { as: undefined, fromTrunk: 'ofice' }), UnknownCaller);
    await assert.rejects(rehearsed('600', { as: undefined }), UnknownCaller);
  });
});
