import native from 'node-datachannel';
import type { Clock } from '../../clock.js';

/** More lines than this between two looks are a flood: strangers' STUN is logged packet by packet. */
const mostLines = 200;
const lookEveryMs = 1_000;
/** How long the log is off after a flood. */
const restMs = 10_000;

/** The native library tells no program what SRTP refuses; it logs the sums of each second. */
const sums = /: Number of (SRTCP|SRTP|truncated SRT).*: ([0-9]+) \(over /;

/** How many packets a line of the native log says that SRTP refused: wrong key, replayed, truncated. 0: another line. */
export function rejectedIn(line: string): number {
  return Number(sums.exec(line)?.[2] ?? 0);
}

/**
 * Calls `rejected` with the number of packets that SRTP refused, each second in which there are some. Holds for the whole process,
 * to its end: for a process that has nothing else to do.
 */
export function watchRejectedPackets(clock: Clock, rejected: (packets: number) => void): void {
  let lines = 0;
  const hear = (_level: string, line: string): void => {
    lines += 1;
    const packets = rejectedIn(line);
    if (packets > 0) rejected(packets);
    if (lines !== mostLines) return;
    // Without a callback: the native side puts it away under its own lock, and nobody calls the old one when the next one comes.
    native.initLogger('Fatal');
    clock.after(restMs, listen);
  };
  const listen = (): void => {
    lines = 0;
    native.initLogger('Warning', hear);
  };
  listen();
  clock.every(lookEveryMs, () => {
    if (lines < mostLines) lines = 0;
  });
}
