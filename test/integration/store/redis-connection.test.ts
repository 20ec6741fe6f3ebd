import assert from 'node:assert/strict';
import { RedisStore } from '../../../gateway/store/redis-store.js';
import { FakeClock } from '../../support/fake-clock.js';
import { ScriptedRedis } from '../../support/scripted-redis.js';

const heartbeatMs = 2_000;

describe('the connection to Redis', () => {
  let server: ScriptedRedis;
  let clock: FakeClock;
  let store: RedisStore;
  let down: string[];
  let isSilent: boolean;
  let wakeUp: () => void;
  let up: Promise<void>;

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
    up = nextUp();
    const events = {
      storeUp: () => undefined,
      storeDown: ({ cause }: { readonly cause: string }) => void down.push(cause),
      storeRecordUnusable: () => undefined,
      bindingsInherited: () => undefined,
      callTakenOver: () => undefined,
      callNotTakenOver: () => undefined,
    };
    store = new RedisStore({ url: server.url, node: 'n', events, clock, up: () => wakeUp() });
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
});
