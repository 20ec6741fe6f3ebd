import assert from 'node:assert/strict';
import type { TrunkConfig } from '../../../gateway/config/config.js';
import type { SipRequest } from '../../../sip/message/index.js';
import { chosenEngine } from '../../support/engine-under-test.js';
import { ipTrunk, passwordOf, startGateway, type Gateway } from '../../support/gateway.js';
import { idle } from '../../support/idle.js';
import { sdp, UdpPeer } from '../../support/sip-peer.js';
import { acknowledge, inDialog } from '../../support/ws-call.js';
import { WsSipClient } from '../../support/ws-sip-client.js';

/** A PBX that answers every call, or refuses it, and counts. */
class CountingPbx {
  calls = 0;
  atATime = 0;
  most = 0;
  readonly #ends = new Set<string>();

  constructor(
    readonly peer: UdpPeer,
    private readonly status: number,
  ) {
    this.revive();
  }

  /** Answers, what is repeated too. */
  revive(): void {
    this.peer.onMessage = (message) => {
      if (message.kind === 'request') this.#take(message);
    };
  }

  /** Says nothing any more. */
  die(): void {
    this.peer.onMessage = undefined;
  }

  #take(request: SipRequest): void {
    const { method, callId } = request;
    if (method === 'ACK') return;
    if (method === 'INVITE') {
      this.calls += 1;
      this.atATime += 1;
      this.most = Math.max(this.most, this.atATime);
      return this.peer.respond(request, this.status, 'Said', this.status === 200 ? { body: sdp(9000) } : {});
    }
    if (method === 'BYE' && !this.#ends.has(callId)) {
      this.#ends.add(callId);
      this.atATime -= 1;
    }
    this.peer.respond(request, 200, 'OK');
  }
}

describe('trunks under load', function () {
  this.timeout(30_000);
  let gateway: Gateway;
  let alice: WsSipClient;
  let first: CountingPbx;
  let second: CountingPbx;

  before(function () {
    // A drachtio-server sends from where it listens: the peers would have to be told.
    if (chosenEngine() === 'drachtio') this.skip();
  });

  const start = async (
    status: number,
    trunksOf: (ports: readonly [number, number]) => readonly TrunkConfig[],
  ): Promise<void> => {
    first = new CountingPbx(await UdpPeer.open(0), status);
    second = new CountingPbx(await UdpPeer.open(0), status);
    const trunks = trunksOf([first.peer.port, second.peer.port]);
    gateway = await startGateway({
      media: 'passthrough',
      limits: { callsPerEndpoint: 1_000, messagesPerSecond: 100_000 },
      trunks,
      routes: [
        {
          name: 'out',
          match: /^[0-9]+$/,
          fromTrunk: undefined,
          to: { kind: 'trunks', trunks: trunks.map(({ name }) => name) },
        },
      ],
    });
    const port = Number(gateway.sipAddress.split(':')[1]);
    for (const { peer } of [first, second]) peer.target = port;
    alice = await WsSipClient.connect(gateway.wsUrl, { user: 'alice', password: passwordOf('alice') });
    await alice.register();
  };

  afterEach(async () => {
    await alice.close();
    await gateway.close();
    await first.peer.close();
    await second.peer.close();
  });

  const uri = (port: number): string => `sip:127.0.0.1:${port};transport=udp`;

  const dial = () => {
    const headers = ['To: <sip:1@localhost>', 'Content-Type: application/sdp'];
    return alice.transact(alice.request('INVITE', 'sip:1@localhost', { headers, body: sdp(7000) }));
  };

  const call = async (talkMs: number): Promise<number> => {
    const answered = await dial();
    if (answered.status !== 200) return answered.status;
    acknowledge(alice, answered);
    await new Promise((resolve) => setTimeout(resolve, talkMs));
    return (await alice.transact(inDialog(alice, 'BYE', answered))).status;
  };

  it('share 1,000 calls out by the weights of their hosts, within 5 %', async () => {
    await start(486, ([one, other]) => [
      ipTrunk('pbx', uri(one), {
        hosts: [
          { uri: uri(one), priority: 10, weight: 75 },
          { uri: uri(other), priority: 10, weight: 25 },
        ],
      }),
    ]);
    let left = 1_000;
    const worker = async (): Promise<void> => {
      while ((left -= 1) >= 0) assert.equal((await dial()).status, 486);
    };
    await Promise.all(Array.from({ length: 25 }, worker));
    assert.equal(first.calls + second.calls, 1_000);
    assert.ok(Math.abs(first.calls - 750) <= 50, `${first.calls} of 1,000 at weight 75 of 100`);
    await idle(gateway, ['calls', 'trunk_legs']);
  });

  it('take no more calls at a time than they have channels; the others go to the next trunk', async () => {
    await start(200, ([one, other]) => [
      ipTrunk('small', uri(one), { limits: { channels: 5 } }),
      ipTrunk('large', uri(other)),
    ]);
    const outcomes = await Promise.all(Array.from({ length: 60 }, () => call(200)));
    assert.deepEqual(new Set(outcomes), new Set([200]));
    assert.equal(first.most, 5);
    assert.equal(first.calls + second.calls, 60);
    await idle(gateway);
    assert.equal(gateway.app.inspect()['trunk_channels'], 0);
    assert.equal(await call(0), 200);
  });

  it('take no more calls a second than they may; the others go to the next trunk', async () => {
    await start(200, ([one, other]) => [
      ipTrunk('slow', uri(one), { limits: { cps: 10 } }),
      ipTrunk('fast', uri(other)),
    ]);
    const begin = Date.now();
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => call(0)));
    const seconds = Math.ceil((Date.now() - begin) / 1_000);
    assert.deepEqual(new Set(outcomes), new Set([200]));
    assert.ok(first.calls >= 10 && first.calls <= 10 * (seconds + 1), `${first.calls} in ${seconds} s`);
    assert.equal(first.calls + second.calls, 100);
  });

  it('refuse with the reason when all of a route are full', async () => {
    await start(200, ([one]) => [ipTrunk('small', uri(one), { limits: { channels: 1 } })]);
    const held = call(500);
    while (first.calls === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.equal((await dial()).status, 503);
    assert.equal(await held, 200);
  });

  it('that die in mid-call keep nobody waiting: hanging up works at once, and the next call finds the living host', async () => {
    await start(200, ([one, other]) => [
      ipTrunk('pbx', uri(one), {
        attemptTimeoutMs: 500,
        hosts: [
          { uri: uri(one), priority: 1 },
          { uri: uri(other), priority: 2 },
        ],
      }),
    ]);
    const answered = await dial();
    acknowledge(alice, answered);
    first.die();
    assert.equal((await alice.transact(inDialog(alice, 'BYE', answered))).status, 200);
    assert.equal(await call(0), 200);
    assert.equal(second.calls, 1);
    first.revive();
    await idle(gateway);
  });
});
