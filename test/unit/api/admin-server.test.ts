import assert from 'node:assert/strict';
import { createAdminServer, startAdminServer } from '../../../gateway/api/admin-server.js';
import type { Inspection, RowSource } from '../../../gateway/api/inspection.js';
import { Secret } from '../../../gateway/config/secret.js';
import { FakeClock } from '../../support/fake-clock.js';
import { Metrics } from '../../../gateway/telemetry/metrics.js';

function source<Row>(...rows: Row[]): RowSource<Row> {
  return { size: rows.length, rows: () => rows };
}

const call = {
  callId: 'c_1',
  state: 'established',
  side: 'browser',
  from: 'sip:alice@localhost',
  dialled: 'sip:600@localhost',
  callee: 'echo sip:127.0.0.1:5090',
  startedAt: '2025-01-01T00:00:00.000Z',
} as const;

function serve(changes: { ready?: boolean; token?: string; broken?: boolean } = {}) {
  const defects: unknown[] = [];
  const tokensRefused: string[] = [];
  const clock = new FakeClock();
  const inspection: Inspection = {
    ready: changes.ready ?? true,
    sizes() {
      if (changes.broken === true) throw new Error('secret detail');
      return { calls: 1, flows: 0 };
    },
    tables: {
      flows: source(),
      endpoints: source(),
      bindings: source(),
      calls: source(call, { ...call, callId: 'c_2' }, { ...call, callId: 'c_3' }),
      trunks: source(),
    },
  };
  const metrics = new Metrics();
  metrics.watchTables(() => ({ calls: 1 }));
  const token = changes.token === undefined ? undefined : new Secret(changes.token);
  const options = {
    listen: { address: '127.0.0.1', port: 0, token },
    inspection,
    metrics,
    events: {
      defect: (defect: { error: unknown }) => defects.push(defect.error),
      tokenRefused: ({ token: which }: { token: string }) => tokensRefused.push(which),
    },
    clock,
    reload: () => Promise.resolve({ applied: ['trunks.office'], needsRestart: [] }),
  };
  return { options, defects, tokensRefused, clock, server: createAdminServer(options) };
}

const local = { host: '127.0.0.1:8081' };

