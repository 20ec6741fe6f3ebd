import assert from 'node:assert/strict';
import type { TrunkTlsConfig } from '../../../gateway/config/config.js';
import { Secret } from '../../../gateway/config/secret.js';
import { a, DnsServer, srv } from '../../support/dns-server.js';
import { chosenEngine } from '../../support/engine-under-test.js';
import { ipTrunk, passwordOf, startGateway, type Gateway } from '../../support/gateway.js';
import { makeTestAuthority, type TestAuthority } from '../../support/test-certificate.js';
import { dialOffice, signInAlice } from '../../support/office-gateway.js';
import { sdp } from '../../support/sip-peer.js';
import { TlsPeer } from '../../support/tls-peer.js';
import { acknowledge, inDialog } from '../../support/ws-call.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

const ordinary: TrunkTlsConfig = {
  ca: undefined,
  fingerprint: undefined,
  serverName: undefined,
  certificate: undefined,
};

describe('a trunk over TLS that is found by DNS', () => {
  let authority: TestAuthority;
  let dns: DnsServer;
  let peer: TlsPeer;
  let gateway: Gateway;
  let alice: WsSipClient;

  before(async function () {
    const made = makeTestAuthority();
    // drachtio-server has TLS and DNS settings of its own.
    if (made === undefined || chosenEngine() === 'drachtio') return this.skip();
    authority = made;
    dns = await DnsServer.open();
    peer = await TlsPeer.open(authority.issue('DNS:carrier.test'));
    dns.add(srv('_sips._tcp.carrier.test', 'sbc.carrier.test', peer.port), a('sbc.carrier.test'));
    const own = authority.issue('DNS:gateway.test');
    const route = { match: /^[0-9]+$/, fromTrunk: undefined };
    const wary = { ...ordinary, fingerprint: Array.from({ length: 32 }, () => 'AB').join(':') };
    gateway = await startGateway({
      tls: { cert: own.cert, key: new Secret(own.key), clientCa: undefined },
      nameServers: [dns.address],
      media: 'passthrough',
      trunks: [
        ipTrunk('carrier', 'sips:carrier.test', { tls: { ...ordinary, ca: authority.ca } }),
        ipTrunk('impostor', `sips:127.0.0.1:${peer.port}`, { tls: wary }),
      ],
      routes: [
        { ...route, name: 'trap', match: /^666$/, to: { kind: 'trunks', trunks: ['impostor'] } },
        { ...route, name: 'out', to: { kind: 'trunks', trunks: ['carrier'] } },
        { ...route, name: 'in', match: /^alice$/, to: { kind: 'users' } },
      ],
    });
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    await alice.register();
  });

  after(async () => {
    await alice?.close();
    await gateway?.close();
    await peer?.close();
    await dns?.close();
  });

  const dial = (number: string): string => {
    const headers = [`To: <sip:${number}@localhost>`, 'Content-Type: application/sdp'];
    return alice.request('INVITE', `sip:${number}@localhost`, { headers, body: sdp(7000) });
  };

  it('is called by its sips: URI', async () => {
    const answering = peer.request('INVITE').then((invite) => {
      peer.respond(invite, 200, 'OK', { body: sdp(9000) });
      return invite;
    });
    const answer = await alice.transact(dial('15551230000'));
    const invite = await answering;
    assert.equal(answer.status, 200, `${answer.status} ${answer.reason}`);
    assert.equal(invite.requestUri, 'sips:15551230000@carrier.test');
    assert.match(invite.headers.get('contact') ?? '', /^<sips:/);
    assert.deepEqual(peer.serverNames, ['carrier.test']);
    acknowledge(alice, answer);
    await peer.request('ACK');
    const ending = peer.request('BYE').then((bye) => peer.respond(bye, 200, 'OK'));
    assert.equal((await alice.transact(inDialog(alice, 'BYE', answer))).status, 200);
    await ending;
  });

  it('is not called when it shows the certificate of somebody else, and the log says so', async () => {
    const before = peer.seen.length;
    assert.equal((await alice.transact(dial('666'))).status, 503);
    assert.equal(peer.seen.length, before);
    const said = gateway.lines.map((line) => JSON.stringify(line)).filter((line) => /fingerprint/.test(line));
    assert.ok(
      said.some((line) => line.includes('trunk.unreachable')),
      said.join('\n'),
    );
  });
});

describe('a trunk over TLS that wants our certificate and our name', () => {
  const name = 'sbc.gateway.test';
  let peer: TlsPeer;
  let gateway: Gateway;
  let alice: WsSipClient;

  before(async function () {
    const authority = makeTestAuthority();
    if (authority === undefined || chosenEngine() === 'drachtio') return this.skip();
    peer = await TlsPeer.open({ ...authority.issue('IP:127.0.0.1'), clientCa: authority.ca });
    const own = authority.issue(`DNS:${name}`);
    gateway = await startGateway({
      tls: { cert: own.cert, key: new Secret(own.key), clientCa: undefined },
      externalAddress: name,
      media: 'passthrough',
      trunks: [
        ipTrunk('teams', `sip:127.0.0.1:${peer.port};transport=tls`, {
          tls: { ...ordinary, ca: authority.ca },
          from: { user: undefined, domain: name },
          options: { everyMs: 60_000, failAfter: 3 },
        }),
      ],
      routes: [
        { name: 'out', match: /^\d+$/, fromTrunk: undefined, to: { kind: 'trunks', trunks: ['teams'] } },
      ],
    });
    alice = await signInAlice(gateway.pageUrl);
  });

  after(async () => {
    await alice?.close();
    await gateway?.close();
    await peer?.close();
  });

  it('has the name of external_address in Via, From and Contact of OPTIONS and INVITE', async () => {
    const options = await peer.request('OPTIONS');
    peer.respond(options, 200, 'OK');
    const dialled = dialOffice(alice);
    const invite = await peer.request('INVITE');
    peer.respond(invite, 200, 'OK', { body: sdp(9_000) });
    const answered = await dialled;
    acknowledge(alice, answered);
    await peer.request('ACK');
    assert.deepEqual(peer.shown, [`DNS:${name}`]);
    for (const { method, headers } of [options, invite]) {
      assert.match(headers.get('via') ?? '', new RegExp(`^SIP/2\\.0/TLS ${name}:\\d+;`), method);
      assert.match(headers.get('from') ?? '', new RegExp(`@?${name}`), method);
      assert.match(
        headers.get('contact') ?? '',
        new RegExp(`^<sip:(?:\\w+@)?${name}:\\d+;transport=tls>`),
        method,
      );
    }
    const ending = peer.request('BYE').then((bye) => peer.respond(bye, 200, 'OK'));
    await alice.transact(inDialog(alice, 'BYE', answered));
    await ending;
  });
});
