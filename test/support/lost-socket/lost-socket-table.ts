import type { CutOffice } from '../cut-office.js';
import { cutJsSip, cutSoftphone, type CutPhone } from './cut-phone.js';
import {
  ends,
  phases,
  runLostSocketCase,
  type LostSocketCase,
  type LostSocketRow,
  type Phase,
} from './lost-socket-case.js';

const jssipPhases: ReadonlySet<Phase> = new Set(['established', 're-INVITE in']);

export type CutClient = 'softphone' | 'JsSIP';

/** Every phase and end with cuts of these lengths. JsSIP ends by itself what is not established when its socket closes. */
export function allCases(client: CutClient, cutsMs: readonly number[]): LostSocketCase[] {
  const known = phases.filter((phase) => client === 'softphone' || jssipPhases.has(phase));
  return known.flatMap((phase) => ends.flatMap((end) => cutsMs.map((cutMs) => ({ phase, end, cutMs }))));
}

/** Runs the cases one after the other with one phone, a new one after a failure, and tells each row as it comes. */
export async function runLostSocketTable(
  office: CutOffice,
  client: CutClient,
  cases: readonly LostSocketCase[],
  say: (text: string) => void,
): Promise<readonly LostSocketRow[]> {
  const open = (): Promise<CutPhone> => (client === 'softphone' ? cutSoftphone(office) : cutJsSip(office));
  const rows: LostSocketRow[] = [];
  const failures: string[] = [];
  let alice = await open();
  for (const one of cases) {
    try {
      const row = await runLostSocketCase(office, alice, one);
      rows.push(row);
      say(rowText(client, row, `${row.outcome}; back after ${row.restoredMs} ms`));
    } catch (error) {
      const [detail = ''] = String(error).split('\n');
      failures.push(rowText(client, one, detail));
      say(rowText(client, one, `FAILED: ${detail}`));
      office.line.mend();
      office.phone.hangUp();
      office.earlyPhone.hangUp();
      await alice.close().catch(() => undefined);
      alice = await open();
    }
  }
  await alice.close();
  if (failures.length > 0) throw new Error(`${failures.length} failed:\n${failures.join('\n')}`);
  return rows;
}

function rowText(client: string, { phase, end, cutMs }: LostSocketCase, text: string): string {
  return [client.padEnd(9), phase.padEnd(13), end.padEnd(14), `${cutMs / 1000} s`.padStart(5), text].join(
    ' | ',
  );
}
