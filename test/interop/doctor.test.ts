import assert from 'node:assert/strict';
import { systemClock } from '../../sip/clock.js';
import type { Config, TrunkConfig, TrunkTlsConfig } from '../../gateway/config/config.js';
import { Secret } from '../../gateway/config/secret.js';
import { examine } from '../../gateway/doctor/doctor.js';
import type { Finding } from '../../gateway/doctor/finding.js';
import { findingText } from '../../gateway/doctor/print.js';
import { Baresip } from '../support/baresip.js';
import { freePort } from '../support/free-port.js';
import { ipTrunk, testConfig } from '../support/gateway.js';
import { KamailioFront } from '../support/kamailio-front.js';
import { Kamailio } from '../support/kamailio.js';
import { requirePeer } from '../support/peers.js';
import { makeTestAuthority, type TestAuthority } from '../support/test-certificate.js';

const passwords = { gw: 'gw-secret', bob: 'bob-secret' };
const ourHz = 440;
const theirHz = 1000;

/** What the doctor finds, and as the operator reads it. */
class Visit {
  readonly found: Finding[] = [];

  get steps(): string[] {
    return this.found.map(({ step, result }) => `${step} ${result}`);
  }

  get text(): string {
    return this.found.map(findingText).join('');
  }

  async take(trunk: TrunkConfig, call?: string, change: Partial<Config> = {}): Promise<this> {
    const config = { ...testConfig({ trunks: [trunk] }), ...change };
    for await (const finding of examine({ config, trunk, call, clock: systemClock }))
      this.found.push(finding);
    return this;
  }
}

describe('webtrunk doctor, at', function () {
  this.timeout(40_000);

  describe('Kamailio that wants a password', () => {
    let kamailio: Kamailio;

    before(async function () {
      const program = requirePeer(this, 'kamailio');
      const gateway = { numbers: [], address: `127.0.0.1:${await freePort()}` };
      kamailio = await Kamailio.start({ program, users: passwords, gateway });
    });
    after(() => kamailio?.close());

    const trunk = (password: string, type: 'auth' | 'register' = 'register'): TrunkConfig =>
      ipTrunk('office', kamailio.uri, {
        type,
        auth: { username: 'gw', password: new Secret(password) },
        ...(type === 'register' ? { register: { expiresMs: 300_000, retryMs: 1_000 } } : {}),
      });

    it('signs in and out with the right password', async () => {
      const { steps, text } = await new Visit().take(trunk(passwords.gw));
      assert.deepEqual(steps, ['resolve ok', 'options ok', 'register ok'], text);
      assert.match(text, /REGISTER of sip:gw@127\.0\.0\.1.* is answered 200 OK/);
    });

    it('says that the password is wrong, and not what it is', async () => {
      const { steps, text } = await new Visit().take(trunk('gw-sceret'), '600');
      assert.deepEqual(steps, ['resolve ok', 'options ok', 'register failed', 'call failed'], text);
      for (const cause of text.matchAll(/cause: +(.*)/g))
        assert.match(cause[1] ?? '', /user name (and|or) password/);
      for (const change of text.matchAll(/change: +(.*)/g)) assert.match(change[1] ?? '', /Correct auth: /);
      assert.equal(text.includes('sceret'), false);
    });

    it('says that a password is wanted and none is configured', async () => {
      const { steps, text } = await new Visit().take(ipTrunk('office', kamailio.uri), '600');
      assert.deepEqual(steps, ['resolve ok', 'options ok', 'call failed'], text);
      assert.match(text, /change: +Use type: auth/);
    });

    it('says that the number leads nowhere', async () => {
      const { steps, text } = await new Visit().take(trunk(passwords.gw, 'auth'), '999');
      assert.deepEqual(steps, ['resolve ok', 'options ok', 'call failed'], text);
      assert.match(text, /404 Not Found/);
      assert.match(text, /cause: +The PBX does not know the number/);
    });

    it('calls baresip behind it: each hears the tone of the other', async function () {
      const program = requirePeer(this, 'baresip');
      const account = { user: 'bob', password: passwords.bob, registrar: kamailio.address };
      const phone = await Baresip.start({ program, ...account, hz: theirHz });
      try {
        const media = {
          engine: 'rtpengine',
          instances: [],
          browserToBrowser: 'direct',
          timeoutMs: 0,
        } as const;
        const visit = new Visit().take(trunk(passwords.gw, 'auth'), 'bob', { media });
        await phone.event('CALL_INCOMING');
        phone.accept();
        await phone.waitForTone(ourHz);
        const { steps, text } = await visit;
        assert.deepEqual(steps, ['resolve ok', 'options ok', 'call ok'], text);
        assert.match(
          text,
          /audio at -[0-9]+ dBFS: another sound than ours; ask there whether a tone of 440 Hz was heard/,
        );
        await phone.event('CALL_CLOSED');
      } finally {
        await phone.close();
      }
    });
  });

  describe('Kamailio over TLS', () => {
    let front: KamailioFront;
    let authority: TestAuthority;

    before(async function () {
      requirePeer(this, 'kamailio-tls-modules');
      const program = requirePeer(this, 'kamailio');
      authority = makeTestAuthority() ?? this.skip();
      front = await KamailioFront.start(program, authority);
    });
    after(() => front?.close());

    const visit = (tls: Partial<TrunkTlsConfig>): Promise<Visit> => {
      const usual = {
        ca: authority.ca,
        fingerprint: undefined,
        serverName: undefined,
        certificate: undefined,
      };
      const own = authority.issue('DNS:gateway.test');
      const change = { tls: { ...usual, ...tls } };
      const config = testConfig({
        trunks: [],
        tls: { cert: own.cert, key: new Secret(own.key), clientCa: undefined },
      });
      return new Visit().take(ipTrunk('secure', front.uri('tls'), change), undefined, { sip: config.sip });
    };

    it('shows the certificate that is right', async () => {
      const { steps, text } = await visit({});
      assert.deepEqual(steps, ['resolve ok', 'connect ok', 'tls ok', 'options ok'], text);
      assert.match(text, /certificate for DNS:localhost, IP Address:127\.0\.0\.1/);
    });

    it('says that nobody known has signed it', async () => {
      const { steps, text } = await visit({ ca: undefined });
      assert.deepEqual(steps, ['resolve ok', 'connect ok', 'tls failed', 'options failed'], text);
      assert.match(text, /cause: +No authority that is known here has signed its certificate/);
    });

    it('says that it is for another name', async () => {
      const { steps, text } = await visit({ serverName: 'pbx.example.net' });
      assert.deepEqual(steps, ['resolve ok', 'connect ok', 'tls failed', 'options failed'], text);
      assert.match(text, /cause: +Its certificate is for another name/);
    });
  });

  it('nobody: says that nothing listens there', async () => {
    const { steps, text } = await new Visit().take(
      ipTrunk('closed', `sip:127.0.0.1:${await freePort()};transport=tcp`),
    );
    assert.deepEqual(steps, ['resolve ok', 'connect failed', 'options failed'], text);
    assert.match(text, /cause: +The machine is there, but nothing listens on that port/);
  });
});
