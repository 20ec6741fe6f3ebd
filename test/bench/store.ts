import { findPeer } from '../support/peers.js';
import { Redis } from '../support/redis.js';
import { browserCalls, trunkCalls, type Duration, type Result } from './scenarios.js';
import type { Row } from './table.js';
import { startGateway, type Target, type Workspace } from './target.js';

const perSecond = 100;
/** Each kind of call is measured so often with either store, in turns: other work on the machine meets both. */
const rounds = 2;
const scenarios = [
  ['browser-to-browser', browserCalls],
  ['browser-to-trunk', trunkCalls],
] as const;

/** What it costs to keep calls and bindings in Redis. Undefined when there is no redis-server. */
export async function benchStore(
  workspace: Workspace,
  { phonePort, duration, say }: { phonePort: number; duration: Duration; say: (text: string) => void },
): Promise<Row[] | undefined> {
  const program = findPeer('redis-server');
  if (program === undefined) return undefined;
  const rows: Row[] = [];
  for (const [kind, scenario] of scenarios) {
    const cpuMs = { memory: 0, redis: 0 };
    let failed = 0;
    for (let round = 0; round < rounds; round++) {
      for (const store of ['memory', 'redis'] as const) {
        const result = await withStore(store, program, (url) =>
          run(startGateway(workspace, { phonePort, store: url }), scenario, duration),
        );
        cpuMs[store] += result.cpuMs / rounds;
        for (const [why, count] of result.failures) {
          failed += count;
          say(`    failed: ${count} x ${why}`);
        }
        say(`  ${kind}, store: ${store}: ${result.cpuMs.toFixed(3)} ms CPU`);
      }
    }
    rows.push({
      figure: `CPU per ${kind} call at ${perSecond}/s, store: redis`,
      webtrunk: `${cpuMs.redis.toFixed(2)} ms`,
      'store: memory': `${cpuMs.memory.toFixed(2)} ms`,
      'to memory': `${(cpuMs.redis / cpuMs.memory).toFixed(2)} x`,
      failed: String(failed),
    });
  }
  return rows;
}

async function withStore(
  store: 'memory' | 'redis',
  program: string,
  use: (url: string | undefined) => Promise<Result>,
): Promise<Result> {
  if (store === 'memory') return use(undefined);
  const redis = await Redis.start(program);
  try {
    return await use(redis.url);
  } finally {
    await redis.stop();
  }
}

async function run(
  starting: Promise<Target>,
  scenario: typeof browserCalls,
  duration: Duration,
): Promise<Result> {
  const target = await starting;
  try {
    return await scenario(target, perSecond, duration);
  } finally {
    await target.stop();
  }
}
