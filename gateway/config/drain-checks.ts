import type { CrossFinding } from './problem.js';
import type { ConfigFile } from './schema.js';
import { parseDurationMs } from './units.js';

/** The notice is a part of the time that calls have. */
export function checkDrain({ drain }: Partial<ConfigFile>): CrossFinding[] {
  if (drain === undefined) return [];
  const { notice, limit } = drain;
  if ((parseDurationMs(notice) ?? 0) <= (parseDurationMs(limit) ?? 0)) return [];
  const problem = `calls are ended after limit: ${limit}, before the notice is over`;
  return [{ path: ['drain', 'notice'], problem, fix: `write a limit above ${notice}` }];
}