describe('admin server', () => {
  it('is healthy while it answers, ready when calls can be taken', async () => {
    const { server } = serve();
    assert.equal((await server.inject('/healthz')).statusCode, 200);
    assert.equal((await server.inject('/readyz')).statusCode, 200);
    const stopping = serve({ ready: false }).server;
    assert.equal((await stopping.inject('/healthz')).statusCode, 200);
    const answer = await stopping.inject('/readyz');
    assert.equal(answer.statusCode, 503);
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
  });

  it('shows metrics in the Prometheus text format', async () => {
    const answer = await serve().server.inject({ url: '/metrics', headers: local });
    assert.match(String(answer.headers['content-type']), /^text\/plain/);
    assert.match(answer.body, /^webtrunk_table_size\{table="calls"\} 1$/m);
  });

  it('shows the size of every table', async () => {
    const answer = await serve().server.inject({ url: '/api/v1/inspect', headers: local });
    assert.deepEqual(answer.json(), { calls: 1, flows: 0 });
  });

  it('lists rows up to the limit and says how many there are', async () => {
    const answer = await serve().server.inject({ url: '/api/v1/calls?limit=2', headers: local });
    assert.deepEqual(answer.json(), { total: 3, calls: [call, { ...call, callId: 'c_2' }] });
  });

  for (const name of ['flows', 'endpoints', 'bindings', 'trunks']) {
    it(`lists ${name}`, async () => {
      const answer = await serve().server.inject({ url: `/api/v1/${name}`, headers: local });
      assert.deepEqual(answer.json(), { total: 0, [name]: [] });
    });
  }

  for (const limit of ['0', '1001', 'x', '-1', '']) {
    it(`refuses the limit "${limit}"`, async () => {
      const answer = await serve().server.inject({ url: `/api/v1/calls?limit=${limit}`, headers: local });
      assert.equal(answer.statusCode, 400);
      assert.equal(answer.json<{ detail: string }>().detail, 'limit is a number from 1 to 1000');
    });
  }

  it('answers with a problem where there is nothing', async () => {
    const answer = await serve().server.inject({ url: '/nothing', headers: local });
    assert.deepEqual(answer.json(), {
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'there is nothing here',
    });
  });

  it('asks for the token, health aside, and tells of requests without it', async () => {
    const { server, tokensRefused } = serve({ token: 's3cret' });
    for (const url of ['/', '/metrics', '/api/v1/inspect', '/api/v1/calls']) {
      const refused = await server.inject({ url, headers: local });
      assert.equal(refused.statusCode, 401, url);
      assert.equal(refused.headers['www-authenticate'], 'Bearer realm="webtrunk"');
      const wrong = await server.inject({ url, headers: { ...local, authorization: 'Bearer s3cres' } });
      assert.equal(wrong.statusCode, 401, url);
      const right = await server.inject({ url, headers: { ...local, authorization: 'Bearer s3cret' } });
      assert.equal(right.statusCode, 200, url);
    }
    assert.equal((await server.inject('/healthz')).statusCode, 200);
    assert.deepEqual(
      tokensRefused,
      Array.from({ length: 8 }, () => 'admin'),
    );
  });

  it('answers 429 for the rest of the minute to an address that has sent ten wrong tokens, and to no other', async () => {
    const { server, tokensRefused, clock } = serve({ token: 's3cret' });
    const ask = async (authorization: string | undefined, remoteAddress = '192.0.2.1') => {
      const headers = authorization === undefined ? local : { ...local, authorization };
      return server.inject({ url: '/api/v1/calls', headers, remoteAddress });
    };
    for (let guess = 0; guess < 10; guess += 1) {
      assert.equal((await ask(undefined)).statusCode, 401);
      assert.equal((await ask(`Bearer guess${guess}`)).statusCode, 401);
    }
    clock.advance(20_000);
    const locked = await ask('Bearer s3cret');
    assert.equal(locked.statusCode, 429);
    assert.equal(locked.headers['retry-after'], '40');
    assert.equal((await ask('Bearer s3cret', '192.0.2.2')).statusCode, 200);
    assert.equal((await server.inject({ url: '/healthz', remoteAddress: '192.0.2.1' })).statusCode, 200);
    clock.advance(40_000);
    assert.equal((await ask('Bearer s3cret')).statusCode, 200);
    const count = (token: string): number => tokensRefused.filter((refused) => refused === token).length;
    assert.deepEqual([count('admin'), count('admin_locked')], [20, 1]);
  });

  it('without a token answers nobody who comes by a foreign host name', async () => {
    const { server } = serve();
    const foreign = await server.inject({
      url: '/api/v1/calls',
      headers: { host: 'rebound.example.com:8081' },
    });
    assert.equal(foreign.statusCode, 403);
    for (const host of ['localhost:8081', '[::1]:8081', '127.0.0.1']) {
      assert.equal((await server.inject({ url: '/api/v1/calls', headers: { host } })).statusCode, 200, host);
    }
  });

  it('hides the detail of a defect from the caller and tells the log', async () => {
    const { server, defects } = serve({ broken: true });
    const answer = await server.inject({ url: '/api/v1/inspect', headers: local });
    assert.equal(answer.statusCode, 500);
    assert.equal(answer.body.includes('secret detail'), false);
    assert.equal(defects.length, 1);
  });

  it('listens on a real port and closes', async () => {
    const server = await startAdminServer(serve().options);
    const answer = await fetch(`http://127.0.0.1:${server.port}/healthz`);
    assert.deepEqual(await answer.json(), { status: 'ok' });
    await server.close();
    await assert.rejects(fetch(`http://127.0.0.1:${server.port}/healthz`));
  });

  it('reads the configuration again when it is asked to, but not by a web page', async () => {
    const { server } = serve();
    const post = (headers: Record<string, string>) =>
      server.inject({ method: 'POST', url: '/api/v1/reload', headers });
    const done = await post(local);
    assert.deepEqual([done.statusCode, done.json()], [200, { applied: ['trunks.office'], needsRestart: [] }]);
    assert.equal((await post({ ...local, origin: 'https://evil.example' })).statusCode, 403);
  });

  it('tells what is wrong with a configuration that cannot be read again', async () => {
    const { options } = serve();
    const reload = () => Promise.reject(new Error('webtrunk.yaml: 1 problem'));
    const server = createAdminServer({ ...options, reload });
    const refused = await server.inject({ method: 'POST', url: '/api/v1/reload', headers: local });
    assert.equal(refused.statusCode, 422);
    assert.match(refused.body, /1 problem/);
  });
});
