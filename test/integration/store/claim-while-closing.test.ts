import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from '../../../gateway/app.js';
import { loadConfig } from '../../../gateway/config/load.js';
import { createEvents } from '../../../gateway/telemetry/events.js';
import { Metrics } from '../../../gateway/telemetry/metrics.js';
import { systemClock, type Clock } from '../../../sip/clock.js';
import { silentLog } from '../../../sip/log.js';
import { callDocument } from '../../fuzz/stored-records.js';
import { ScriptedRedis } from '../../support/scripted-redis.js';

/** Dead nodes are looked for, and missed, fifty times as soon. */
const hasty = (): Clock => {
  const beganMs = systemClock.nowMs();
  return {
    nowMs: () => beganMs + (systemClock.nowMs() - beganMs) * 50,
    after: (delayMs, act) => systemClock.after(delayMs, act),
    every: (periodMs, act) => systemClock.every(periodMs / 50, act),
  };
};

describe('calls of a dead node', function () {
  this.timeout(10_000);
  let redis: ScriptedRedis;
  let folder: string;
  let told: string[];

  beforeEach(async () => {
    redis = await ScriptedRedis.start();
    folder = await mkdtemp(join(tmpdir(), 'webtrunk-claim-'));
    told = [];
    redis.script.set('SMEMBERS', () => ['dead']);
    redis.script.set('MGET', () => [null]);
    redis.script.set('HDEL', (args) => {
      told.push(`HDEL ${args.join(' ')}`);
      return 1;
    });
  });

  afterEach(async () => {
    await redis.close();
    await rm(folder, { recursive: true });
  });

  const start = async (): Promise<App> => {
    const file = join(folder, 'gateway.yaml');
    await writeFile(
      file,
      `listen: { http: { address: 127.0.0.1, port: 0 }, admin: { address: 127.0.0.1, port: 0 } }
domains: [{ name: localhost, users: [{ name: alice, password: not-used-here }] }]
sip: { embedded: { listen: ["udp:127.0.0.1:0"] } }
media: { engine: passthrough }
store: ${redis.url}
`,
    );
    const events = createEvents(silentLog, new Metrics());
    return App.start(await loadConfig(file, {}), {
      log: silentLog,
      events: {
        ...events,
        callTakenOver: ({ callId }) => told.push(`taken over ${callId}`),
        callNotTakenOver: ({ callId }) => told.push(`not taken over ${callId}`),
      },
      clock: hasty(),
      pages: (_, to) => to.end(),
    });
  };

  /** The claim is answered once `before` has been done. */
  const claimed = (before: () => void): Promise<void> =>
    new Promise((resolve) => {
      redis.script.set('EVAL', () => {
        before();
        redis.script.set('SMEMBERS', () => []);
        setImmediate(resolve);
        return [callDocument.call.id, JSON.stringify(callDocument)];
      });
    });

  /** Resolves when the gateway has looked so often for other nodes. */
  const lookedAround = (times: number): Promise<void> =>
    new Promise((resolve) => {
      let seen = 0;
      redis.script.set('SMEMBERS', () => {
        seen += 1;
        if (seen === times) resolve();
        return ['dead'];
      });
    });

  it('that come while the gateway closes stay in the store for the next, and do not keep it from closing', async () => {
    const app = await start();
    let closed: Promise<void> | undefined;
    await claimed(() => {
      closed = app.close();
    });
    await closed;
    assert.deepEqual(told, []);
  });

  it('are claimed no more once the gateway drains', async () => {
    const app = await start();
    const drained = app.drain({ noticeMs: 60_000, limitMs: 60_000 });
    let claims = 0;
    void claimed(() => (claims += 1));
    // Long enough to miss the node and to claim its calls.
    await lookedAround(15);
    await app.close();
    await drained;
    assert.equal(claims, 0);
  });
});
