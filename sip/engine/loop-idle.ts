import { performance } from 'node:perf_hooks';

/** For how long the event loop has waited for something to do since the process began, in ms. */
export function loopIdleMs(): number {
  return performance.eventLoopUtilization().idle;
}
