import assert from 'node:assert/strict';
import type { RouteConfig, TrunkConfig } from '../../gateway/config/config.js';
import { chosenEngine } from '../support/engine-under-test.js';
import { freePort } from '../support/free-port.js';
import { ipTrunk, startGateway, type Gateway } from '../support/gateway.js';
import { idle } from '../support/idle.js';
import { requirePeer } from '../support/peers.js';
import { startSipp, type RunningSipp, type SippResult } from '../support/run-sipp.js';
import { sippSdp, Script } from '../support/sipp/script.js';

const uriOf = (port: number): string => `sip:127.0.0.1:${port};transport=udp`;

const rings = (): Script => new Script('callee').takes('INVITE').answers('INVITE', 180);

/** A carrier that answers every call, and waits for BYE. */
const answering = (): Script =>
  rings()
    .answers('INVITE', 200, { body: sippSdp(6002) })
    .takes('ACK')
    .takes('BYE')
    .answers('BYE', 200);

const refusing = (status: number): Script =>
  new Script('callee').takes('INVITE').answers('INVITE', status).takes('ACK');

const isRefused = (status: number): Script =>
  new Script('caller').invite(1, { repeatMs: 500 }).skips(100).gets(status).ackFailure();

describe('trunks to SIPp carriers', function () {
  this.timeout(40_000);
  let sipp = '';
  let gateway: Gateway | undefined;
  const running: RunningSipp[] = [];

  before(function () {
    // A drachtio-server sends from where it listens: the carriers would have to be told.
    if (chosenEngine() === 'drachtio') this.skip();
    sipp = requirePeer(this, 'sipp');
  });

  afterEach(async () => {
    for (const program of running.splice(0)) program.stop();
    await gateway?.close();
    gateway = undefined;
  });

  /** A carrier on a port of its own, listening. */
  const carrier = async (scenario: Script): Promise<RunningSipp & { readonly port: number }> => {
    const port = await freePort();
    const program = startSipp({
      program: sipp,
      scenario,
      transport: 'udp',
      port,
      calls: 1_000_000,
      timeoutSeconds: 35,
    });
    running.push(program);
    await program.listening;
    return { ...program, port };
  };

  /** What a carrier has taken by now; it takes no more. */
  const taken = async (program: RunningSipp): Promise<SippResult> => {
    program.finish();
    const result = await program.result;
    assert.equal(result.failed, 0, result.errors);
    return result;
  };

  /** All calls come from the first trunk and go to the others, in this order. */
  const open = async (trunks: readonly TrunkConfig[]): Promise<number> => {
    const out: RouteConfig = {
      name: 'out',
      match: /^service$/,
      fromTrunk: 'source',
      to: { kind: 'trunks', trunks: trunks.map(({ name }) => name) },
    };
    const source = ipTrunk('source', uriOf(await freePort()));
    gateway = await startGateway({ media: 'passthrough', trunks: [source, ...trunks], routes: [out] });
    return Number(gateway.sipAddress.split(':')[1]);
  };

  /** So many calls from SIPp, at that rate. */
  const callsTo = async (
    target: number,
    scenario: string | Script,
    calls: number,
    callsPerSecond: number,
  ): Promise<RunningSipp> => {
    const port = await freePort();
    const program = startSipp({
      program: sipp,
      scenario,
      transport: 'udp',
      port,
      target,
      calls,
      callsPerSecond,
      timeoutSeconds: 30,
    });
    running.push(program);
    return program;
  };

  const allMade = async (program: RunningSipp, calls: number): Promise<void> => {
    const { successful, failed, errors } = await program.result;
    assert.deepEqual([successful, failed], [calls, 0], errors);
  };

  const nothingLeft = async (): Promise<void> => {
    assert.ok(gateway !== undefined);
    await idle(gateway, ['calls', 'trunk_legs', 'trunk_channels', 'direct_media_sessions', 'media_sessions']);
  };

  it('get no more calls at a time, and no more a second, than their limits say; the next takes the rest', async () => {
    const carriers = [await carrier(answering()), await carrier(answering()), await carrier(answering())];
    const [small, slow, large] = carriers.map(({ port }) => uriOf(port));
    const port = await open([
      ipTrunk('small', small ?? '', { limits: { channels: 5 } }),
      ipTrunk('slow', slow ?? '', { limits: { cps: 10 } }),
      ipTrunk('large', large ?? ''),
    ]);
    const calls = 300;
    const beganMs = Date.now();
    await allMade(await callsTo(port, 'caller.xml', calls, 100), calls);
    const seconds = Math.ceil((Date.now() - beganMs) / 1_000);
    await nothingLeft();
    const [bySmall, bySlow, byLarge] = await Promise.all(carriers.map(taken));
    assert.equal(bySmall?.mostAtATime, 5);
    const atSlow = bySlow?.successful ?? 0;
    assert.ok(atSlow >= 20 && atSlow <= 10 * (seconds + 1), `${atSlow} calls in ${seconds} s`);
    assert.ok((byLarge?.successful ?? 0) > 0);
    const all = [bySmall, bySlow, byLarge].reduce((sum, result) => sum + (result?.successful ?? 0), 0);
    assert.equal(all, calls);
    const metrics = (await gateway?.metrics.text()) ?? '';
    assert.match(metrics, /^webtrunk_trunk_full_total\{direction="out"\} [1-9]/m);
  });

  it('leave callers with 503 when all channels of a route are taken, and with a free one afterwards', async () => {
    const small = await carrier(answering());
    const port = await open([ipTrunk('small', uriOf(small.port), { limits: { channels: 4 } })]);
    const talk = new Script('caller')
      .invite(1, { repeatMs: 500 })
      .skips(100)
      .skips(180)
      .gets(200)
      .sends('ACK', 1)
      .pause(2_500)
      .sends('BYE', 2, { repeatMs: 500 })
      .gets(200, 'BYE');
    const talking = await callsTo(port, talk, 4, 50);
    while (gateway?.app.trunkStatuses.get('small')?.channels.out !== 4) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await allMade(await callsTo(port, isRefused(503), 40, 100), 40);
    await allMade(talking, 4);
    await nothingLeft();
    const reasons = gateway.lines.filter(({ event }) => event === 'trunk.full').map(({ detail }) => detail);
    assert.deepEqual(
      reasons,
      Array.from({ length: 40 }, () => '4 of 4 channels are in use'),
    );
    await allMade(await callsTo(port, 'caller.xml', 1, 10), 1);
    assert.equal((await taken(small)).successful, 5);
  });

  it('share 1,000 calls by the weights of their hosts, within 5 %', async () => {
    const [heavy, light] = [await carrier(refusing(486)), await carrier(refusing(486))];
    const hosts = [
      { uri: uriOf(heavy.port), priority: 10, weight: 70 },
      { uri: uriOf(light.port), priority: 10, weight: 30 },
    ];
    const port = await open([ipTrunk('carrier', '', { hosts })]);
    await allMade(await callsTo(port, isRefused(486), 1_000, 250), 1_000);
    await nothingLeft();
    const [most, fewer] = await Promise.all([taken(heavy), taken(light)]);
    assert.equal(most.successful + fewer.successful, 1_000);
    assert.ok(Math.abs(most.successful - 700) <= 50, `${most.successful} of 1,000 at weight 70 of 100`);
  });

  it('ring once: a host that fails after 100 or 183 is followed by the next, one that has rung is not', async () => {
    const busy = await carrier(
      new Script('callee')
        .takes('INVITE')
        .answers('INVITE', 100)
        .answers('INVITE', 183)
        .answers('INVITE', 503)
        .takes('ACK'),
    );
    const dying = await carrier(rings().pause(50).answers('INVITE', 500).takes('ACK'));
    const spare = await carrier(answering());
    const hosts = [busy, dying, spare].map(({ port }, priority) => ({ uri: uriOf(port), priority }));
    const port = await open([ipTrunk('carrier', '', { hosts })]);
    const hears = new Script('caller')
      .invite(1, { repeatMs: 500 })
      .skips(100)
      .gets(183)
      .gets(180)
      .gets(503)
      .ackFailure();
    await allMade(await callsTo(port, hears, 20, 40), 20);
    await nothingLeft();
    const taking = await Promise.all([busy, dying, spare].map(taken));
    assert.deepEqual(
      taking.map(({ successful }) => successful),
      [20, 20, 0],
    );
  });
});
