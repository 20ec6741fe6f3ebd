import { fuzzEngine } from '../torture/engine-fuzz.js';
import type { FuzzOptions, FuzzReport } from './fuzz-target.js';

/** The embedded SIP engine over UDP, TCP and TLS, and its side of the control protocol. */
export async function fuzzEngineTarget(options: FuzzOptions): Promise<FuzzReport> {
  const { heapBytes, state, sent, slowest } = await fuzzEngine(options);
  const counted = Object.entries(state.counters).map(([name, count]) => `${name} ${count}`);
  return {
    runs: sent,
    slowest,
    memoryBytes: heapBytes,
    note: `${state.received} messages received (${counted.join(', ')})`,
  };
}
