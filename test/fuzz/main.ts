import { parseArgs } from 'node:util';
import { table, type Row } from '../bench/table.js';
import { fuzzEngineTarget } from './fuzz-engine.js';
import { fuzzPure } from './fuzz-pure.js';
import type { FuzzReport, FuzzTarget } from './fuzz-target.js';
import { gatewayTargets } from './gateway-targets.js';
import { pureTargets } from './pure-targets.js';

/** Torments one input each. */
const targets: Readonly<Record<string, FuzzTarget>> = {
  engine: fuzzEngineTarget,
  ...gatewayTargets,
  ...Object.fromEntries(Object.entries(pureTargets).map(([name, target]) => [name, fuzzPure(name, target)])),
};

const help = `npm run fuzz [-- OPTIONS]
  --only NAMES   of ${Object.keys(targets).join(', ')}; separated by commas
  --minutes N    for all of them together (10)
  --count N      inputs for each, at most (no limit)
  --seed N       the same number makes the same inputs (by the clock)
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(targets).join() },
    minutes: { type: 'string' },
    count: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const usualMinutes = 10;
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function row(name: string, { runs, slowest, memoryBytes }: FuzzReport, seconds: number): Row {
  return {
    input: name,
    runs: String(runs),
    crashes: '0',
    slowest: `${slowest.ms.toFixed(0)} ms ${slowest.what.slice(0, 40)}`,
    memory: memoryBytes.map(mebibytes).join(' → '),
    seconds: seconds.toFixed(0),
  };
}

async function main(): Promise<void> {
  const count = values.count === undefined ? Infinity : Number(values.count);
  // A count alone is a limit of its own.
  const minutes = Number(values.minutes ?? (values.count === undefined ? usualMinutes : Infinity));
  const seed = Number(values.seed);
  const chosen = values.only.split(',').map((name) => [name, targets[name]] as const);
  const areNumbers = count > 0 && minutes > 0 && Number.isInteger(seed);
  if (values.help || !areNumbers || chosen.some(([, target]) => target === undefined)) {
    process.stderr.write(help);
    process.exitCode = 2;
    return;
  }
  say(`--seed ${seed}`);
  const rows: Row[] = [];
  for (const [name, target] of chosen) {
    const beganMs = performance.now();
    const untilMs = beganMs + (minutes * 60_000) / chosen.length;
    try {
      const report = await target?.({ count, untilMs, seed, say: (text) => say(`  ${name}: ${text}`) });
      if (report === undefined) continue;
      say(`${name}: ${report.runs} inputs, no crash${report.note === undefined ? '' : `; ${report.note}`}`);
      rows.push(row(name, report, (performance.now() - beganMs) / 1_000));
    } catch (error) {
      say(`${name}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
      rows.push({ input: name, crashes: '1' });
      process.exitCode = 1;
    }
  }
  say(`\n${table(rows)}`);
}

await main();
