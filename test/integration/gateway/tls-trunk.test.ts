import assert from 'node:assert/strict';
import type { TrunkTlsConfig } from '../../../gateway/config/config.js';
import { Secret } from '../../../gateway/config/secret.js';
import { a, DnsServer, srv } from '../../support/dns-server.js';
import { chosenEngine } from '../../support/engine-under-test.js';
import { ipTrunk, passwordOf, startGateway, type Gateway } from '../../support/gateway.js';
import { makeTestAuthority, type TestAuthority } from '../../support/test-certificate.js';
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
