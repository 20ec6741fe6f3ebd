import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/**
 * Loaded into a measured process before its program (`node --import`): tells its own CPU time and memory when asked
 * over the process channel, and profiles itself between two questions. It keeps nobody alive and does nothing else.
 */
export interface Usage {
  /** User and system time of all threads since the start, in microseconds. */
  readonly cpuMicros: number;
  /**
   * Live objects of the JavaScript heap, and resident memory outside that heap: what the heap has reserved and does not
   * use says more about its past than about what is in it. After a full garbage collection when that was asked for.
   */
  readonly memoryBytes: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

export interface ProbeRequest {
  readonly collectGarbage?: boolean;
  /** Starts profiling. */
  readonly startProfile?: boolean;
  /** Ends profiling and writes what it found into this file. */
  readonly profileFile?: string;
}

/** Coarse: each sample interrupts the system call that it hits, which then costs more than it would. */
const sampleMicros = 2_000;
let session: Session | undefined;

async function profile(request: ProbeRequest): Promise<void> {
  if (request.startProfile === true) {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: sampleMicros });
    await session.post('Profiler.start');
  }
  if (request.profileFile === undefined || session === undefined) return;
  const { profile: found } = await session.post('Profiler.stop');
  session.disconnect();
  session = undefined;
  writeFileSync(request.profileFile, JSON.stringify(found));
}

async function answer(request: ProbeRequest): Promise<void> {
  const { user, system } = process.cpuUsage();
  if (request.collectGarbage === true) globalThis.gc?.();
  await profile(request);
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  const usage: Usage = {
    cpuMicros: user + system,
    memoryBytes: rss - heapTotal + heapUsed,
    rssBytes: rss,
    heapBytes: heapUsed,
  };
  process.send?.(usage);
}

process.on('message', (request: ProbeRequest) => void answer(request));
process.channel?.unref();
