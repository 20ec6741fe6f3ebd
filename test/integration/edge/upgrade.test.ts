import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { startEdgeFixture, type EdgeFixture, type EdgeFixtureOptions } from '../../support/edge-fixture.js';
import { makeTestCertificate } from '../../support/test-certificate.js';

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const handshake = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol': 'sip',
};

describe('the gates of the WebSocket upgrade', () => {
  let fixture: EdgeFixture;

  const open = async (options: EdgeFixtureOptions = {}): Promise<void> => {
    fixture = await startEdgeFixture(options);
  };

  /** Sends an upgrade by hand and gives the HTTP answer, which may be 101. */
  const upgrade = async (
    headers: Record<string, string | undefined> = {},
    { path = '/ws', method = 'GET' } = {},
  ): Promise<Answer> => {
    const port = fixture.edge.servers[0]?.port ?? 0;
    const sent = Object.entries({ ...handshake, ...headers }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const asked = request({ host: '127.0.0.1', port, path, method, headers: Object.fromEntries(sent) }).end();
    return new Promise((resolve, reject) => {
      asked.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '' });
      });
      asked.on('response', (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      });
      asked.on('error', reject);
    });
  };

  afterEach(async () => {
    await fixture.close();
    assert.deepEqual(fixture.log.errors, []);
    assert.equal(fixture.edge.flows.size, 0);
  });

  it('accepts the subprotocol sip at /ws and at /', async () => {
    await open();
    for (const path of ['/ws', '/', '/ws?token=x']) {
      const { status, headers } = await upgrade({}, { path });
      assert.equal(status, 101);
      assert.equal(headers['sec-websocket-protocol'], 'sip');
    }
  });

  it('chooses sip among several subprotocols', async () => {
    await open();
    const { headers } = await upgrade({ 'Sec-WebSocket-Protocol': 'xmpp, sip' });
    assert.equal(headers['sec-websocket-protocol'], 'sip');
  });

  for (const offered of [undefined, 'xmpp', 'SIPS, sipx']) {
    it(`answers 400 with the reason when the subprotocols are ${offered ?? 'absent'}`, async () => {
      await open();
      const { status, body } = await upgrade({ 'Sec-WebSocket-Protocol': offered });
      assert.equal(status, 400);
      assert.match(body, /RFC 7118/);
      assert.equal(fixture.events.of('upgradeRefused')[0]?.cause, 'subprotocol');
    });
  }

  it('answers 404 to another path and serves pages to plain requests', async () => {
    await open();
    assert.equal((await upgrade({}, { path: '/api' })).status, 404);
    const page = await fetch(fixture.url.replace('ws:', 'http:'));
    assert.equal(await page.text(), 'page');
  });

  it('answers 426 to another WebSocket version and 400 to a bad key or another protocol', async () => {
    await open();
    const { status, headers } = await upgrade({ 'Sec-WebSocket-Version': '8' });
    assert.equal(status, 426);
    assert.equal(headers['sec-websocket-version'], '13');
    assert.equal((await upgrade({ 'Sec-WebSocket-Key': 'short' })).status, 400);
    assert.equal((await upgrade({ Upgrade: 'h2c' })).status, 400);
    assert.equal((await upgrade({}, { method: 'POST' })).status, 405);
  });

  it('lets pages of its own host in when no origins are configured, and no others', async () => {
    await open();
    const host = new URL(fixture.url).host;
    assert.equal((await upgrade({ Origin: `http://${host}` })).status, 101);
    assert.equal((await upgrade({ Origin: 'http://evil.example' })).status, 403);
    assert.equal((await upgrade({ Origin: 'null' })).status, 403);
    assert.equal((await upgrade()).status, 101);
  });

  it('lets the configured origins in and no others', async () => {
    await open({ origins: ['https://phone.example.com'] });
    const host = new URL(fixture.url).host;
    assert.equal((await upgrade({ Origin: 'https://phone.example.com' })).status, 101);
    assert.equal((await upgrade({ Origin: 'https://phone.example.com.evil.example' })).status, 403);
    assert.equal((await upgrade({ Origin: `http://${host}` })).status, 403);
  });

  it('answers 429 to one flow too many of an address, until one has gone', async () => {
    await open({ limits: { maxFlowsPerAddress: 2 } });
    const first = await fixture.connect();
    await fixture.connect();
    const { status, headers } = await upgrade();
    assert.equal(status, 429);
    assert.ok(headers['retry-after']);
    await first.close();
    await fixture.events.seen('flowClosed');
    assert.equal((await upgrade()).status, 101);
  });

  it('answers 503 when it has as many flows as it may', async () => {
    await open({ limits: { maxFlows: 1 } });
    await fixture.connect();
    assert.equal((await upgrade()).status, 503);
  });

  it('answers 503 with Retry-After while draining and closes flows without a call with 1001', async () => {
    await open();
    const client = await fixture.connect();
    await client.register();
    fixture.edge.drain();
    assert.equal((await client.closed).code, 1001);
    const { status, headers } = await upgrade();
    assert.equal(status, 503);
    assert.ok(headers['retry-after']);
  });

  it('survives a client that resets the connection in the middle of its upgrade', async () => {
    await open({ origins: ['https://phone.example.com'] });
    const port = fixture.edge.servers[0]?.port ?? 0;
    for (let round = 0; round < 20; round += 1) {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      const lines = Object.entries({ ...handshake, Host: 'x', Origin: 'https://evil.example' });
      socket.write(
        `GET /ws HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
      );
      socket.resetAndDestroy();
    }
    assert.equal((await upgrade({ Origin: 'https://phone.example.com' })).status, 101);
  });

  it('has no connection on its books once it has sent a request', async () => {
    await open();
    const { hostname, port } = new URL(fixture.url);
    const silent = connect(Number(port), hostname);
    await once(silent, 'connect');
    await upgrade();
    assert.equal(fixture.sizes()['newcomers'], 1);
    const closed = once(silent.resume(), 'close');
    await fixture.close();
    await closed;
    assert.equal(fixture.sizes()['newcomers'], 0);
  });

  it('cuts the connection that has said nothing for longest, not the one that comes when there are too many', async () => {
    await open({ limits: { maxUnauthenticated: 2 } });
    const { hostname, port } = new URL(fixture.url);
    const silent: Socket[] = [];
    for (let count = 0; count < 2; count += 1) {
      const socket = connect(Number(port), hostname).on('error', () => undefined);
      silent.push(socket.resume());
      await once(socket, 'connect');
    }
    const [oldest] = silent;
    assert.ok(oldest);
    const remote = `127.0.0.1:${oldest.localPort}`;
    const closed = once(oldest, 'close');
    assert.equal((await upgrade()).status, 101);
    await closed;
    assert.deepEqual(fixture.events.of('connectionCut'), [{ cause: 'crowded_out', remote }]);
    for (const socket of silent) socket.destroy();
  });

  it('speaks TLS 1.2 or later on a secure listener and calls its flows WSS', async function () {
    const tls = makeTestCertificate();
    await open(tls === undefined ? {} : { listen: [{ address: '127.0.0.1', port: 0, tls }] });
    if (tls === undefined) return this.skip();
    const socket = new WebSocket(fixture.url, 'sip', { rejectUnauthorized: false });
    await once(socket, 'open');
    assert.equal(fixture.events.of('flowOpened')[0]?.transport, 'WSS');
    const old = new WebSocket(fixture.url, 'sip', {
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1.1',
    });
    const [error] = (await once(old, 'error')) as [Error];
    assert.match(error.message, /protocol|alert|ssl/i);
    socket.close();
    await once(socket, 'close');
  });
});
