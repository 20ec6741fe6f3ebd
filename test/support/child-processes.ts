import { readFile } from 'node:fs/promises';

/** Process ids of our children whose command line has `part` in it. */
export async function childProcesses(part: string): Promise<number[]> {
  const { pid } = process;
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  const found: number[] = [];
  for (const child of children.filter((text) => text !== '')) {
    const line = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
    if (line.includes(part)) found.push(Number(child));
  }
  return found;
}
