import type { FileHandle } from 'node:fs/promises';

/** LF, as a byte. */
export const lineEnd = 10;

/** How many lines end in `text`. */
export function countLines(text: Buffer): number {
  return text.filter((byte) => byte === lineEnd).length;
}

/**
 * Ends the last line of a file of lines when a crash or a full disk has cut it short, so that nothing is glued to it; the
 * file is open for reading and appending. Returns the size in bytes then. Rejects when the disk takes nothing.
 */
export async function endTornLine(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  if (size === 0) return size;
  const last = Buffer.alloc(1);
  await file.read(last, 0, 1, size - 1);
  if (last[0] === lineEnd) return size;
  await file.appendFile('\n');
  return size + 1;
}
