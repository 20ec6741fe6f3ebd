import assert from 'node:assert/strict';
import { startEdgeFixture, type EdgeFixture } from '../../support/edge-fixture.js';

const instanceId = '<urn:uuid:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0>';

describe('registration over a WebSocket', () => {
  let fixture: EdgeFixture;

  beforeEach(async () => {
    fixture = await startEdgeFixture();
  });

  afterEach(async () => {
    await fixture.close();
    assert.deepEqual(fixture.log.errors, []);
    assert.deepEqual(
      Object.entries(fixture.sizes()).filter(([, size]) => size !== 0),
      [],
    );
  });

  it('challenges, then binds the contact and lists it with its own expiry', async () => {
    const client = await fixture.connect({ instanceId });
    const challenged = await client.transact(client.registerText());
    assert.equal(challenged.status, 401);
    assert.match(
      challenged.headers.get('www-authenticate') ?? '',
      /^Digest realm="localhost", nonce="[^"]+", algorithm=MD5, qop="auth"$/,
    );
    const authorization = client.authorize(challenged, 'REGISTER', client.registrarUri);
    const response = await client.transact(
      client.registerText(
        { expires: 120, headers: ['Supported: path, outbound', 'Path: <sip:edge.invalid;lr>'] },
        [authorization],
      ),
    );
    assert.equal(response.status, 200);
    assert.equal(
      response.headers.get('contact'),
      `<sip:alice@${client.contactHost};transport=ws>;expires=120;+sip.instance="${instanceId}";reg-id=1`,
    );
    assert.equal(response.headers.get('path'), '<sip:edge.invalid;lr>');
    assert.equal(response.headers.get('require'), 'outbound');
    assert.equal(response.headers.get('flow-timer'), '50');
    assert.ok(Math.abs(Date.parse(response.headers.get('date') ?? '') - Date.now()) < 2_000);
    assert.match(response.headers.get('via') ?? '', /;rport=\d+.*;received=127\.0\.0\.1/);
    const [binding] = fixture.location.find('sip:alice@localhost');
    assert.equal(binding?.instanceId, instanceId);
    assert.equal(binding?.regId, 1);
    assert.deepEqual(binding?.path, ['<sip:edge.invalid;lr>']);
    assert.equal(fixture.endpoints.find(binding?.endpointId ?? '')?.attached, true);
    assert.equal(fixture.events.of('registered').length, 1);
    assert.equal((await client.register({ expires: 0 })).headers.get('contact'), undefined);
  });

  it('leaves no endpoint behind when a client has unregistered and gone', async () => {
    const client = await fixture.connect();
    await client.register();
    await client.register({ expires: 0 });
    await client.close();
    await fixture.events.seen('flowClosed');
    assert.deepEqual(fixture.endpoints.sizes().endpoints, 0);
  });

  it('answers a wrong password and an unknown user alike with 403', async () => {
    const wrong = await (await fixture.connect()).register({}, { password: 'guess' });
    const unknown = await (await fixture.connect({ user: 'mallory' })).register({}, { password: 'guess' });
    assert.equal(wrong.status, 403);
    assert.equal(unknown.status, 403);
    assert.equal(unknown.reason, wrong.reason);
    assert.equal(fixture.location.size, 0);
    assert.equal(fixture.events.of('registrationRefused').length, 2);
  });

  it('asks again with stale=true when the nonce was used with that count before', async () => {
    const client = await fixture.connect();
    const challenged = await client.transact(client.registerText());
    const authorization = client.authorize(challenged, 'REGISTER', client.registrarUri);
    assert.equal((await client.transact(client.registerText({}, [authorization]))).status, 200);
    const replayed = await client.transact(client.registerText({}, [authorization]));
    assert.equal(replayed.status, 401);
    assert.match(replayed.headers.get('www-authenticate') ?? '', /stale=true/);
    const counted = client.authorize(challenged, 'REGISTER', client.registrarUri, { nc: 2 });
    assert.equal((await client.transact(client.registerText({}, [counted]))).status, 200);
  });

  it('takes no nonce of another flow', async () => {
    const first = await fixture.connect();
    const second = await fixture.connect();
    const challenged = await first.transact(first.registerText());
    const authorization = second.authorize(challenged, 'REGISTER', second.registrarUri);
    const response = await second.transact(second.registerText({}, [authorization]));
    assert.equal(response.status, 401);
    assert.match(response.headers.get('www-authenticate') ?? '', /stale=true/);
    const renewed = second.authorize(response, 'REGISTER', second.registrarUri);
    assert.equal((await second.transact(second.registerText({}, [renewed]))).status, 200);
  });

  it('removes every binding for Contact: * with Expires: 0', async () => {
    const phone = await fixture.connect();
    const tablet = await fixture.connect();
    await phone.register();
    await tablet.register();
    assert.equal(fixture.location.find('sip:alice@localhost').length, 2);
    const response = await phone.register({ contacts: ['*'], expires: 0 });
    assert.equal(response.status, 200);
    assert.equal(response.headers.has('contact'), false);
    assert.equal(fixture.location.size, 0);
  });

  it('answers 400 to Contact: * with another expiry', async () => {
    const client = await fixture.connect();
    await client.register();
    assert.equal((await client.register({ contacts: ['*'], expires: 600 })).status, 400);
    assert.equal(fixture.location.size, 1);
  });

  it('answers 423 with Min-Expires to an expiry that is too brief', async () => {
    const client = await fixture.connect();
    const response = await client.register({ expires: 59 });
    assert.equal(response.status, 423);
    assert.equal(response.headers.get('min-expires'), '60');
    assert.equal(fixture.location.size, 0);
  });

  it('reads contacts only of those who have the password', async () => {
    const client = await fixture.connect();
    const contacts = ['<sip:unclosed'];
    assert.equal((await client.transact(client.registerText({ contacts }))).status, 401);
    assert.equal((await client.register({ contacts })).status, 400);
    assert.equal(fixture.location.size, 0);
  });

  it('refuses a domain that is not served and a registration for somebody else', async () => {
    const stranger = await fixture.connect({ domain: 'elsewhere.example' });
    assert.equal((await stranger.transact(stranger.registerText())).status, 404);
    const client = await fixture.connect();
    const headers = ['To: <sip:bob@localhost>', `Contact: ${client.contact}`];
    const forBob = client.request('REGISTER', client.registrarUri, { headers });
    assert.equal((await client.transact(forBob)).status, 403);
  });

  it('answers 403 to another user on a flow that has signed in, whatever the credentials', async () => {
    const bob = await fixture.connect({ user: 'bob', password: 'builder' });
    const overheard = await bob.transact(bob.registerText());
    const client = await fixture.connect();
    const challenged = await client.transact(client.registerText());
    const own = client.authorize(challenged, 'REGISTER', client.registrarUri);
    assert.equal((await client.transact(client.registerText({}, [own]))).status, 200);
    const login = { user: 'bob', password: 'builder', nc: 2 };
    const credentials = [
      [],
      [client.authorize(challenged, 'REGISTER', client.registrarUri, login)],
      [client.authorize(challenged, 'REGISTER', client.registrarUri, { ...login, nc: 3, password: 'guess' })],
      [bob.authorize(overheard, 'REGISTER', client.registrarUri)],
    ];
    for (const lines of credentials) {
      const headers = ['From: <sip:bob@localhost>;tag=x', 'To: <sip:bob@localhost>', ...lines];
      const answer = await client.transact(client.registerText({ headers }));
      assert.deepEqual([answer.status, answer.reason], [403, 'Forbidden']);
      assert.equal(answer.headers.get('www-authenticate'), undefined);
    }
    assert.equal(fixture.sizes()['failureWindows'], 0);
    assert.equal(fixture.location.find('sip:bob@localhost').length, 0);
    assert.equal((await bob.register()).status, 200);
  });

  it('locks nobody out, however often a flow that has signed in guesses his password', async () => {
    const client = await fixture.connect();
    await client.register();
    const headers = ['From: <sip:bob@localhost>;tag=x', 'To: <sip:bob@localhost>'];
    for (let guess = 0; guess < 20; guess += 1) {
      assert.equal((await client.register({ headers }, { password: `guess ${guess}` })).status, 403);
    }
    const bob = await fixture.connect({ user: 'bob', password: 'builder' });
    assert.equal((await bob.register()).status, 200);
  });

  it('closes the older flow with 4408 when the same instance signs in again', async () => {
    const older = await fixture.connect({ instanceId });
    await older.register();
    const [before] = fixture.location.find('sip:alice@localhost');
    const newer = await fixture.connect({ instanceId });
    assert.equal((await newer.register()).status, 200);
    assert.equal((await older.closed).code, 4408);
    const bindings = fixture.location.find('sip:alice@localhost');
    assert.equal(bindings.length, 1);
    assert.equal(bindings[0]?.endpointId, before?.endpointId);
    assert.equal(fixture.endpoints.sizes().endpoints, 1);
  });

  it('leaves the older flow alone when only the instance-id is known to the other', async () => {
    const older = await fixture.connect({ instanceId });
    await older.register();
    const thief = await fixture.connect({ instanceId });
    assert.equal((await thief.register({}, { password: 'guess' })).status, 403);
    const bob = await fixture.connect({ user: 'bob', password: 'builder', instanceId });
    assert.equal((await bob.register()).status, 200);
    assert.equal((await older.register()).status, 200);
    assert.equal(fixture.endpoints.sizes().endpoints, 2);
  });

  it('answers 503 with Retry-After after too many failures, but not to those signed in', async () => {
    const signedIn = await fixture.connect();
    await signedIn.register();
    const guesser = await fixture.connect();
    for (let guess = 0; guess < 10; guess += 1) {
      assert.equal((await guesser.register({}, { password: `guess ${guess}` })).status, 403);
    }
    const locked = await guesser.register();
    assert.equal(locked.status, 503);
    assert.match(locked.headers.get('retry-after') ?? '', /^([1-9]|[1-5]\d|60)$/);
    assert.equal((await signedIn.register()).status, 200);
  });
});

describe('resumption of an endpoint', () => {
  it('goes on with the same endpoint when the instance comes back within the grace', async () => {
    const fixture = await startEdgeFixture({ graceMs: 60_000 });
    const before = await fixture.connect({ instanceId });
    await before.register();
    await before.close();
    await fixture.events.seen('flowClosed');
    assert.deepEqual([fixture.endpoints.sizes().endpoints, fixture.endpoints.sizes().detached], [1, 1]);
    const after = await fixture.connect({ instanceId });
    await after.register();
    assert.deepEqual([fixture.endpoints.sizes().endpoints, fixture.endpoints.sizes().detached], [1, 0]);
    assert.equal(fixture.events.of('endpointResumed')[0]?.replaced, false);
    await fixture.close();
  });

  it('forgets endpoint and bindings when the grace is over', async () => {
    const fixture = await startEdgeFixture({ graceMs: 20 });
    const client = await fixture.connect({ instanceId });
    await client.register();
    await client.close();
    const [unregistered] = await fixture.events.seen('unregistered');
    assert.equal(unregistered?.cause, 'endpoint_lost');
    assert.equal(fixture.endpoints.sizes().endpoints, 0);
    assert.equal(fixture.location.size, 0);
    await fixture.close();
  });
});
