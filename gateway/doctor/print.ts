import type { Finding } from './finding.js';

const marks = { ok: 'ok  ', warn: 'WARN', failed: 'FAIL' } as const;

/** One finding as lines for people. */
export function findingText({ step, result, says, details = [], cause, change }: Finding): string {
  const lines = [`${marks[result]} ${step.padEnd(8)} ${says}`];
  for (const detail of details) lines.push(`                ${detail}`);
  if (cause !== undefined) lines.push(`     cause:     ${cause}`);
  if (change !== undefined) lines.push(`     change:    ${change}`);
  return `${lines.join('\n')}\n`;
}
