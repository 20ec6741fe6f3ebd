import { abuseScenarios } from '../support/abuse/abuse-scenarios.js';
import type { AbuseScenario } from '../support/abuse/abuse-scenario.js';
import { openAbuseRig, type OpenAbuseRig } from './abuse-rig.js';
import { runScenario, type AbuseResult } from './abuse-run.js';
import type { Soak } from './soak.js';

const attackSeconds = 20;
const patienceSeconds = 5;
const mostEndpoints = 200;
/** What the issue asks for; and how much slower calls may be set up than in quiet, where that is more. */
const [mostP99Ms, mostTimesQuiet] = [100, 5];
const emptyWithinMs = 60_000;
const lookEveryMs = 500;
/** The application itself; addresses are remembered for ten minutes, and the last callers for the guard against fraud. */
const standing = ['engine_clients', 'failingAddresses', 'fraud_users'];

const quiet: AbuseScenario = {
  name: 'quiet',
  limit: '',
  answers: [],
  counters: [],
  logged: [],
  attack: (field) => field.end(),
};

/** Each scenario against calls that go on; prints a row of the table in docs/security.md for each. */
export const soakAbuse: Soak = async ({ rate, endpoints, seed, say }) => {
  const rig = await openAbuseRig(
    {
      endpoints: Math.min(endpoints, mostEndpoints),
      rate,
      seed,
      talkMs: { least: 300, most: 3_000 },
      reconnectEverySeconds: 120,
    },
    patienceSeconds,
  );
  try {
    // The first one warms the program up.
    await runScenario(rig, quiet, abuseScenarios.length + 1, attackSeconds);
    const inQuiet = await runScenario(rig, quiet, abuseScenarios.length + 1, attackSeconds);
    const header = [
      'attack',
      'what holds',
      'answers',
      'counters moved (`webtrunk_…`)',
      'log lines',
      'calls, failed',
      'p99',
    ];
    say(`| ${header.join(' | ')} |`);
    say(`| ${header.map(() => '---').join(' | ')} |`);
    const flaws = [...report(inQuiet, inQuiet.p99Ms, say)];
    for (const [at, scenario] of abuseScenarios.entries()) {
      const result = await runScenario(rig, scenario, at + 1, attackSeconds);
      flaws.push(...report(result, inQuiet.p99Ms, say));
    }
    flaws.push(...(await leftIn(rig)));
    if (flaws.length > 0) throw new Error(`${flaws.length} things did not hold: ${flaws.join('; ')}`);
    return `${abuseScenarios.length} attacks, no call of the load harmed, tables empty`;
  } finally {
    const ill = await rig.close();
    if (ill !== '') say(ill);
  }
};

function rowOf({ scenario, answered, moved, lines, load, p99Ms }: AbuseResult): string {
  const counters = moved.map(([name, by]) => `\`${name}\` ${by}`).join(', ');
  const calls = `${load.begun}, ${load.failures.length === 0 ? 'none' : load.failures.length}`;
  const cells = [scenario.name, scenario.limit, answered, counters, lines, calls, `${p99Ms.toFixed(0)} ms`];
  return `| ${cells.join(' | ')} |`;
}

/** Says the row and what did not hold; gives the latter. */
function report(result: AbuseResult, quietMs: number, say: (text: string) => void): readonly string[] {
  const { scenario, p99Ms } = result;
  say(rowOf(result));
  const isSlow = p99Ms > Math.max(mostP99Ms, quietMs * mostTimesQuiet);
  const slow = isSlow ? [`p99 ${p99Ms.toFixed(0)} ms, in quiet ${quietMs.toFixed(0)} ms`] : [];
  const flaws = [...result.flaws, ...slow].map((flaw) => `${scenario.name}: ${flaw}`);
  for (const flaw of flaws) say(`  ${flaw}`);
  return flaws;
}

/** Tables that do not become empty once everybody has gone. */
async function leftIn({ gateway, load }: OpenAbuseRig): Promise<readonly string[]> {
  await load.hangUp();
  const deadline = performance.now() + emptyWithinMs;
  for (;;) {
    const left = Object.entries(await gateway.inspect()).filter(
      ([table, size]) => size > 0 && !standing.includes(table),
    );
    if (left.length === 0 || performance.now() > deadline) {
      return left.map(([table, size]) => `${size} left in ${table}`);
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
