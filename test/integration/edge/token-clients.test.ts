import assert from 'node:assert/strict';
import JsSIP from 'jssip';
import { Registerer, RegistererState, UserAgent } from 'sip.js';
import { WebSocket } from 'ws';
import { createTokenOptions } from '../../../gateway/create-token-auth.js';
import { systemClock } from '../../../sip/clock.js';
import { failure } from '../../../sip/failure.js';
import type { IncomingCall } from '../../../sip/leg.js';
import { RecordedEvents, startEdgeFixture, type EdgeFixture } from '../../support/edge-fixture.js';
import { TokenIssuer } from '../../support/token-issuer.js';

const aor = 'sip:alice@localhost';

describe('clients that bring tokens', () => {
  let issuer: TokenIssuer;
  let fixture: EdgeFixture;
  let held: IncomingCall[];
  const before = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');

  beforeEach(async () => {
    Object.defineProperty(globalThis, 'WebSocket', { value: WebSocket, configurable: true });
    issuer = await TokenIssuer.start();
    held = [];
    const config = {
      domains: [{ name: 'localhost', usesTokens: true, users: [], htdigest: undefined }],
      jwt: {
        keys: { kind: 'text' as const, text: await issuer.publicKey },
        algorithms: ['ES256' as const],
        audience: 'webtrunk',
        issuer: undefined,
        aorClaim: 'sip_aor',
        leewayMs: 0,
        cookie: undefined,
        authzServer: undefined,
        loginUrl: undefined,
      },
    };
    const tokens = await createTokenOptions(config, new RecordedEvents().sink, systemClock);
    assert.ok(tokens);
    fixture = await startEdgeFixture({
      tokens,
      hooks: { incomingCall: (_endpoint, call) => void held.push(call) },
    });
  });

  afterEach(async () => {
    await fixture.close();
    await issuer.close();
    if (before === undefined) Reflect.deleteProperty(globalThis, 'WebSocket');
    else Object.defineProperty(globalThis, 'WebSocket', before);
    assert.deepEqual(fixture.log.errors, []);
    const left = Object.entries(fixture.sizes()).filter(([, size]) => size > 0);
    assert.deepEqual(left, []);
  });

  it('registers sip.js with the token as an extra header', async () => {
    const uri = UserAgent.makeURI(aor);
    assert.ok(uri);
    const transportOptions = { server: fixture.url };
    const agent = new UserAgent({ uri, logLevel: 'error', transportOptions });
    await agent.start();
    const registerer = new Registerer(agent, {
      extraHeaders: [`Authorization: Bearer ${await issuer.sign()}`],
    });
    await registerer.register();
    while (registerer.state !== RegistererState.Registered) {
      await new Promise<void>((resolve) =>
        registerer.stateChange.addListener(() => resolve(), { once: true }),
      );
    }
    assert.equal(fixture.location.find(aor).length, 1);
    await agent.stop();
  });

  it('registers JsSIP with the token as an extra header', async () => {
    const agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(fixture.url)],
      uri: aor,
      register: false,
    });
    const connected = new Promise<void>((resolve) => agent.once('connected', () => resolve()));
    agent.start();
    await connected;
    agent.registrator().setExtraHeaders([`Authorization: Bearer ${await issuer.sign()}`]);
    const registered = new Promise<void>((resolve) => agent.once('registered', () => resolve()));
    agent.register();
    await registered;
    assert.equal(fixture.location.find(aor).length, 1);
    const closed = fixture.events.seen('flowClosed');
    agent.stop();
    await closed;
  });

  it('keeps the flow of a call whose token has ended, for nothing new, until the call has ended', async () => {
    const client = await fixture.connect();
    const headers = [`Authorization: Bearer ${await issuer.sign({ expiresIn: 2 })}`];
    assert.equal((await client.transact(client.registerText({ headers }))).status, 200);
    client.send(client.request('INVITE', 'sip:bob@localhost', { headers: ['To: <sip:bob@localhost>'] }));
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const ask = () => {
      const headers = ['To: <sip:bob@localhost>', 'Call-ID: another-call'];
      return client.transact(client.request('MESSAGE', 'sip:bob@localhost', { headers }));
    };
    let answer = await ask();
    assert.equal(answer.status, 200);
    while (answer.status !== 401) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      answer = await ask();
    }
    assert.equal(fixture.location.find(aor).length, 0);
    assert.match(answer.headers.get('www-authenticate') ?? '', /error="invalid_token"/);
    assert.equal(fixture.edge.flows.size, 1);
    held[0]?.leg.reject(failure('route.no_match'));
    assert.equal((await client.closed).code, 4401);
    await fixture.events.seen('flowClosed');
  });
});
