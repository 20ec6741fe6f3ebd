import { CutOffice, findCutOfficePrograms } from '../support/cut-office.js';
import {
  allCases,
  restoredP95Ms,
  runLostSocketTable,
  type CutClient,
} from '../support/lost-socket/lost-socket-table.js';
import type { SoakOptions } from './soak.js';

const cutsMs = [1_000, 5_000, 20_000];
const deadMs = 2_000;
const restoredWithinMs = 3_000;

/** Every call that loses its socket, for each client, phase, end and length: a table, and how soon signalling was back. */
export async function soakLostSocket({ say }: SoakOptions): Promise<string> {
  const programs = findCutOfficePrograms();
  if (programs === undefined) throw new Error('chromium, kamailio or baresip is not installed');
  const office = await CutOffice.start(programs);
  const run = async (client: CutClient): Promise<string> => {
    const cases = allCases(client, cutsMs);
    // The softphone has a memory of what it has sent; JsSIP has none.
    const dead = client === 'softphone' ? allCases(client, [3_000]).map((one) => ({ ...one, deadMs })) : [];
    const rows = await runLostSocketTable(office, client, [...cases, ...dead], say);
    const p95Ms = restoredP95Ms(rows);
    if (p95Ms >= restoredWithinMs)
      throw new Error(`signalling of ${client} is back after p95 ${p95Ms} ms only`);
    return `${rows.length} calls of ${client} as they should be, signalling back after p95 ${p95Ms.toFixed(0)} ms`;
  };
  try {
    return `${await run('softphone')}; ${await run('JsSIP')}`;
  } finally {
    await office.close();
  }
}
