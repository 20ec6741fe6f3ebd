import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

const path = fileURLToPath(new URL('../../../../docs/interop.md', import.meta.url));
const begin = '<!-- matrix: begin (written by npm test with WEBTRUNK_KEEP_MATRIX=yes) -->';
const end = '<!-- matrix: end -->';

/** Whether this run is to write the table to docs/interop.md in place of comparing it. */
export const keeps = process.env['WEBTRUNK_KEEP_MATRIX'] === 'yes';

/** docs/interop.md as it is, and as it is with this table. */
export async function withTable(table: string): Promise<{ readonly kept: string; readonly seen: string }> {
  const kept = await readFile(path, 'utf8');
  const [from, to] = [kept.indexOf(begin), kept.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no place for the table in ${path}`);
  const seen = `${kept.slice(0, from)}${begin}\n\n${table}\n\n${kept.slice(to)}`;
  return { kept, seen: await format(seen, { ...(await resolveConfig(path)), parser: 'markdown' }) };
}

export function keep(text: string): Promise<void> {
  return writeFile(path, text);
}
