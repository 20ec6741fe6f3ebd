import { readFileSync } from 'node:fs';

const clockTicksPerSecond = 100;

/** User and system time of a process, with all of its threads, in microseconds (proc(5), `stat`: fields 14 and 15). */
export function cpuMicrosOf(pid: number): number {
  return readStat(`/proc/${pid}/stat`);
}

/** The same of its main thread alone, which runs the JavaScript of a Node program. */
export function mainThreadMicrosOf(pid: number): number {
  return readStat(`/proc/${pid}/task/${pid}/stat`);
}

function readStat(file: string): number {
  const fields = readFileSync(file, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / clockTicksPerSecond;
}
