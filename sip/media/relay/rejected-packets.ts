import native from 'node-datachannel';

/** The native library tells no program what SRTP refuses; it logs the sums of each second. */
const sums = /: Number of (SRTCP|SRTP|truncated SRT).*: ([0-9]+) \(over /;

/** How many packets a line of the native log says that SRTP refused: wrong key, replayed, truncated. 0: another line. */
export function rejectedIn(line: string): number {
  return Number(sums.exec(line)?.[2] ?? 0);
}

/**
 * Calls `rejected` with the number of packets that SRTP refused, each second in which there are some. Holds for the whole process,
 * to its end: for a process that has nothing else to do. However much is logged (strangers' STUN, checks of candidates that cannot
 * be reached), it is never turned off: the native side takes no level without a callback, and ends the process when one is put in the
 * place of another that its threads are calling.
 */
export function watchRejectedPackets(rejected: (packets: number) => void): void {
  native.initLogger('Warning', (_level, line) => {
    const packets = rejectedIn(line);
    if (packets > 0) rejected(packets);
  });
}
