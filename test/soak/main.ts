import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { soakAbuse } from './abuse.js';
import { soakCalls } from './calls.js';
import { soakDrain } from './drain-run.js';
import { soakKill } from './kill-run.js';
import { soakLostSocket } from './lost-socket.js';
import type { Soak } from './soak.js';

/** Each in a file of its own. */
const soaks: Readonly<Record<string, Soak>> = {
  calls: soakCalls,
  'lost-socket': soakLostSocket,
  drain: soakDrain,
  kill: soakKill,
  abuse: soakAbuse,
};

const help = `npm run soak [-- OPTIONS]
  --only NAMES    of ${Object.keys(soaks).join(', ')}; separated by commas
  --minutes N     how long each runs (30)
  --rate N        calls begun each second (10)
  --endpoints N   endpoints that are registered (2000)
  --seed N        the same number makes the same choices (by the clock)
`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(soaks).join() },
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string', default: '10' },
    endpoints: { type: 'string', default: '2000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    help: { type: 'boolean', default: false },
  },
});

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
  const [endpoints, seed] = [Number(values.endpoints), Number(values.seed)];
  const chosen = values.only.split(',').map((name) => [name, soaks[name]] as const);
  const areNumbers = minutes > 0 && rate > 0 && Number.isInteger(endpoints) && Number.isInteger(seed);
  if (values.help || !areNumbers || endpoints < 4 || chosen.some(([, soak]) => soak === undefined)) {
    process.stderr.write(help);
    process.exitCode = 2;
    return;
  }
  const [load = 0] = loadavg();
  say(`Node ${process.version}, ${cpus().length} cores, load ${load.toFixed(2)}, --seed ${seed}`);
  for (const [name, soak] of chosen) {
    say(`${name}:`);
    try {
      const seen = await soak?.({ minutes, rate, endpoints, seed, say: (text) => say(`  ${text}`) });
      say(`${name}: ${seen ?? ''}`);
    } catch (error) {
      say(`${name}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}

await main();
