const baseMs = 1_000;
const maxMs = 30_000;
/** With a call up a person waits for the other one, and the server for the phone: no longer than for its `resume_grace`. */
export const maxInCallMs = 2_000;

/**
 * How long to wait before attempt number `failures` + 1, in milliseconds: the wait doubles with each failure up to 30 s
 * and is drawn from its upper half, so that the clients of a restarted server do not return at once (RFC 5626 §4.5, with
 * a shorter base since a person is waiting).
 *
 * @param failures consecutive failures so far, at least 1
 * @param random a number in [0, 1)
 * @param longestMs the longest wait
 */
export function reconnectDelayMs(failures: number, random: number, longestMs = maxMs): number {
  const ceiling = Math.min(longestMs, baseMs * 2 ** Math.min(failures, 10));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}
