import { percentile } from '../bench/pace.js';
import { AbuseField } from '../support/abuse/abuse-field.js';
import type { AbuseGateway, Counters } from '../support/abuse/abuse-gateway.js';
import type { AbuseScenario } from '../support/abuse/abuse-scenario.js';
import type { LogLine } from '../support/gateway-process.js';
import { within } from '../support/within.js';
import type { AbuseLoad, LoadRun } from './abuse-load.js';

export interface AbuseRig {
  readonly gateway: AbuseGateway;
  readonly load: AbuseLoad;
}

export interface AbuseResult {
  readonly scenario: AbuseScenario;
  /** What became of the attacks. */
  readonly answered: string;
  /** By how much each counter of the scenario has moved. */
  readonly moved: readonly (readonly [name: string, by: number])[];
  /** Log lines that tell of the attacker. */
  readonly lines: number;
  readonly load: LoadRun;
  readonly p99Ms: number;
  /** What did not hold; empty when all did. */
  readonly flaws: readonly string[];
}

const endWithinMs = 15_000;
/** On a busy machine it takes an attacker as long to come to a limit. */
const longestMs = 20_000;
/** The log is written in parts. */
const logWithinMs = 3_000;
const lookEveryMs = 50;
/** Of one event about one address or user in a minute, and one that tells of the others. */
const mostLines = 101;

/**
 * Attacks while the load makes calls for so many seconds, and longer when the limits have not been met by then, and compares
 * what is seen with what has to be.
 */
export async function runScenario(
  { gateway, load }: AbuseRig,
  scenario: AbuseScenario,
  number: number,
  leastSeconds: number,
): Promise<AbuseResult> {
  const before = await gateway.counters();
  const firstLine = gateway.lines.length;
  const over = new AbortController();
  const field = new AbuseField({ doors: gateway.doors, number, over: over.signal });
  let hasBroken = false;
  const attack = scenario.attack(field).then(
    () => [],
    (thrown: unknown) => {
      hasBroken = true;
      return [thrown instanceof Error ? thrown.message : String(thrown)];
    },
  );
  const began = performance.now();
  const isMissing = (answer: string): boolean => field.tally.countOf(answer) === 0;
  const holds = async (): Promise<boolean> =>
    !scenario.answers.some(isMissing) &&
    movedBy(scenario, before, await gateway.counters()).every(([, by]) => by > 0);
  const runs = [await load.run(leastSeconds)];
  while (!hasBroken && performance.now() - began < longestMs && !(await holds())) {
    runs.push(await load.run(leastSeconds));
  }
  over.abort();
  const seen = together(runs);
  const broken = await within(endWithinMs, `the end of: ${scenario.name}`, attack);
  const moved = movedBy(scenario, before, await gateway.counters());
  await logHas(scenario.logged, () => eventsOf(gateway.lines.slice(firstLine)));
  const news = gateway.lines.slice(firstLine);
  const lines = news.filter((line) => field.isNamedIn(line));
  const seconds = (performance.now() - began) / 1_000;
  return {
    scenario,
    answered: field.tally.text,
    moved,
    lines: lines.length,
    load: seen,
    p99Ms: percentile(seen.ringMs, 0.99),
    flaws: [
      ...broken,
      ...harmTo(seen),
      ...scenario.answers.filter(isMissing).map((answer) => `never ${answer}`),
      ...moved.filter(([, by]) => by <= 0).map(([name]) => `${name} has not moved`),
      ...scenario.logged
        .filter((event) => !eventsOf(news).includes(event))
        .map((event) => `no line ${event}`),
      ...floodsIn(lines, seconds),
    ],
  };
}

function harmTo({ failures, begun, ended }: LoadRun): readonly string[] {
  const harm = failures.map((failure) => `the load: ${failure}`);
  return ended < begun ? [...harm, `the load: ${begun - ended} calls did not end well`] : harm;
}

function eventsOf(lines: readonly LogLine[]): readonly string[] {
  return lines.flatMap(({ event }) => (typeof event === 'string' ? [event] : []));
}

function together(runs: readonly LoadRun[]): LoadRun {
  return {
    begun: runs.reduce((sum, { begun }) => sum + begun, 0),
    ended: runs.reduce((sum, { ended }) => sum + ended, 0),
    failures: runs.flatMap(({ failures }) => failures),
    ringMs: runs.flatMap(({ ringMs }) => ringMs),
  };
}

function movedBy({ counters }: AbuseScenario, before: Counters, after: Counters): AbuseResult['moved'] {
  return counters.map((name) => [name, (after.get(name) ?? 0) - (before.get(name) ?? 0)]);
}

/** Events that the log tells of too often about the same address or user. */
function floodsIn(lines: readonly LogLine[], seconds: number): readonly string[] {
  const counts = new Map<string, number>();
  for (const { event, remote, aor, who } of lines) {
    const subject = [remote, aor, who].find((name) => typeof name === 'string') ?? '';
    const what = `${String(event)} about ${subject.replace(/:\d+$/, '')}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const most = mostLines * (Math.ceil(seconds / 60) + 1);
  return [...counts].filter(([, count]) => count > most).map(([what, count]) => `${count} lines ${what}`);
}

async function logHas(events: readonly string[], news: () => readonly string[]): Promise<void> {
  const deadline = performance.now() + logWithinMs;
  while (!events.every((event) => news().includes(event)) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
