import { parseArgs } from 'node:util';
import { fuzzEngine } from '../torture/engine-fuzz.js';

/** Torments one part of the project; throws when it does not stand it, else says what was seen. */
type Target = (options: {
  readonly count: number;
  readonly seed: number;
  readonly say: (text: string) => void;
}) => Promise<string>;

const targets: Readonly<Record<string, Target>> = {
  engine: async (options) => {
    const { heapBytes, state, seconds } = await fuzzEngine(options);
    const [early, late] = heapBytes.map((bytes) => (bytes / 2 ** 20).toFixed(2));
    const counted = Object.entries(state.counters).map(([name, count]) => `${name} ${count}`);
    return `${state.received} messages received (${counted.join(', ')}), live memory ${early} → ${late} MiB, ${seconds.toFixed(1)} s`;
  },
};

const help = `npm run fuzz [-- OPTIONS]
  --only NAMES   of ${Object.keys(targets).join(', ')}; separated by commas
  --count N      mutations for each (1000000)
  --seed N       the same number makes the same mutations (by the clock)
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(targets).join() },
    count: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const [count, seed] = [Number(values.count), Number(values.seed)];
  const chosen = values.only.split(',').map((name) => [name, targets[name]] as const);
  const areNumbers = Number.isInteger(count) && count > 0 && Number.isInteger(seed);
  if (values.help || !areNumbers || chosen.some(([, target]) => target === undefined)) {
    process.stderr.write(help);
    process.exitCode = 2;
    return;
  }
  for (const [name, target] of chosen) {
    say(`${name}: ${count} mutations, --seed ${seed}`);
    try {
      const seen = await target?.({ count, seed, say: (text) => say(`  ${text}`) });
      say(`${name}: ${seen ?? ''}`);
    } catch (error) {
      say(`${name}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}

await main();
