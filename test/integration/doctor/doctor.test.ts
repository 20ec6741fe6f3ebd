import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { systemClock } from '../../../sip/clock.js';
import type { TrunkConfig, TrunkTlsConfig } from '../../../gateway/config/config.js';
import { Secret } from '../../../gateway/config/secret.js';
import { examine } from '../../../gateway/doctor/doctor.js';
import type { Finding } from '../../../gateway/doctor/finding.js';
import { findingText } from '../../../gateway/doctor/print.js';
import { startEchoPhone } from '../../../gateway/quick-start/echo-phone.js';
import { silentLog } from '../../../sip/log.js';
import { a, DnsServer, srv } from '../../support/dns-server.js';
import { freePort } from '../../support/free-port.js';
import { ipTrunk, testConfig } from '../../support/gateway.js';
import { TcpPeer, UdpPeer, type SipPeer } from '../../support/sip-peer.js';
import { makeTestAuthority, type TestAuthority } from '../../support/test-certificate.js';
import { TlsPeer } from '../../support/tls-peer.js';

const ordinary: TrunkTlsConfig = {
  ca: undefined,
  fingerprint: undefined,
  serverName: undefined,
  certificate: undefined,
};

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

describe('the doctor', function () {
  this.timeout(20_000);
  let authority: TestAuthority;
  let dns: DnsServer;
  const closers: (() => Promise<void>)[] = [];

  before(async function () {
    const made = makeTestAuthority();
    if (made === undefined) return this.skip();
    authority = made;
  });

  beforeEach(async () => {
    dns = owned(await DnsServer.open());
  });

  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  const owned = <Thing extends { close(): Promise<void> }>(thing: Thing): Thing => {
    closers.push(() => thing.close());
    return thing;
  };

  const findings = async (trunk: TrunkConfig, call?: string): Promise<Finding[]> => {
    const own = authority.issue('DNS:gateway.test');
    const tls = { cert: own.cert, key: new Secret(own.key), clientCa: undefined };
    const config = testConfig({ trunks: [trunk], tls, nameServers: [dns.address] });
    const found: Finding[] = [];
    for await (const finding of examine({ config, trunk, call, clock: systemClock })) found.push(finding);
    return found;
  };

  const results = (found: readonly Finding[]): string[] =>
    found.map(({ step, result }) => `${step} ${result}`);

  const answers = (peer: SipPeer, status: number, reason: string): void => {
    peer.onMessage = (message) => {
      if (message.kind === 'request' && message.method !== 'ACK') peer.respond(message, status, reason);
    };
  };

  it('finds a trunk in order, and hears the tone that it sends to an echo number', async () => {
    const phone = owned(
      await startEchoPhone({
        number: '600',
        address: '127.0.0.1',
        port: 0,
        log: silentLog,
        clock: systemClock,
      }),
    );
    const uri = phone.uri.replace('600@', '');
    const found = await findings(ipTrunk('echo', uri), '600');
    assert.deepEqual(results(found), ['resolve ok', 'options ok', 'call ok']);
    const call = found.at(-1);
    assert.match(
      call?.says ?? '',
      /^the call is answered, audio at -[0-9]+ dBFS: our own tone, so both directions carry it$/,
    );
    assert.ok(call?.details?.some((line) => /^-> udp:127\.0\.0\.1:[0-9]+ {2}INVITE sip:600@/.test(line)));
    assert.ok(call?.details?.some((line) => /<- .* SIP\/2\.0 200 OK/.test(line)));
  });

  it('shows the servers that a domain stands for', async () => {
    const peer = owned(await TcpPeer.open());
    answers(peer, 200, 'OK');
    dns.add(srv('_sip._tcp.carrier.test', 'one.carrier.test', peer.port), a('one.carrier.test'));
    const [resolve] = await findings(ipTrunk('carrier', 'sip:carrier.test;transport=tcp'));
    assert.deepEqual(resolve?.details, [`tcp 127.0.0.1:${peer.port}`]);
  });

  it('finds a name that leads nowhere', async () => {
    const found = await findings(ipTrunk('typo', 'sip:cariier.test'));
    assert.deepEqual(results(found), ['resolve failed']);
    assert.match(found[0]?.cause ?? '', /The name is unknown/);
  });

  it('finds a port that nobody listens on', async () => {
    const found = await findings(ipTrunk('closed', `sip:127.0.0.1:${await freePort()};transport=tcp`));
    assert.deepEqual(results(found), ['resolve ok', 'connect failed', 'options failed']);
    assert.match(found[1]?.cause ?? '', /nothing listens on that port/);
    assert.match(found[2]?.says ?? '', /^OPTIONS did not arrive: .*ECONNREFUSED/);
  });

  it('finds a host that is silent, and shows what was sent', async () => {
    const peer = owned(await UdpPeer.open(0));
    const found = await findings(ipTrunk('silent', `sip:127.0.0.1:${peer.port};transport=udp`));
    assert.deepEqual(results(found), ['resolve ok', 'options failed']);
    assert.equal(found[1]?.says, 'no answer to OPTIONS in 8000 ms');
    assert.match(found[1]?.cause ?? '', /firewall/);
    assert.match(found[1]?.details?.[0] ?? '', /^-> udp:127\.0\.0\.1:[0-9]+ {2}OPTIONS .*\(repeated\)$/);
  });

  it('says what a refused call means', async () => {
    const peer = owned(await TcpPeer.open());
    answers(peer, 403, 'Forbidden');
    const found = await findings(ipTrunk('wary', `sip:127.0.0.1:${peer.port};transport=tcp`), '15551230000');
    assert.deepEqual(results(found), ['resolve ok', 'connect ok', 'options ok', 'call failed']);
    assert.match(found[3]?.says ?? '', /403 Forbidden/);
    assert.match(found[3]?.cause ?? '', /does not know this machine/);
  });

  it('says that a password is wanted, or was wrong', async () => {
    const peer = owned(await TcpPeer.open());
    peer.onMessage = (message) => {
      if (message.kind !== 'request' || message.method === 'ACK') return;
      const challenge = ['WWW-Authenticate: Digest realm="pbx", nonce="n", algorithm=MD5'];
      peer.respond(message, 401, 'Unauthorized', { headers: challenge });
    };
    const uri = `sip:127.0.0.1:${peer.port};transport=tcp`;
    const auth = { username: 'gw', password: new Secret('wrong') };
    const found = await findings(ipTrunk('strict', uri, { type: 'auth', auth }), '600');
    assert.equal(results(found).at(-1), 'call failed');
    const text = found.map(findingText).join('');
    assert.match(text, /it refuses our user name or password/);
    assert.equal(text.includes('wrong'), false);
  });

  it('signs in at a carrier and out again, and says that it does not take the password', async () => {
    const peer = owned(await TcpPeer.open());
    let password = 'right';
    const seen: string[] = [];
    peer.onMessage = (message) => {
      if (message.kind !== 'request') return;
      if (message.method !== 'REGISTER') return peer.respond(message, 200, 'OK');
      const given = message.headers.get('authorization');
      const challenge = ['WWW-Authenticate: Digest realm="carrier", nonce="n", algorithm=MD5'];
      const response = /response="([0-9a-f]+)"/.exec(given ?? '')?.[1];
      const ha2 = md5(`REGISTER:sip:127.0.0.1:${peer.port}`);
      if (response !== md5(`${md5(`gw:carrier:${password}`)}:n:${ha2}`))
        return peer.respond(message, 401, 'Unauthorized', { headers: challenge });
      seen.push(message.headers.get('expires') ?? '');
      peer.respond(message, 200, 'OK', { headers: [`Contact: ${message.headers.get('contact') ?? ''}`] });
    };
    const uri = `sip:127.0.0.1:${peer.port};transport=tcp`;
    const auth = { username: 'gw', password: new Secret('right') };
    const register = { expiresMs: 300_000, retryMs: 30_000 };
    const trunk = ipTrunk('carrier', uri, { type: 'register', auth, register });
    assert.equal(results(await findings(trunk)).at(-1), 'register ok');
    assert.deepEqual(seen, ['60', '0']);
    password = 'another';
    const found = await findings(trunk);
    assert.equal(results(found).at(-1), 'register failed');
    assert.match(found.at(-1)?.cause ?? '', /refuses our user name or password/);
  });

  it('finds audio that does not come back', async () => {
    const peer = owned(await TcpPeer.open());
    peer.onMessage = (message) => {
      if (message.kind !== 'request' || message.method === 'ACK') return;
      const body =
        'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n';
      peer.respond(message, 200, 'OK', message.method === 'INVITE' ? { body } : {});
    };
    const found = await findings(ipTrunk('deaf', `sip:127.0.0.1:${peer.port};transport=tcp`), '600');
    assert.equal(results(found).at(-1), 'call failed');
    assert.match(found.at(-1)?.says ?? '', /no audio comes back/);
  });

  it('shows a certificate that is right', async () => {
    const peer = owned(await TlsPeer.open(authority.issue('DNS:localhost')));
    answers(peer, 200, 'OK');
    dns.add(a('localhost'));
    const tls = { ...ordinary, ca: authority.ca };
    const found = await findings(ipTrunk('secure', `sip:localhost:${peer.port};transport=tls`, { tls }));
    assert.deepEqual(results(found), ['resolve ok', 'connect ok', 'tls ok', 'options ok']);
    assert.match(found[2]?.details?.[0] ?? '', /^TLSv1\.[23], certificate for DNS:localhost$/);
  });

  it('explains a certificate that is wrong, and shows its fingerprint', async () => {
    const cases = [
      { names: 'DNS:localhost', tls: ordinary, cause: /No authority that is known here/ },
      { names: 'DNS:other.test', tls: { ...ordinary, ca: authority.ca }, cause: /for another name/ },
      {
        names: 'DNS:localhost',
        tls: { ...ordinary, fingerprint: Array.from({ length: 32 }, () => 'AB').join(':') },
        cause: /not the pinned one/,
      },
    ];
    dns.add(a('localhost'));
    for (const { names, tls, cause } of cases) {
      const peer = owned(await TlsPeer.open(authority.issue(names)));
      const found = await findings(ipTrunk('secure', `sip:localhost:${peer.port};transport=tls`, { tls }));
      assert.deepEqual(results(found), ['resolve ok', 'connect ok', 'tls failed', 'options failed']);
      assert.match(found[2]?.cause ?? '', cause);
      assert.match(found[2]?.details?.at(-1) ?? '', /^fingerprint: "([0-9A-F]{2}:){31}[0-9A-F]{2}"$/);
    }
  });
});
