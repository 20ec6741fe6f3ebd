/** Of its interval, the part over which the first refreshes of sessions that were taken over are spread. */
const spread = 1 / 60;

/**
 * When to refresh a session (RFC 4028) that an earlier process has refreshed, in ms from its take-over. Nobody knows when
 * that was last done: soon, then, but not at once for all the sessions of a process that has died.
 *
 * @param localTag random; says which of them goes first
 */
export function refreshAfterTakeOverMs(seconds: number, localTag: string): number {
  const turn = Number.parseInt(localTag.slice(0, 4), 16) / 0x1_00_00;
  return Number.isFinite(turn) ? Math.round(seconds * 1000 * spread * turn) : 0;
}
