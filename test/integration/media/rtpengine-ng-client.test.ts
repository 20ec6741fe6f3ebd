import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { systemClock } from '../../../sip/clock.js';
import { silentLog } from '../../../sip/log.js';
import { NgClient } from '../../../sip/media/rtpengine/ng-client.js';
import { NgFailure, type NgFailureKind } from '../../../sip/media/rtpengine/ng-failure.js';
import { freePort } from '../../support/free-port.js';
import { until } from '../../support/media-session.js';
import { answerTo, ScriptedRtpengine, textOf } from '../../support/scripted-rtpengine.js';

const ping = { command: 'ping' };

const failedAs =
  (kind: NgFailureKind) =>
  (thrown: unknown): boolean =>
    thrown instanceof NgFailure && thrown.kind === kind;

describe('NG client', () => {
  let server: ScriptedRtpengine;
  let client: NgClient;

  const clientOf = (port: number, host = '127.0.0.1'): NgClient =>
    new NgClient({ address: { host, port }, clock: systemClock, log: silentLog });

  beforeEach(async () => {
    server = await ScriptedRtpengine.start();
    client = clientOf(server.address.port);
  });

  afterEach(async () => {
    client.close();
    assert.equal(client.pending, 0);
    await server.close();
  });

  it('resolves with the answer', async () => {
    assert.equal((await client.send(ping, 1_000)).get('result'), 'pong');
    assert.equal(client.pending, 0);
  });

  it('sends again with the same cookie until it is answered', async () => {
    server.script.set('ping', (one) => (server.received.length < 3 ? undefined : server.usual(one)));
    await client.send(ping, 5_000);
    assert.equal(server.received.length, 3);
    assert.equal(new Set(server.received.map(({ cookie }) => cookie)).size, 1);
  });

  it('gives up at its deadline', async () => {
    server.script.set('ping', () => undefined);
    await assert.rejects(client.send(ping, 500), failedAs('silent'));
    assert.ok(server.received.length >= 2);
  });

  it('does not lose the last answer of two', async () => {
    server.onCommand = (received, from) => server.send(answerTo(received.cookie, { result: 'pong' }), from);
    await client.send(ping, 1_000);
    await until(() => client.dropped === 1);
    await client.send(ping, 1_000);
  });

  it('waits on when an answer has another cookie', async () => {
    server.onCommand = (_received, from) => {
      server.send(answerTo('another', { result: 'ok', sdp: 'forged' }), from);
      server.send(Buffer.from('garbage'), from);
      server.send(Buffer.alloc(0), from);
      server.send(Buffer.from(' d6:result2:oke'), from);
    };
    assert.equal((await client.send(ping, 1_000)).get('result'), 'pong');
    assert.equal(client.dropped, 4);
  });

  const garbled: Readonly<Record<string, string>> = {
    'no bencode': 'pong',
    'half a dictionary': 'd6:result2:ok',
    nothing: '',
    'no result': 'd3:sdp3:v=0e',
    'an unknown result': 'd6:result5:maybee',
  };
  for (const [what, text] of Object.entries(garbled)) {
    it(`rejects at once when the answer is ${what}`, async () => {
      server.script.set('ping', ({ cookie }) => Buffer.from(`${cookie} ${text}`));
      await assert.rejects(client.send(ping, 10_000), failedAs('garbled'));
    });
  }

  it('tells an error from a load limit, with the reason', async () => {
    server.script.set('ping', () => ({ result: 'error', 'error-reason': 'Unknown call-id' }));
    await assert.rejects(client.send(ping, 1_000), { kind: 'refused', message: 'Unknown call-id' });
    server.script.set('ping', () => ({ result: 'load limit', message: 'Parallel session limit reached' }));
    await assert.rejects(client.send(ping, 1_000), {
      kind: 'busy',
      message: 'Parallel session limit reached',
    });
  });

  it('takes answers from the address of the server alone', async () => {
    const stranger = createSocket('udp4');
    server.script.set('ping', () => undefined);
    server.onCommand = ({ cookie }, { port, address }) =>
      stranger.send(answerTo(cookie, { result: 'pong' }), port, address);
    await assert.rejects(client.send(ping, 600), failedAs('silent'));
    stranger.close();
  });

  it('rejects at once when nobody listens there', async () => {
    const nobody = clientOf(await freePort());
    await assert.rejects(nobody.send(ping, 10_000), failedAs('unreachable'));
    nobody.close();
  });

  it('finds the server when it is there later', async () => {
    const port = await freePort();
    const early = clientOf(port);
    await assert.rejects(early.send(ping, 10_000), failedAs('unreachable'));
    const late = await ScriptedRtpengine.start(port);
    assert.equal((await early.send(ping, 1_000)).get('result'), 'pong');
    early.close();
    await late.close();
  });

  it('resolves names, and says when one does not resolve', async () => {
    const named = clientOf(server.address.port, 'localhost');
    assert.equal((await named.send(ping, 1_000)).get('result'), 'pong');
    named.close();
    const unknown = clientOf(server.address.port, 'nowhere.invalid');
    await assert.rejects(unknown.send(ping, 1_000), failedAs('unreachable'));
    unknown.close();
  });

  it('refuses a command that no datagram holds', async () => {
    await assert.rejects(
      client.send({ command: 'offer', sdp: 'x'.repeat(70_000) }, 1_000),
      failedAs('refused'),
    );
    assert.equal(server.received.length, 0);
  });

  it('keeps hundreds of commands apart', async () => {
    server.script.set('query', ({ command }) => ({ result: 'ok', id: textOf(command, 'call-id') }));
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        client.send({ command: 'query', 'call-id': `c${index}` }, 5_000),
      ),
    );
    assert.deepEqual(
      answers.map((answer) => answer.get('id')),
      Array.from({ length: 300 }, (_, index) => `c${index}`),
    );
  });

  it('rejects what is pending when it is closed, and everything after', async () => {
    server.script.set('ping', () => undefined);
    const pending = client.send(ping, 10_000);
    await server.got('ping');
    client.close();
    await assert.rejects(pending, failedAs('closed'));
    await assert.rejects(client.send(ping, 10_000), failedAs('closed'));
  });
});
