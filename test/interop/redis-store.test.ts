import assert from 'node:assert/strict';
import { systemClock } from '../../sip/clock.js';
import { RedisStore } from '../../gateway/store/redis-store.js';
import type { StoreEvents } from '../../gateway/telemetry/store-events.js';
import { freePort } from '../support/free-port.js';
import { Journal } from '../support/journal.js';
import { requirePeer } from '../support/peers.js';
import { Redis } from '../support/redis.js';

type Told = 'up' | 'down' | 'ready';

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

  const open = (node: string, port = redis.port): { store: RedisStore; told: Journal<Told> } => {
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
    const store = new RedisStore({ url: `redis://127.0.0.1:${port}`, node, events, clock: systemClock, up });
    stores.push(store);
    return { store, told };
  };

  const opened = async (node: string): Promise<RedisStore> => {
    const { store, told } = open(node);
    await told.first((event) => event === 'ready');
    return store;
  };

  const written = async (store: RedisStore): Promise<void> => {
    while (store.waiting > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  const begun = async (node: string): Promise<RedisStore> => {
    const store = await opened(node);
    await store.inherit('bindings');
    await store.inherit('call');
    return store;
  };

  it('gives the next process of a node what the one before has put, less what it has removed', async () => {
    const first = await begun('one');
    first.put('call', 'c_1', 'a call');
    first.put('call', 'c_2', 'another');
    first.put('bindings', 'sip:alice@localhost', '[]');
    await written(first);
    first.remove('call', 'c_2');
    await first.close();

    const second = await opened('one');
    assert.deepEqual([...(await second.inherit('call'))], [['c_1', 'a call']]);
    assert.deepEqual([...(await second.inherit('bindings'))], [['sip:alice@localhost', '[]']]);
    const other = await opened('two');
    assert.equal((await other.inherit('call')).size, 0);
  });

  it('writes everything anew when Redis was started again and has lost it', async () => {
    const { store, told } = open('one');
    await told.first((event) => event === 'ready');
    await store.inherit('call');
    await store.inherit('bindings');
    store.put('call', 'c_1', 'before');
    await written(store);
    const { port } = redis;
    await redis.stop();
    await told.first((event) => event === 'down');
    store.put('call', 'c_2', 'meanwhile');
    store.remove('call', 'c_1');
    store.put('call', 'c_1', 'again');
    assert.equal(store.isUp, false);
    redis = await Redis.start(program, port);
    told.items.length = 0;
    await told.first((event) => event === 'up');
    await written(store);
    await store.close();
    const left = await (await opened('one')).inherit('call');
    assert.deepEqual(Object.fromEntries(left), { c_1: 'again', c_2: 'meanwhile' });
  });

  it('tells once that Redis hangs, takes what comes meanwhile, and writes it when Redis goes on', async () => {
    const { store, told } = open('one');
    await told.first((event) => event === 'ready');
    await store.inherit('call');
    redis.halt();
    store.put('call', 'c_1', 'a call');
    await told.first((event) => event === 'down');
    await assert.rejects(store.inherit('bindings'), { code: 'store.unavailable' });
    assert.equal(told.items.filter((event) => event === 'down').length, 1);
    redis.goOn();
    told.items.length = 0;
    await told.first((event) => event === 'up');
    await written(store);
    assert.equal(store.isUp, true);
  });

  it('says that Redis is away at the start, and that it is there when it comes', async () => {
    const port = await freePort();
    const { store, told } = open('one', port);
    await told.first((event) => event === 'down');
    store.put('call', 'c_1', 'early');
    const late = await Redis.start(program, port);
    try {
      await told.first((event) => event === 'ready');
      await store.inherit('bindings');
      await store.inherit('call');
      await written(store);
      await store.close();
    } finally {
      await late.stop();
    }
  });

  it('gives the records of a node that has died to one of the others only', async () => {
    const dead = await begun('dead');
    dead.put('call', 'c_1', 'a call');
    await written(dead);
    const [one, two] = [await begun('one'), await begun('two')];
    assert.equal((await one.claim('call')).size, 0);
    await dead.close();
    const claimed: [string, string][] = [];
    while (claimed.length === 0) {
      const [first, second] = await Promise.all([one.claim('call'), two.claim('call')]);
      claimed.push(...first, ...second);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.deepEqual(claimed, [['c_1', 'a call']]);
    assert.deepEqual([...(await one.kept('call')), ...(await two.kept('call'))], ['a call']);
  });
});
