import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Cdr } from './call-record.js';

/** Writes CDRs as one JSON line each. */
export interface CdrWriter {
  write(cdr: Cdr): void;
  /** Resolves when everything is on its way to the disk. */
  close(): Promise<void>;
}

/** Appends to `path`. `failed` hears of a write that did not succeed; calls go on. */
export function openCdrFile(path: string, failed: (cause: unknown) => void): CdrWriter {
  const stream = createWriteStream(path, { flags: 'a' });
  stream.on('error', failed);
  return {
    write(cdr) {
      if (stream.writable) stream.write(`${JSON.stringify(cdr)}\n`);
    },
    async close() {
      if (stream.closed) return;
      stream.end();
      await once(stream, 'close');
    },
  };
}
