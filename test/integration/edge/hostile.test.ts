import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { startEdgeFixture, type EdgeFixture } from '../../support/edge-fixture.js';
import type { WsSipClient } from '../../support/ws-sip-client.js';
import { mutate, seededRandom } from '../../torture/mutate.js';
import { tortureMessages } from '../../torture/rfc4475-table.js';

const harmMs = 50;

const generous = { messagesPerSecond: 1e6, messageBurst: 1e6, maxFlowsPerAddress: 1e4 };

/**
 * Runs `attack` while a client that has signed in refreshes its registration all the time; gives the longest that it had
 * to wait. Counted is the time in which this process had the processor: other programs on the machine are not our doing.
 */
async function worstRefreshDuring(fixture: EdgeFixture, attack: () => Promise<void>): Promise<number> {
  const bystander = await fixture.connect({ user: 'bob', password: 'builder' });
  await bystander.register();
  let isOver = false;
  let worstMs = 0;
  const refresh = async (): Promise<void> => {
    while (!isOver) {
      const startMs = performance.now();
      const startCpu = process.cpuUsage();
      const { status } = await bystander.register();
      assert.equal(status, 200);
      const { user, system } = process.cpuUsage(startCpu);
      worstMs = Math.max(worstMs, Math.min(performance.now() - startMs, (user + system) / 1_000));
      await turn();
    }
  };
  const refreshing = refresh();
  await attack();
  isOver = true;
  await refreshing;
  await bystander.close();
  return worstMs;
}

describe('hostile input on a WebSocket', function () {
  this.timeout(60_000);
  this.retries(2);
  let fixture: EdgeFixture;

  beforeEach(async () => {
    fixture = await startEdgeFixture({ limits: generous });
  });

  afterEach(async () => {
    await fixture.close();
    assert.deepEqual(fixture.log.errors, []);
    assert.deepEqual(
      Object.entries(fixture.sizes()).filter(([, size]) => size > 0),
      [],
    );
  });

  const counted = (): number =>
    fixture.events.of('messageDropped').length + fixture.events.of('messageRefused').length;

  it('answers or counts every message of RFC 4475', async () => {
    for (const { expectation, bytes } of tortureMessages()) {
      const client = await fixture.connect();
      await client.register();
      const before = counted() + fixture.events.of('challenged').length;
      const since = client.received.length;
      client.send(bytes, { binary: true });
      client.send(client.request('OPTIONS', 'sip:localhost'));
      await client.next((text) => text.includes(client.callId), since);
      const isCounted = counted() + fixture.events.of('challenged').length > before;
      const isAnswered = client.received.slice(since).some((text) => !text.includes(client.callId));
      // A well-formed response that nobody waits for goes to the endpoint, whose transactions do not know it.
      assert.ok(isCounted || isAnswered || bytes.toString('latin1').startsWith('SIP/2.0'), expectation.name);
      await client.close();
    }
  });

  it('takes 10,000 mutated messages, and nobody else waits for it', async () => {
    const random = seededRandom(4_475);
    let sent = 0;
    const attack = async (): Promise<void> => {
      while (sent < 10_000) {
        const client = await fixture.connect();
        await client.register();
        const corpus = corpusOf(client).map((text) => Buffer.from(text));
        for (let batch = 0; batch < 50 && client.socket.readyState === 1; batch += 1) {
          const original = corpus[random(corpus.length)] ?? Buffer.alloc(0);
          client.send(mutate(original, corpus, random).subarray(0, 65_536), { binary: true });
          sent += 1;
          if (batch % 5 === 0) await turn();
        }
        await client.close();
      }
    };
    const worstMs = await worstRefreshDuring(fixture, attack);
    assert.ok(counted() > 1_000, `${counted()} refused or dropped`);
    assert.ok(worstMs < harmMs, `a refresh took ${worstMs} ms`);
  });

  const line = (text: string, times: number): string => `${text}\r\n`.repeat(times);
  const heads: [name: string, headers: string][] = [
    ['short unknown headers', line('a: b', 10_000)],
    ['one long header', `Subject: ${'x'.repeat(62_000)}\r\n`],
    ['one header folded many times', `Subject: x${'\r\n y'.repeat(15_000)}\r\n`],
    ['one Contact with many values', `Contact: ${'<sip:a@b>,'.repeat(6_000)}<sip:a@b>\r\n`],
    ['many Contacts', line('Contact: <sip:a@b>', 3_000)],
    ['many Vias', line('Via: SIP/2.0/WS x.invalid;branch=z9hG4bKx', 1_400)],
    ['many Authorizations', line('Authorization: Digest username="a", realm="localhost", nonce="x"', 900)],
    ['a parameter list', `Contact: <sip:a@b>${';p'.repeat(30_000)}\r\n`],
    ['quotes', `Contact: ${'"'.repeat(60_000)}\r\n`],
    ['blanks', `Contact:${' '.repeat(60_000)}<sip:a@b>\r\n`],
  ];
  for (const [name, headers] of heads) {
    it(`answers or drops 64 KiB of ${name} at once`, async () => {
      const attack = async (): Promise<void> => {
        const client = await fixture.connect();
        const [start = '', ...rest] = client.registerText().split('\r\n');
        const text = [start, headers.slice(0, -2), ...rest].join('\r\n');
        for (let count = 0; count < 20 && client.socket.readyState === 1; count += 1) {
          client.send(text.slice(0, 65_536));
          await turn();
        }
        await client.close();
      };
      const worstMs = await worstRefreshDuring(fixture, attack);
      assert.ok(worstMs < harmMs, `a refresh took ${worstMs} ms`);
      assert.ok(counted() > 0);
    });
  }
});

function corpusOf(client: WsSipClient): string[] {
  const sdp = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n';
  const invite = client.request('INVITE', 'sip:600@localhost', {
    headers: [
      'To: "The 600" <sip:600@localhost>',
      'Content-Type: application/sdp',
      'Supported: 100rel, timer',
    ],
    body: sdp,
  });
  return [
    invite,
    client.registerText({ expires: 600, headers: ['Supported: path, outbound', 'Path: <sip:p.invalid;lr>'] }),
    client.registerText({}, [
      'Authorization: Digest username="alice", realm="localhost", nonce="n", uri="sip:localhost", response="r", qop=auth, nc=00000001, cnonce="c", algorithm=MD5',
    ]),
    client.request('BYE', 'sip:600@localhost', { headers: ['To: <sip:600@localhost>;tag=x'] }),
    client.request('CANCEL', 'sip:600@localhost'),
    client.request('MESSAGE', 'sip:bob@localhost', { headers: ['Content-Type: text/plain'], body: 'hello' }),
    client.request('OPTIONS', 'sip:localhost'),
    client.request('UPDATE', 'sip:600@localhost', { headers: ['To: <sip:600@localhost>;tag=x'] }),
    invite.replace(/^.*\r\n/, 'SIP/2.0 200 OK\r\n'),
  ];
}
