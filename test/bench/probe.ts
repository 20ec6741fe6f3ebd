/**
 * Loaded into a measured process before its program (`node --import`): tells its own CPU time and memory when asked
 * over the process channel. It keeps nobody alive and does nothing in between.
 */
export interface Usage {
  /** User and system time of all threads since the start, in microseconds. */
  readonly cpuMicros: number;
  /** After a full garbage collection when that was asked for. */
  readonly rssBytes: number;
  readonly heapBytes: number;
}

export interface UsageRequest {
  readonly collectGarbage: boolean;
}

process.on('message', (request: UsageRequest) => {
  const { user, system } = process.cpuUsage();
  if (request.collectGarbage) globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const usage: Usage = { cpuMicros: user + system, rssBytes: rss, heapBytes: heapUsed };
  process.send?.(usage);
});
process.channel?.unref();
