import type { Instance } from './instance.js';
import { NgFailure } from './ng-failure.js';

/** As many call ids are asked for at once: their list has to fit into one UDP datagram. */
const listLimit = 500;

export interface OrphanDeadlines {
  readonly queryMs: number;
  readonly deleteMs: number;
}

/**
 * Deletes calls of ours that nobody knows any more: left by a process that ended without its deletes, or by a delete
 * that was lost while the instance could not be reached.
 *
 * @param prefix what the ids of all our calls begin with, those of earlier processes too
 * @param isOpen whether a call of that id is up
 * @returns how many were deleted; fewer than there were when the instance stops answering
 */
export async function deleteOrphans(
  instance: Instance,
  prefix: string,
  isOpen: (callId: string) => boolean,
  deadlines: OrphanDeadlines,
): Promise<number> {
  let deleted = 0;
  for (;;) {
    const { orphans, isComplete } = await findOrphans(instance, prefix, isOpen, deadlines.queryMs);
    for (const id of orphans) {
      await instance.send({ command: 'delete', 'call-id': id, 'delete-delay': 0 }, deadlines.deleteMs);
      deleted += 1;
    }
    // A full list may hide more; without an orphan in it, the next one would be the same.
    if (isComplete || orphans.length === 0) return deleted;
  }
}

async function findOrphans(
  instance: Instance,
  prefix: string,
  isOpen: (callId: string) => boolean,
  deadlineMs: number,
): Promise<{ orphans: readonly string[]; isComplete: boolean }> {
  const answer = await instance.send({ command: 'list', limit: listLimit }, deadlineMs);
  const calls = answer.get('calls');
  if (!Array.isArray(calls)) throw new NgFailure('garbled', 'the list of calls is missing');
  const ids = calls.filter((id: unknown): id is string => typeof id === 'string');
  const orphans = ids.filter((id) => id.startsWith(prefix) && !isOpen(id));
  return { orphans, isComplete: ids.length < listLimit };
}
