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
  readonly patienceSeconds: number;
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
/** The log is written in parts. */
const logWithinMs = 3_000;
const lookEveryMs = 50;
/** Of one event about one address or user in a minute, and one that tells of the others. */
const mostLines = 101;

/** Attacks while the load makes calls for so many seconds, and compares what is seen with what has to be. */
export async function runScenario(
  { gateway, load, patienceSeconds }: AbuseRig,
  scenario: AbuseScenario,
  number: number,
  seconds: number,
): Promise<AbuseResult> {
  const before = await gateway.counters();
  const firstLine = gateway.lines.length;
  const over = new AbortController();
  const field = new AbuseField({ doors: gateway.doors, number, over: over.signal, patienceSeconds });
  const attack = scenario.attack(field).then(
    () => [],
    (thrown: unknown) => [thrown instanceof Error ? thrown.message : String(thrown)],
  );
  const began = performance.now();
  const seen = await load.run(seconds).finally(() => over.abort());
  const broken = await within(endWithinMs, `the end of: ${scenario.name}`, attack);
  const moved = movedBy(scenario, before, await gateway.counters());
  const news = (): readonly string[] =>
    gateway.lines.slice(firstLine).flatMap(({ event }) => (typeof event === 'string' ? [event] : []));
  await logHas(scenario.logged, news);
  const lines = gateway.lines.slice(firstLine).filter((line) => field.isNamedIn(line));
  const minutes = Math.ceil((performance.now() - began) / 60_000) + 1;
  const logged = news();
  return {
    scenario,
    answered: field.tally.text,
    moved,
    lines: lines.length,
    load: seen,
    p99Ms: percentile(seen.ringMs, 0.99),
    flaws: [
      ...broken,
      ...seen.failures.map((failure) => `the load: ${failure}`),
      ...(seen.ended < seen.begun ? [`the load: ${seen.begun - seen.ended} calls did not end well`] : []),
      ...scenario.answers
        .filter((answer) => field.tally.countOf(answer) === 0)
        .map((answer) => `never ${answer}`),
      ...moved.filter(([, by]) => by <= 0).map(([name]) => `${name} has not moved`),
      ...scenario.logged.filter((event) => !logged.includes(event)).map((event) => `no line ${event}`),
      ...floodsOf(lines)
        .filter(([, count]) => count > mostLines * minutes)
        .map(([what, count]) => `${count} lines ${what}`),
    ],
  };
}

function movedBy({ counters }: AbuseScenario, before: Counters, after: Counters): AbuseResult['moved'] {
  return counters.map((name) => [name, (after.get(name) ?? 0) - (before.get(name) ?? 0)]);
}

/** How many lines of each event tell of the same address or user. */
function floodsOf(lines: readonly LogLine[]): readonly (readonly [what: string, count: number])[] {
  const counts = new Map<string, number>();
  for (const { event, remote, aor, who } of lines) {
    const subject = [remote, aor, who].find((name) => typeof name === 'string') ?? '';
    const what = `${String(event)} about ${subject.replace(/:\d+$/, '')}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts];
}

async function logHas(events: readonly string[], news: () => readonly string[]): Promise<void> {
  const deadline = performance.now() + logWithinMs;
  while (!events.every((event) => news().includes(event)) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}
