import { setTimeout as delay } from 'node:timers/promises';

const tickMs = 2;

/**
 * Starts `perSecond` operations a second for `seconds`, evenly spread and never waiting for one to end, so that a slow
 * server is not spared. Returns how many it has started.
 */
export async function pace(perSecond: number, seconds: number, start: () => void): Promise<number> {
  const began = performance.now();
  const total = Math.round(perSecond * seconds);
  for (let started = 0; started < total; await delay(tickMs)) {
    const due = Math.min(total, Math.floor(((performance.now() - began) * perSecond) / 1_000));
    for (; started < due; started++) start();
  }
  return total;
}

/** Waits until `isDone`, at most `seconds`. */
export async function settle(isDone: () => boolean, seconds: number): Promise<void> {
  for (const deadline = performance.now() + seconds * 1_000; !isDone() && performance.now() < deadline;) {
    await delay(20);
  }
}

/** The value below which `share` of the samples lie. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
