import { steps, type Cell, type Row } from './steps.js';

/** The rows as a Markdown table; reasons for empty cells are below it by letter. */
export function tableOf(rows: readonly Row[]): string {
  const reasons: string[] = [];
  const cell = (seen: Cell | undefined): string => {
    if (seen?.outcome === 'done') return 'yes';
    if (seen?.outcome !== 'not applicable') return 'FAILED';
    if (!reasons.includes(seen.reason)) reasons.push(seen.reason);
    return `n/a ${letterOf(reasons.indexOf(seen.reason))}`;
  };
  const lines = rows.map(({ engine, caller, peer, cells }) =>
    [engine, caller, peer, ...steps.map((step) => cell(cells.get(step)))].join(' | '),
  );
  const head = ['engine', 'calls', 'on the other side', ...steps];
  return [
    `| ${head.join(' | ')} |`,
    `| ${head.map(() => '---').join(' | ')} |`,
    ...lines.map((line) => `| ${line} |`),
    '',
    ...reasons.map((reason, index) => `- ${letterOf(index)}: ${reason}`),
  ].join('\n');
}

function letterOf(index: number): string {
  return String.fromCodePoint('a'.charCodeAt(0) + index);
}
