import fc from 'fast-check';
import { keepFound } from './found.js';
import { isOver, Slowest, type FuzzOptions, type FuzzReport, type FuzzTarget } from './fuzz-target.js';
import type { PureTarget } from './pure-targets.js';

const batch = 200;
/** Of CPU time, so that a busy machine does not count. */
const longestMs = 1_000;

/** Gives inputs to a reader in this very process. */
export function fuzzPure(name: string, target: PureTarget): FuzzTarget {
  return async (options) => {
    let runs = 0;
    let early: number | undefined;
    const slowest = new Slowest();
    const beganMs = performance.now();
    for (let round = 0; !isOver(options, runs); round++) {
      for (const bytes of fc.sample(target.inputs, { seed: options.seed + round, numRuns: batch })) {
        if (isOver(options, runs)) break;
        await give(name, target, bytes, slowest);
        runs += 1;
      }
      if (isEarly(options, runs, beganMs)) early = liveBytes();
    }
    const late = liveBytes();
    return report(runs, slowest, early ?? late, late);
  };
}

/** Gives one input; rejects with where it was kept when the reader does not stand it. */
async function give(name: string, target: PureTarget, bytes: Buffer, slowest: Slowest): Promise<void> {
  const began = process.cpuUsage();
  try {
    await target.read(bytes);
  } catch (cause) {
    const { message } = cause instanceof Error ? cause : { message: String(cause) };
    throw new Error(`${message}; kept as ${keepFound(name, bytes)}`, { cause });
  }
  const { user, system } = process.cpuUsage(began);
  const ms = (user + system) / 1_000;
  slowest.note(ms, () => JSON.stringify(bytes.toString('latin1', 0, 60)));
  if (ms > longestMs) throw new Error(`${ms.toFixed(0)} ms for one input; kept as ${keepFound(name, bytes)}`);
}

/** Up to a fifth: what is made once is there by then. */
function isEarly({ count, untilMs }: FuzzOptions, runs: number, beganMs: number): boolean {
  return runs <= count / 5 && performance.now() - beganMs <= (untilMs - beganMs) / 5;
}

function liveBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

function report(runs: number, { ms, what }: Slowest, early: number, late: number): FuzzReport {
  return { runs, slowest: { ms, what }, memoryBytes: [early, late] };
}
