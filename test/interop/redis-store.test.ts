import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, type Clock } from '../../sip/clock.js';
import { RedisStore } from '../../gateway/store/redis-store.js';
import type { StoreEvents } from '../../gateway/telemetry/store-events.js';
import { freePort } from '../support/free-port.js';
import { Journal } from '../support/journal.js';
import { requirePeer } from '../support/peers.js';
import { Redis } from '../support/redis.js';

type Told = 'up' | 'down' | 'ready';

/** Nodes say ten times as often as others that they are alive, and are missed as soon; Redis has as long to answer. */
const hasty: Clock = {
  nowMs: () => systemClock.nowMs() * 10,
  after: (delayMs, act) => systemClock.after(delayMs, act),
  every: (periodMs, act) => systemClock.every(periodMs / 10, act),
};
const claimEveryMs = 50;
const longerThanGatheringMs = 50;
const nodes = 'webtrunk:nodes';

describe('the shared store in Redis', function () {
  this.timeout(30_000);
  let program: string;
  let redis: Redis;
  const stores: RedisStore[] = [];

  before(function () {
    program = requirePeer(this, 'redis-server');
  });

  beforeEach(async () => {
    redis = await Redis.start(program);
  });

  afterEach(async () => {
    redis.goOn();
    for (const store of stores.splice(0)) await store.close();
    await redis.stop();
  });

  const open = (
    node: string,
    { clock = systemClock, port = redis.port }: { readonly clock?: Clock; readonly port?: number } = {},
  ): { store: RedisStore; told: Journal<Told> } => {
    const told = new Journal<Told>();
    const events: StoreEvents = {
      storeUp: () => told.add('up'),
      storeDown: () => told.add('down'),
      storeRecordUnusable: () => undefined,
      bindingsInherited: () => undefined,
      callTakenOver: () => undefined,
      callNotTakenOver: () => undefined,
    };
    const up = (): void => told.add('ready');
    const store = new RedisStore({ url: `redis://127.0.0.1:${port}`, node, events, clock, up });
    stores.push(store);
    return { store, told };
  };

  const begun = async (
    node: string,
    clock?: Clock,
  ): Promise<{ store: RedisStore; told: Journal<Told>; left: ReadonlyMap<string, string> }> => {
    const { store, told } = open(node, clock === undefined ? {} : { clock });
    await told.first((event) => event === 'ready');
    await store.inherit('bindings');
    return { store, told, left: await store.inherit('call') };
  };

  /** Resolves when Redis has had a command with these words in it. */
  const had = (commands: Journal<string>, ...words: readonly string[]): Promise<string> =>
    commands.first((command) => words.every((word) => command.includes(`"${word}"`)));

  it('gives the next process of a node what the one before has put, less what it has removed', async () => {
    const { store: first } = await begun('one');
    const commands = await redis.watch();
    first.put('call', 'c_1', 'a call');
    first.put('call', 'c_2', 'another');
    first.put('bindings', 'sip:alice@localhost', '[]');
    await Promise.all([had(commands, 'c_2', 'another'), had(commands, 'sip:alice@localhost')]);
    first.remove('call', 'c_2');
    await first.close();

    const { store: second, told } = open('one');
    await told.first((event) => event === 'ready');
    assert.deepEqual([...(await second.inherit('call'))], [['c_1', 'a call']]);
    assert.deepEqual([...(await second.inherit('bindings'))], [['sip:alice@localhost', '[]']]);
    assert.equal((await begun('two')).left.size, 0);
  });

  it('writes everything anew when Redis was started again and has lost it', async () => {
    const { store, told } = await begun('one');
    const commands = await redis.watch();
    store.put('call', 'c_1', 'before');
    await had(commands, 'c_1', 'before');
    const { port } = redis;
    await redis.stop();
    await told.first((event) => event === 'down');
    told.items.length = 0;
    store.put('call', 'c_2', 'meanwhile');
    store.remove('call', 'c_1');
    store.put('call', 'c_1', 'again');
    assert.equal(store.isUp, false);
    redis = await Redis.start(program, port);
    await told.first((event) => event === 'up');
    await store.close();
    const { left } = await begun('one');
    assert.deepEqual(Object.fromEntries(left), { c_1: 'again', c_2: 'meanwhile' });
  });

  it('tells once that Redis hangs, takes what comes meanwhile, and writes it when Redis goes on', async () => {
    const { store, told } = open('one');
    await told.first((event) => event === 'ready');
    await store.inherit('call');
    const commands = await redis.watch();
    redis.halt();
    store.put('call', 'c_1', 'a call');
    await told.first((event) => event === 'down');
    await assert.rejects(store.inherit('bindings'), { code: 'store.unavailable' });
    assert.equal(told.items.filter((event) => event === 'down').length, 1);
    told.items.length = 0;
    redis.goOn();
    await told.first((event) => event === 'up');
    await had(commands, 'c_1', 'a call');
    assert.equal(store.isUp, true);
  });

  it('writes everything anew when somebody has emptied Redis', async () => {
    const { store } = await begun('one', hasty);
    const commands = await redis.watch();
    store.put('call', 'c_1', 'a call');
    store.put('bindings', 'sip:alice@localhost', '[]');
    await Promise.all([had(commands, 'c_1', 'a call'), had(commands, 'sip:alice@localhost')]);
    await redis.ask('FLUSHALL');
    commands.items.length = 0;
    await Promise.all([had(commands, 'c_1', 'a call'), had(commands, 'sip:alice@localhost')]);
    assert.deepEqual(await redis.members(nodes), ['one']);
  });

  it('writes what is put while something else is being written', async () => {
    const { store } = await begun('one');
    const commands = await redis.watch();
    store.put('bindings', 'sip:bob@localhost', '[]');
    await had(commands, 'sip:bob@localhost');
    redis.halt();
    store.put('call', 'c_1', 'a call');
    await delay(longerThanGatheringMs);
    store.put('bindings', 'sip:alice@localhost', '[]');
    await delay(longerThanGatheringMs);
    redis.goOn();
    await had(commands, 'c_1', 'a call');
    await had(commands, 'sip:alice@localhost');
  });

  it('says that Redis is away at the start, and that it is there when it comes', async () => {
    const port = await freePort();
    const { store, told } = open('one', { port });
    await told.first((event) => event === 'down');
    store.put('call', 'c_1', 'early');
    const late = await Redis.start(program, port);
    try {
      await told.first((event) => event === 'ready');
      await store.inherit('bindings');
      const commands = await late.watch();
      await store.inherit('call');
      await had(commands, 'c_1', 'early');
      await store.close();
    } finally {
      await late.stop();
    }
  });

  it('gives each call of a node that has died to one of the others only, and forgets the node until it is back', async () => {
    const calls = Array.from({ length: 300 }, (_, at) => [`c_${at}`, `call ${at}`] as const);
    const { store: dead } = await begun('dead');
    for (const [id, call] of calls) dead.put('call', id, call);
    dead.put('bindings', 'sip:alice@localhost', '[]');
    const [one, two] = [(await begun('one', hasty)).store, (await begun('two', hasty)).store];
    assert.equal((await one.claimCalls()).size, 0);
    await dead.close();
    const claimed: [string, string][] = [];
    const claimBoth = async (): Promise<void> => {
      for (const claims of await Promise.all([one.claimCalls(), two.claimCalls()])) claimed.push(...claims);
    };
    for (; claimed.length === 0; await delay(claimEveryMs)) await claimBoth();
    await claimBoth();
    assert.deepEqual(claimed, calls);
    assert.deepEqual([...(await redis.members(nodes))].sort(), ['one', 'two']);
    const kept = [...(await one.kept('call')), ...(await two.kept('call'))];
    assert.deepEqual(kept.sort(), calls.map(([, call]) => call).sort());

    const { store: back, told } = open('dead');
    await told.first((event) => event === 'ready');
    assert.equal((await redis.members(nodes)).includes('dead'), true);
    assert.deepEqual([...(await back.inherit('bindings'))], [['sip:alice@localhost', '[]']]);
    assert.equal((await back.inherit('call')).size, 0);
  });

  it('gives calls whose claim was done without being heard of, when it is asked again', async () => {
    const { store: dead } = await begun('dead');
    dead.put('call', 'c_1', 'a call');
    const { store, told } = await begun('one', hasty);
    store.put('call', 'c_2', 'its own');
    await dead.close();
    const commands = await redis.watch();
    const missedForLong = async (): Promise<void> => {
      for (let looks = 0; looks < 5; looks += 1) {
        commands.items.length = 0;
        await had(commands, 'MGET', 'webtrunk:dead:alive');
      }
    };
    await missedForLong();
    redis.halt();
    told.items.length = 0;
    await assert.rejects(store.claimCalls(), { code: 'store.unavailable' });
    redis.goOn();
    await told.first((event) => event === 'up');
    assert.deepEqual([...(await store.claimCalls())], [['c_1', 'a call']]);
    assert.equal((await store.claimCalls()).size, 0);
    assert.deepEqual(await redis.members(nodes), ['one']);
  });
});
