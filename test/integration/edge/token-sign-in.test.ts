import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { WebSocket } from 'ws';
import { RemoteKeys, type RemoteKeysTimes } from '../../../gateway/auth/remote-keys.js';
import { readKeys } from '../../../gateway/config/signing-keys.js';
import { TokenAuth, type TokenAuthOptions } from '../../../gateway/auth/token-auth.js';
import { systemClock, type Clock } from '../../../sip/clock.js';
import { startEdgeFixture, type EdgeFixture } from '../../support/edge-fixture.js';
import { FakeClock } from '../../support/fake-clock.js';
import { forgedToken, TokenIssuer } from '../../support/token-issuer.js';
import { WsSipClient } from '../../support/ws-sip-client.js';
import type { SipResponse } from '../../../sip/message/index.js';

describe('signing in with a token', () => {
  let issuer: TokenIssuer;
  let fixture: EdgeFixture;
  let fetches: (string | undefined)[];

  const open = async (
    options: Partial<TokenAuthOptions> = {},
    times: Partial<RemoteKeysTimes> = {},
    clock: Clock = systemClock,
  ) => {
    fetches = [];
    const fetched = (why: string | undefined): number => fetches.push(why);
    const keys = new RemoteKeys({ url: issuer.jwksUrl, clock, fetched, times });
    const auth = new TokenAuth({
      keys,
      algorithms: ['ES256', 'RS256'],
      audience: 'webtrunk',
      issuer: undefined,
      aorClaim: 'sip_aor',
      onlyDomain: 'localhost',
      leewayMs: 0,
      authzServer: 'https://id.example.com',
      clock: systemClock,
      ...options,
    });
    fixture = await startEdgeFixture({
      tokens: { auth, domains: new Set(['localhost']), cookie: 'sip_token' },
    });
  };

  const registerWith = async (client: WsSipClient, token: string): Promise<SipResponse> =>
    client.transact(client.registerText({ headers: [`Authorization: Bearer ${token}`] }));

  /** The status, and what the challenge says is wrong. */
  const refusalOf = async (token: string): Promise<readonly [number, string | undefined]> => {
    const client = await fixture.connect();
    const response = await registerWith(client, token);
    await client.close();
    const challenge = response.headers.get('www-authenticate') ?? '';
    return [response.status, /error_description="([^"]*)"/.exec(challenge)?.[1]];
  };

  beforeEach(async () => {
    issuer = await TokenIssuer.start();
  });

  afterEach(async () => {
    await fixture.close();
    await issuer.close();
    assert.deepEqual(fixture.log.errors, []);
    const left = Object.entries(fixture.sizes()).filter(([, size]) => size !== 0);
    assert.deepEqual(left, []);
  });

  it('asks for a token, and takes one that is right (RFC 8898)', async () => {
    await open();
    const client = await fixture.connect();
    const challenged = await client.transact(client.registerText());
    assert.equal(challenged.status, 401);
    assert.equal(
      challenged.headers.get('www-authenticate'),
      'Bearer realm="localhost", authz_server="https://id.example.com"',
    );
    const response = await registerWith(client, await issuer.sign());
    assert.equal(response.status, 200);
    assert.equal(fixture.location.find('sip:alice@localhost').length, 1);
    assert.equal((await registerWith(client, await issuer.sign())).status, 200);
    assert.equal(issuer.asked, 1);
  });

  it('lets no binding outlive the token', async () => {
    await open();
    const client = await fixture.connect();
    const response = await client.transact(
      client.registerText({
        expires: 600,
        headers: [`Authorization: Bearer ${await issuer.sign({ expiresIn: 20 })}`],
      }),
    );
    assert.match(response.headers.get('contact') ?? '', /;expires=(?:19|20)$/);
  });

  it('says what is wrong with a token', async () => {
    await open({ issuer: 'https://id.example.com' });
    const iss = 'https://id.example.com';
    const claims = {
      sip_aor: 'sip:alice@localhost',
      aud: 'webtrunk',
      iss,
      exp: Math.floor(Date.now() / 1_000) + 60,
    };
    const signature = Buffer.alloc(64, 7).toString('base64url');
    const shared = forgedToken({ alg: 'HS256', kid: 'key-1' }, claims);
    const hmac = createHmac('sha256', await issuer.publicKey)
      .update(shared.slice(0, -1))
      .digest('base64url');
    const cases: readonly (readonly [string, string])[] = [
      [await issuer.sign({ iss, expiresIn: -2 }), 'the token has expired'],
      [await issuer.sign({ iss, aud: 'somebody' }), 'the token is for another audience'],
      [await issuer.sign({ iss: 'https://evil.example' }), 'the token is of another issuer'],
      [forgedToken({ alg: 'none' }, claims), 'the token is signed with an algorithm that is not allowed'],
      [`${shared}${hmac}`, 'the token is signed with an algorithm that is not allowed'],
      [forgedToken({ alg: 'ES256', kid: 'key-1' }, claims, signature), 'the signature of the token is wrong'],
      [
        forgedToken({ alg: 'ES256', kid: 'key-9' }, claims, signature),
        'the token is signed with an unknown key',
      ],
      [await issuer.sign({ iss, sip_aor: '<not a uri>@' }), 'the token names no SIP user'],
      ['nonsense', 'the token cannot be read'],
    ];
    for (const [token, words] of cases) assert.deepEqual(await refusalOf(token), [401, words]);
    const logged = JSON.stringify(fixture.events.all);
    for (const [token] of cases) assert.ok(!logged.includes(token), 'a token is in the log');
  });

  it('refuses a token of another user, and locks the address out that keeps on trying', async () => {
    await open();
    const bobs = await issuer.sign({ sip_aor: 'sip:bob@localhost' });
    for (let tries = 0; tries < 10; tries += 1) assert.equal((await refusalOf(bobs))[0], 403);
    assert.equal((await refusalOf(await issuer.sign()))[0], 503);
  });

  it('looks at no token for another user on a flow that has signed in', async () => {
    await open();
    const client = await fixture.connect();
    assert.equal((await registerWith(client, await issuer.sign())).status, 200);
    const answers: (readonly [number, string])[] = [];
    for (const token of [await issuer.sign({ sip_aor: 'sip:bob@localhost' }), 'wrong']) {
      const headers = [
        'From: <sip:bob@localhost>;tag=x',
        'To: <sip:bob@localhost>',
        `Authorization: Bearer ${token}`,
      ];
      const { status, reason } = await client.transact(client.registerText({ headers }));
      answers.push([status, reason]);
    }
    assert.deepEqual(answers[0]?.[0], 403);
    assert.deepEqual(answers[1], answers[0]);
    assert.equal(fixture.sizes()['failureWindows'], 0);
  });

  it('takes a bare user name, with any characters, for one of the only domain', async () => {
    await open();
    const client = await fixture.connect();
    assert.equal((await registerWith(client, await issuer.sign({ sip_aor: 'alice' }))).status, 200);
  });

  it('refuses From of somebody else after the token has proved who it is', async () => {
    await open();
    const client = await fixture.connect();
    await registerWith(client, await issuer.sign());
    const from = 'From: <sip:bob@localhost>;tag=1';
    const response = await client.transact(
      client.request('MESSAGE', 'sip:bob@localhost', { headers: [from] }),
    );
    assert.equal(response.status, 403);
  });

  it('finds a new key with one fetch, and asks no more than once in the cooldown', async () => {
    const clock = new FakeClock();
    await open({}, { cooldownMs: 30_000 }, clock);
    const client = await fixture.connect();
    assert.equal((await registerWith(client, await issuer.sign())).status, 200);
    clock.advance(30_000);
    await issuer.rotate();
    const fresh = await issuer.sign();
    const answers = await Promise.all([registerWith(client, fresh), refusalOf(fresh), refusalOf(fresh)]);
    assert.equal(answers[0].status, 200);
    assert.equal(issuer.asked, 2);
    await issuer.rotate({ shown: false });
    const unknown = await issuer.sign();
    assert.deepEqual(await refusalOf(unknown), [401, 'the token is signed with an unknown key']);
    assert.equal(issuer.asked, 2);
  });

  it('answers 503 while the keys cannot be had, and goes on with those it has', async () => {
    await open({}, { cooldownMs: 0, retryMs: 50 });
    issuer.status = 500;
    const client = await fixture.connect();
    const response = await registerWith(client, await issuer.sign());
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '1');
    assert.deepEqual(fetches, ['answered 500']);
    assert.equal((await registerWith(client, await issuer.sign())).status, 503);
    assert.equal(issuer.asked, 1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    issuer.status = 200;
    assert.equal((await registerWith(client, await issuer.sign())).status, 200);
    issuer.status = 500;
    assert.equal((await registerWith(client, await issuer.sign())).status, 200);
    await issuer.rotate();
    assert.equal((await registerWith(client, await issuer.sign())).status, 503);
  });

  it('takes the token from the upgrade: query, cookie or subprotocol', async () => {
    await open();
    const token = await issuer.sign();
    const openings: readonly (() => WebSocket)[] = [
      () => new WebSocket(`${fixture.url}?access_token=${token}`, 'sip'),
      () => new WebSocket(fixture.url, ['sip', `bearer.${token}`]),
      () => new WebSocket(fixture.url, 'sip', { headers: { cookie: `a=b; sip_token=${token}` } }),
    ];
    for (const [index, begin] of openings.entries()) {
      const socket = begin();
      const client = await WsSipClient.over(socket, {
        user: 'alice',
        password: '',
        contactUser: `a${index}`,
      });
      assert.equal(socket.protocol, 'sip');
      assert.equal((await client.transact(client.registerText())).status, 200);
      await client.close();
    }
    assert.ok(!JSON.stringify(fixture.events.all).includes(token));
  });

  it('ends the registration and the flow when the token ends, but not when a fresh one has come', async () => {
    await open();
    const [stays, goes] = [
      await fixture.connect({ contactUser: 'one' }),
      await fixture.connect({ contactUser: 'two' }),
    ];
    for (const client of [stays, goes]) {
      assert.equal((await registerWith(client, await issuer.sign({ expiresIn: 2 }))).status, 200);
    }
    assert.equal((await registerWith(stays, await issuer.sign())).status, 200);
    assert.deepEqual(await goes.closed, { code: 4401, reason: 'the token has expired' });
    await fixture.events.seen('flowClosed');
    assert.equal(fixture.edge.flows.size, 1);
    const bound = fixture.location.find('sip:alice@localhost').map(({ contactUri }) => contactUri);
    assert.equal(bound.length, 1);
    assert.match(bound[0] ?? '', /one@/);
    assert.equal(fixture.events.of('flowClosed')[0]?.cause, 'token_expired');
  });

  it('takes a PEM key in place of a URL', async () => {
    await open({ keys: await readKeys(await issuer.publicKey, ['RS256', 'ES256']) });
    const client = await fixture.connect();
    assert.equal((await registerWith(client, await issuer.sign())).status, 200);
    assert.equal(issuer.asked, 0);
  });
});
