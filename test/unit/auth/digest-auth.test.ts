import assert from 'node:assert/strict';
import { MemoryCredentialStore } from '../../../gateway/auth/credential-store.js';
import { DigestAuth, type AuthVerdict } from '../../../gateway/auth/digest-auth.js';
import { NonceWindow } from '../../../gateway/auth/nonce-window.js';
import {
  createRequest,
  digestResponse,
  ha1,
  parseChallenge,
  serializeAuthorization,
  type DigestAlgorithm,
  type SipRequest,
} from '../../../sip/message/index.js';
import { FakeClock } from '../../support/fake-clock.js';

const requestUri = 'sip:localhost';

function register(authorizations: readonly string[] = []): SipRequest {
  return createRequest({
    method: 'REGISTER',
    requestUri,
    headers: [
      ['Via', 'SIP/2.0/WS x.invalid;branch=z9hG4bK1'],
      ['From', '<sip:alice@localhost>;tag=1'],
      ['To', '<sip:alice@localhost>'],
      ['Call-ID', 'x'],
      ['CSeq', '1 REGISTER'],
      ...authorizations.map((value) => ['Authorization', value] as const),
    ],
  });
}

describe('DigestAuth', () => {
  let clock: FakeClock;
  let store: MemoryCredentialStore;
  let auth: DigestAuth;
  let holder: { id: string; nonces: NonceWindow };

  beforeEach(() => {
    clock = new FakeClock();
    store = new MemoryCredentialStore();
    store.addUser({ user: 'alice', domain: 'localhost', password: 'wonderland', displayName: 'Alice' });
    auth = new DigestAuth({ store, clock });
    holder = { id: 'f_1', nonces: new NonceWindow() };
  });

  interface Login {
    readonly user?: string;
    readonly password?: string;
    readonly uri?: string;
    readonly nc?: string;
    readonly qop?: string;
    readonly nonce?: string;
    readonly algorithm?: DigestAlgorithm;
    readonly realm?: string;
  }

  const authorize = (login: Login = {}): string => {
    const challenge = parseChallenge(auth.challenge(holder, login.realm ?? 'localhost', false));
    assert.ok(challenge?.algorithm);
    const {
      user = 'alice',
      password = 'wonderland',
      uri = requestUri,
      nc = '00000001',
      qop = 'auth',
    } = login;
    const { nonce = challenge.nonce, algorithm = challenge.algorithm } = login;
    const { realm } = challenge;
    const fields = { nonce, uri, algorithm, ...(qop === '' ? {} : { qop, nc, cnonce: 'c' }) };
    const key = ha1(user, realm, password, algorithm);
    const response = digestResponse({ ...fields, method: 'REGISTER', ha1: key });
    return serializeAuthorization({ ...fields, username: user, realm, response });
  };

  const verify = (...authorizations: string[]): AuthVerdict => {
    const verdict = auth.verify(register(authorizations), holder, 'alice', 'localhost');
    assert.ok(!(verdict instanceof Promise), 'a store in memory needs no promise');
    return verdict;
  };

  const kindOf = (verdict: AuthVerdict): string =>
    verdict.kind === 'challenge' ? `challenge${verdict.stale ? ' stale' : ''}` : verdict.kind;

  it('challenges with MD5 and qop=auth only', () => {
    const challenge = parseChallenge(auth.challenge(holder, 'localhost', true));
    assert.deepEqual(
      [challenge?.realm, challenge?.algorithm, challenge?.qop, challenge?.stale],
      ['localhost', 'MD5', ['auth'], true],
    );
  });

  it('accepts the right password and says whose it is', () => {
    const verdict = verify(authorize());
    assert.equal(verdict.kind === 'accepted' && verdict.credential.displayName, 'Alice');
  });

  it('challenges a request without credentials for the realm', () => {
    assert.equal(kindOf(verify()), 'challenge');
    assert.equal(kindOf(verify(authorize({ realm: 'example.com' }))), 'challenge');
    assert.equal(kindOf(verify('Basic YWxpY2U6d29uZGVybGFuZA==')), 'challenge');
  });

  it('finds the credentials for the realm among several', () => {
    assert.equal(kindOf(verify(authorize({ realm: 'example.com' }), authorize())), 'accepted');
  });

  it('rejects a wrong password, an unknown user and another user alike', () => {
    store.addUser({ user: 'bob', domain: 'localhost', password: 'builder' });
    for (const login of [
      { password: 'guess' },
      { user: 'mallory' },
      { user: 'bob', password: 'builder' },
      { user: 'ALICE' },
    ]) {
      const verdict = verify(authorize(login));
      assert.equal(
        verdict.kind === 'rejected' && verdict.failure.code,
        'auth.rejected',
        JSON.stringify(login),
      );
    }
  });

  it('says stale to a nonce past its time, and only with the right password', () => {
    const right = authorize();
    const wrong = authorize({ password: 'guess' });
    clock.advance(300_000);
    assert.equal(kindOf(verify(right)), 'accepted');
    const late = authorize();
    clock.advance(300_001);
    assert.equal(kindOf(verify(late)), 'challenge stale');
    assert.equal(kindOf(verify(wrong)), 'rejected');
  });

  it('accepts an earlier nonce of the same flow, but not for another realm', () => {
    const earlier = authorize();
    authorize();
    assert.equal(kindOf(verify(earlier)), 'accepted');
    const elsewhere = parseChallenge(auth.challenge(holder, 'example.com', false));
    assert.equal(kindOf(verify(authorize({ nonce: elsewhere?.nonce ?? '' }))), 'challenge stale');
  });

  it('says stale to a nonce-count that was used', () => {
    const authorization = authorize();
    assert.equal(kindOf(verify(authorization)), 'accepted');
    assert.equal(kindOf(verify(authorization)), 'challenge stale');
  });

  it('says stale to a nonce that is not its own or was issued to another flow', () => {
    assert.equal(kindOf(verify(authorize({ nonce: 'made up' }))), 'challenge stale');
    const stolen = authorize();
    holder = { id: 'f_2', nonces: new NonceWindow() };
    assert.equal(kindOf(verify(stolen)), 'challenge stale');
  });

  it('rejects credentials that cannot protect: no qop, a bad nc, another URI, another algorithm', () => {
    for (const login of [
      { qop: '' },
      { qop: 'auth-int' },
      { nc: '1' },
      { nc: 'zzzzzzzz' },
      { uri: 'sip:elsewhere.example' },
      { algorithm: 'SHA-256' as const },
      { algorithm: 'MD5-sess' as const },
    ]) {
      const verdict = verify(authorize(login));
      assert.equal(
        verdict.kind === 'rejected' && verdict.failure.code,
        'message.malformed',
        JSON.stringify(login),
      );
    }
  });

  it('takes an equal URI in another spelling', () => {
    assert.equal(kindOf(verify(authorize({ uri: 'sip:LOCALHOST' }))), 'accepted');
  });

  it('speaks SHA-256 when told to', () => {
    auth = new DigestAuth({ store, clock, algorithm: 'SHA-256' });
    assert.equal(parseChallenge(auth.challenge(holder, 'localhost', false))?.algorithm, 'SHA-256');
    assert.equal(kindOf(verify(authorize())), 'accepted');
    assert.equal(kindOf(verify(authorize({ algorithm: 'MD5' }))), 'rejected');
  });

  it('waits for a store that answers later', async () => {
    const slow = { find: (user: string, domain: string) => Promise.resolve(store.find(user, domain)) };
    auth = new DigestAuth({ store: slow, clock });
    const verdict = auth.verify(register([authorize()]), holder, 'alice', 'localhost');
    assert.ok(verdict instanceof Promise);
    assert.equal((await verdict).kind, 'accepted');
  });

  it('takes as long for an unknown user as for a wrong password', function () {
    this.retries(3);
    const medianUs = (login: Login): number => {
      const request = register([authorize(login)]);
      const times = Array.from({ length: 4_000 }, () => {
        const startNs = process.hrtime.bigint();
        void auth.verify(request, holder, 'alice', 'localhost');
        return Number(process.hrtime.bigint() - startNs) / 1_000;
      });
      return times.sort((a, b) => a - b)[2_000] ?? 0;
    };
    medianUs({ password: 'warm up' });
    const [wrong, unknown] = [
      medianUs({ password: 'guess' }),
      medianUs({ user: 'mallory', password: 'guess' }),
    ];
    assert.ok(Math.abs(wrong - unknown) < 0.25 * wrong, `${wrong} µs, ${unknown} µs`);
  });
});

describe('MemoryCredentialStore', () => {
  it('keeps no password', () => {
    const store = new MemoryCredentialStore();
    store.addUser({ user: 'alice', domain: 'localhost', password: 'wonderland' });
    assert.ok(!JSON.stringify(store.find('alice', 'localhost')).includes('wonderland'));
  });

  it('reads htdigest lines of its realm and tells which it cannot read', () => {
    const store = new MemoryCredentialStore();
    const hash = ha1('alice', 'localhost', 'wonderland');
    const text = `# users\nalice:localhost:${hash}\r\n\nbob:elsewhere:${hash}\nbroken\ncarol:localhost:xyz\ndave:localhost:${hash}:x\n`;
    assert.deepEqual(store.addHtdigest(text, 'localhost'), [5, 6, 7]);
    assert.equal(store.size, 1);
    assert.deepEqual(store.find('alice', 'localhost')?.ha1, { MD5: hash });
    assert.equal(store.find('alice', 'elsewhere'), undefined);
  });
});
