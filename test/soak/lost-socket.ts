import { CutOffice, findCutOfficePrograms, type CutOfficePrograms } from '../support/cut-office.js';
import type { LostSocketCase, LostSocketRow } from '../support/lost-socket/lost-socket-case.js';
import {
  allCases,
  restoredP95Ms,
  runLostSocketTable,
  type CutClient,
} from '../support/lost-socket/lost-socket-table.js';
import type { SoakOptions } from './soak.js';

const cutsMs = [1_000, 5_000, 20_000];
const deadMs = 2_000;
const deadAndCutMs = 3_000;
const restoredWithinMs = 3_000;

/** Every call that loses its socket, for each client, phase, end and length: a table, and how soon signalling was back. */
export async function soakLostSocket({ say }: SoakOptions): Promise<string> {
  const programs = findCutOfficePrograms();
  if (programs === undefined) throw new Error('chromium, kamailio or baresip is not installed');
  const failures: string[] = [];
  const outcomes: string[] = [];
  for (const client of ['softphone', 'JsSIP'] as const) {
    const rows: LostSocketRow[] = [];
    for (const cases of groupsOf(client)) {
      const ran = runGroup(programs, client, cases, say);
      rows.push(...(await ran.catch((error: unknown) => (failures.push(String(error)), []))));
    }
    const p95Ms = restoredP95Ms(rows);
    if (p95Ms >= restoredWithinMs)
      failures.push(`signalling of ${client} is back after p95 ${p95Ms} ms only`);
    outcomes.push(
      `${rows.length} calls of ${client} as they should be, signalling back after p95 ${p95Ms.toFixed(0)} ms`,
    );
  }
  if (failures.length > 0) throw new Error(failures.join('\n'));
  return outcomes.join('; ');
}

/** Those with cuts of one length each: a telephone serves for a quarter of an hour. */
function groupsOf(client: CutClient): LostSocketCase[][] {
  const groups = cutsMs.map((cutMs) => allCases(client, [cutMs]));
  // The softphone has a memory of what it has sent; JsSIP has none.
  if (client === 'softphone')
    groups.push(allCases(client, [deadAndCutMs]).map((one) => ({ ...one, deadMs })));
  return groups;
}

async function runGroup(
  programs: CutOfficePrograms,
  client: CutClient,
  cases: readonly LostSocketCase[],
  say: SoakOptions['say'],
): Promise<readonly LostSocketRow[]> {
  const office = await CutOffice.start(programs);
  try {
    return await runLostSocketTable(office, client, cases, say);
  } finally {
    await office.close();
  }
}
