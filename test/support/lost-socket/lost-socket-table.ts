import { percentile } from '../../bench/pace.js';
import type { CutOffice } from '../cut-office.js';
import { cutJsSip, cutSoftphone, type CutPhone } from './cut-phone.js';
import {
  ends,
  phases,
  runLostSocketCase,
  type End,
  type LostSocketCase,
  type LostSocketRow,
  type Phase,
} from './lost-socket-case.js';

const jssipPhases: ReadonlySet<Phase> = new Set(['ringing in', 'established', 'on hold', 're-INVITE in']);

export type CutClient = 'softphone' | 'JsSIP';

/**
 * JsSIP ends calls of its own that ring, and those with a re-INVITE of its own under way, when its socket closes. It rings
 * again for a call that it has declined meanwhile.
 */
function isPossible(client: CutClient, phase: Phase, end: End): boolean {
  if (client === 'softphone') return true;
  return jssipPhases.has(phase) && !(phase === 'ringing in' && end === 'browser during');
}

/** Every phase and end with cuts of these lengths. */
export function allCases(client: CutClient, cutsMs: readonly number[]): LostSocketCase[] {
  return phases.flatMap((phase) =>
    ends
      .filter((end) => isPossible(client, phase, end))
      .flatMap((end) => cutsMs.map((cutMs) => ({ phase, end, cutMs }))),
  );
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
  const restoredMs = restoredP95Ms(rows).toFixed(0);
  say(
    `${client}: signalling back after p95 ${restoredMs} ms, ${rows.length} of ${cases.length} as they should be`,
  );
  if (failures.length > 0) throw new Error(`${failures.length} failed:\n${failures.join('\n')}`);
  return rows;
}

/** The 95th percentile of the time from the line being mended to the endpoint having its flow. */
export function restoredP95Ms(rows: readonly LostSocketRow[]): number {
  return percentile(
    rows.map(({ restoredMs }) => restoredMs),
    0.95,
  );
}

function rowText(client: string, { phase, end, cutMs, deadMs }: LostSocketCase, text: string): string {
  const silence = deadMs === undefined ? '' : `, silent ${deadMs / 1000} s before`;
  return [
    client.padEnd(9),
    phase.padEnd(13),
    end.padEnd(14),
    `${cutMs / 1000} s${silence}`.padStart(5),
    text,
  ].join(' | ');
}
