import assert from 'node:assert/strict';
import { RedisStore } from '../../../gateway/store/redis-store.js';
import { CutLine } from '../../support/cut-line.js';
import { FakeClock } from '../../support/fake-clock.js';
import { requirePeer } from '../../support/peers.js';
import { Redis } from '../../support/redis.js';
import { ScriptedRedis } from '../../support/scripted-redis.js';

const heartbeatMs = 2_000;
/** Writes wait for so long to be gathered. */
const gatherMs = 5;

describe('the connection to Redis', () => {
  let server: ScriptedRedis;
  let clock: FakeClock;
  let store: RedisStore;
  let down: string[];
  let isSilent: boolean;
  let wakeUp: () => void;
  let wentDown: () => void;
  let up: Promise<void>;

  const open = (url: string): RedisStore =>
    new RedisStore({
      url,
      node: 'n',
      events: {
        storeUp: () => undefined,
        storeDown: ({ cause }) => {
          down.push(cause);
          wentDown();
        },
        storeRecordUnusable: () => undefined,
        bindingsInherited: () => undefined,
        callTakenOver: () => undefined,
        callNotTakenOver: () => undefined,
      },
      clock,
      up: () => wakeUp(),
    });
  const nextUp = (): Promise<void> => new Promise((resolve) => (wakeUp = resolve));

  beforeEach(async () => {
    server = await ScriptedRedis.start();
    isSilent = false;
    for (const name of ['SET', 'SADD', 'EXPIRE', 'SMEMBERS']) {
      server.script.set(name, () => (isSilent ? undefined : name === 'SMEMBERS' ? [] : 1));
    }
    // A new connection is one that works.
    server.script.set('HELLO', () => {
      isSilent = false;
      return new Map([['proto', 3]]);
    });
    clock = new FakeClock();
    down = [];
    wentDown = () => undefined;
    up = nextUp();
    store = open(server.url);
    await up;
  });

  afterEach(async () => {
    await store.close();
    await server.close();
  });

  it('is given up and made anew when its other end has gone without a word', async () => {
    isSilent = true;
    up = nextUp();
    for (let beat = 0; beat < 6; beat++) {
      clock.advance(heartbeatMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(store.isUp, false);
    assert.deepEqual(down, ['no answer in 1000 ms']);
    await up;
    assert.equal(store.isUp, true);
  });

  it('is made anew when its server is a replica now, and the new master gets what this node holds', async function () {
    const program = requirePeer(this, 'redis-server');
    const [master, next] = [await Redis.start(program), await Redis.start(program)];
    // As a proxy or a name in front of a pair of them does, for new connections.
    const line = await CutLine.to(master.port);
    try {
      await store.close();
      up = nextUp();
      store = open(`redis://127.0.0.1:${line.port}`);
      await up;
      await store.inherit('bindings');
      store.put('bindings', 'b1', 'alice');
      const writes = await master.watch();
      clock.advance(gatherMs);
      await writes.first((command) => command.includes('HSET'));
      const isDown = new Promise<void>((resolve) => (wentDown = resolve));
      await master.ask('REPLICAOF', '127.0.0.1', String(next.port));
      line.mend(next.port);
      clock.advance(heartbeatMs);
      await isDown;
      assert.match(down[0] ?? '', /^READONLY/);
      up = nextUp();
      for (let beat = 0; beat < 6; beat++) clock.advance(heartbeatMs);
      await up;
      await store.close();
      assert.deepEqual(await next.ask('HVALS', 'webtrunk:n:bindings'), ['alice']);
    } finally {
      await store.close();
      await line.close();
      await Promise.all([master.stop(), next.stop()]);
    }
  });
});
