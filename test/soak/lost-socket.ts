import { percentile } from '../bench/pace.js';
import { CutOffice, findCutOfficePrograms } from '../support/cut-office.js';
import { allCases, runLostSocketTable } from '../support/lost-socket/lost-socket-table.js';
import type { SoakOptions } from './soak.js';

const cutsMs = [1_000, 5_000, 20_000];

/** Every call that loses its socket, for each client, phase, end and length: a table, and how soon signalling was back. */
export async function soakLostSocket({ say }: SoakOptions): Promise<string> {
  const programs = findCutOfficePrograms();
  if (programs === undefined) throw new Error('chromium, kamailio or baresip is not installed');
  const office = await CutOffice.start(programs);
  try {
    const softphone = await runLostSocketTable(office, 'softphone', allCases('softphone', cutsMs), say);
    const jssip = await runLostSocketTable(office, 'JsSIP', allCases('JsSIP', cutsMs), say);
    const p95 = (rows: typeof jssip): string =>
      percentile(
        rows.map(({ restoredMs }) => restoredMs),
        0.95,
      ).toFixed(0);
    const count = softphone.length + jssip.length;
    return `${count} calls as they should be; signalling back after p95 ${p95(softphone)} ms (softphone), ${p95(jssip)} ms (JsSIP)`;
  } finally {
    await office.close();
  }
}
