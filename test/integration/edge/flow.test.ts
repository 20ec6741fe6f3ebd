import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { startEdgeFixture, type EdgeFixture, type EdgeFixtureOptions } from '../../support/edge-fixture.js';
import type { WsSipClient } from '../../support/ws-sip-client.js';

describe('a flow', () => {
  let fixture: EdgeFixture;

  const open = async (options: EdgeFixtureOptions = {}): Promise<WsSipClient> => {
    fixture = await startEdgeFixture(options);
    return fixture.connect();
  };

  /** A WebSocket made by hand that never reads once it is open. */
  const openDeaf = async (): Promise<Socket> => {
    const { hostname, port } = new URL(fixture.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n\r\n',
    );
    await once(socket, 'data');
    socket.pause();
    socket.on('error', () => undefined);
    return socket;
  };

  afterEach(async () => {
    await fixture.close();
    assert.deepEqual(fixture.log.errors, []);
    assert.deepEqual(fixture.edge.flows.sizes(), { flows: 0, unauthenticatedFlows: 0, addresses: 0 });
  });

  it('takes text and binary and answers in text', async () => {
    const client = await open();
    let isBinary: boolean | undefined;
    client.socket.on('message', (_data, binary) => (isBinary = binary));
    const options = client.request('OPTIONS', 'sip:localhost');
    client.send(Buffer.from(options), { binary: true });
    assert.match(await client.next(), /^SIP\/2\.0 200 /);
    assert.equal(isBinary, false);
    assert.equal((await client.transact(client.request('OPTIONS', 'sip:localhost'))).status, 200);
  });

  it('answers a double CRLF with a CRLF and ignores a single one', async () => {
    const client = await open();
    client.send('\r\n');
    client.send('');
    client.send('\r\n\r\n');
    client.send(client.request('OPTIONS', 'sip:localhost'));
    await client.next((text) => text.startsWith('SIP/2.0'));
    assert.equal(client.received[0], '\r\n');
    assert.equal(client.received.length, 2);
  });

  it('closes with 1009 what is longer than the limit, in one frame or in fragments', async () => {
    const client = await open({ limits: { maxMessageBytes: 4_096 } });
    client.send(`OPTIONS sip:localhost SIP/2.0\r\nSubject: ${'x'.repeat(4_096)}\r\n\r\n`);
    assert.equal((await client.closed).code, 1009);
    const other = await fixture.connect();
    for (let part = 0; part < 5; part += 1) other.socket.send('y'.repeat(1_000), { fin: false });
    assert.equal((await other.closed).code, 1009);
    assert.deepEqual(
      (await fixture.events.seen('flowClosed', 2)).map(({ cause }) => cause),
      ['size', 'size'],
    );
  });

  it('closes with 4429 who sends faster than allowed', async () => {
    const client = await open({ limits: { messagesPerSecond: 10, messageBurst: 20 } });
    for (let count = 0; count < 40; count += 1) client.send(client.request('OPTIONS', 'sip:localhost'));
    assert.equal((await client.closed).code, 4429);
    assert.ok(client.received.length >= 20 && client.received.length < 30, String(client.received.length));
  });

  it('closes with 4429 who floods it with WebSocket pings', async () => {
    const client = await open({ limits: { messagesPerSecond: 10, messageBurst: 20 } });
    for (let count = 0; count < 40 && client.socket.readyState === 1; count += 1) {
      const answered = Promise.race([once(client.socket, 'pong'), client.closed]);
      client.socket.ping();
      await answered;
    }
    assert.equal((await client.closed).code, 4429);
  });

  it('closes with 1009 a small frame that unpacks to more than the limit', async () => {
    await open({ perMessageDeflate: true, limits: { maxMessageBytes: 65_536 } });
    const client = await fixture.connect();
    assert.match(client.socket.extensions, /permessage-deflate/);
    assert.equal((await client.transact(client.request('OPTIONS', 'sip:localhost'))).status, 200);
    client.send('0'.repeat(20_000_000));
    assert.equal((await client.closed).code, 1009);
  });

  it('offers no compression unless it is told to', async () => {
    const client = await open();
    assert.equal(client.socket.extensions, '');
  });

  it('closes with 1008 or 1009 who sends a message in endless fragments', async () => {
    const client = await open();
    for (let part = 0; part < 1_000; part += 1) client.socket.send('', { fin: false });
    assert.ok([1008, 1009].includes((await client.closed).code));
  });

  it('closes with 4400 who goes on sending malformed SIP', async () => {
    const client = await open();
    assert.equal((await client.transact(client.request('OPTIONS', 'sip:localhost'))).status, 200);
    for (let count = 0; count < 30; count += 1) {
      client.send(client.request('OPTIONS', 'sip:localhost', { headers: ['CSeq: nonsense'] }));
    }
    assert.equal((await client.closed).code, 4400);
    assert.equal(client.received.filter((text) => text.startsWith('SIP/2.0 400')).length, 21);
  });

  it('closes with 1003 who does not speak SIP at all', async () => {
    const client = await open();
    for (let count = 0; count < 3; count += 1)
      client.send(Buffer.from([0, 255, 1, 254, count]), { binary: true });
    assert.equal((await client.closed).code, 1003);
    assert.equal(fixture.events.of('messageDropped').length, 3);
  });

  it('closes with 4401 who does not sign in, and not who does', async () => {
    const client = await open({ limits: { authenticateWithinMs: 60 }, keepaliveMs: 250 });
    const signedIn = await fixture.connect();
    await signedIn.register();
    client.send('\r\n\r\n');
    assert.equal((await client.closed).code, 4401);
    assert.equal((await signedIn.register()).status, 200);
  });

  it('closes with 4401 a socket that sends nothing but answers pings', async () => {
    const client = await open({ limits: { authenticateWithinMs: 60 }, keepaliveMs: 25 });
    assert.equal((await client.closed).code, 4401);
  });

  it('drops a flow that gives no sign of life', async () => {
    await open({ keepaliveMs: 50 });
    const deaf = await openDeaf();
    const closed = once(deaf, 'close');
    const [event] = await fixture.events.seen('flowClosed');
    assert.equal(event?.cause, 'silent');
    deaf.resume();
    await closed;
    assert.equal(fixture.edge.flows.size, 1);
  });

  it('takes no message while it is closing: it would be lost without a word', async () => {
    await open();
    const leaving = await openDeaf();
    const [flow] = [...fixture.edge.flows.all()].slice(-1);
    assert.equal(flow?.send('\r\n'), true);
    leaving.allowHalfOpen = true;
    leaving.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
    leaving.resume();
    await once(leaving, 'end');
    assert.equal(flow?.send('\r\n'), false);
    leaving.destroy();
  });

  it('drops a client that sends and never reads when too much waits for it', async () => {
    await open({ limits: { maxBufferedBytes: 32_768, messagesPerSecond: 1e6, messageBurst: 1e6 } });
    const deaf = await openDeaf();
    const ping = Buffer.from([0x82, 0x84, 0, 0, 0, 0, 13, 10, 13, 10]);
    const flood = Buffer.concat(Array.from({ length: 500 }, () => ping));
    const options = frame(
      'OPTIONS sip:localhost SIP/2.0\r\nVia: SIP/2.0/WS x.invalid;branch=z9hG4bK1\r\nFrom: <sip:a@localhost>;tag=1\r\n' +
        `To: <sip:a@localhost>\r\nCall-ID: ${'c'.repeat(4_000)}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n`,
    );
    deaf.write(flood);
    const write = (): void => {
      for (let count = 0; count < 20; count += 1)
        if (!deaf.write(options)) return void deaf.once('drain', write);
      setImmediate(write);
    };
    deaf.once('close', () => deaf.removeAllListeners('drain'));
    write();
    const [event] = await fixture.events.seen('flowClosed');
    assert.equal(event?.cause, 'slow_reader');
    deaf.destroy();
  });

  it('closes with 1002 or 1007 what is no WebSocket frame or no UTF-8', async () => {
    const client = await open();
    client.socket.send(Buffer.from([0xc3, 0x28]), { binary: false });
    assert.equal((await client.closed).code, 1007);
    const deaf = await openDeaf();
    deaf.resume();
    deaf.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    const closed = await fixture.events.seen('flowClosed', 2);
    assert.deepEqual(
      closed.map(({ cause }) => cause),
      ['protocol', 'protocol'],
    );
    deaf.destroy();
  });
});

/** A masked binary frame of a client, with an all-zero mask. */
function frame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.from([0x82, 0xfe, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat([head, payload]);
}
