import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock, Timer } from '../../sip/clock.js';
import { countLines, endTornLine, lineEnd } from './line-ends.js';

export interface RotatingFileOptions {
  readonly path: string;
  /** The file is put aside before it gets larger than this; 0: never. */
  readonly maxBytes: number;
  /** Files put aside that are kept. */
  readonly keep: number;
  readonly clock: Clock;
  /** Hears when writing begins to fail; what could not be written is kept and tried again. */
  readonly failed: (cause: unknown) => void;
  /** Hears of each line that is given up, because the disk takes none and too many wait, or the end has come. */
  readonly lost: (line: string) => void;
}

const retryMs = 5_000;
const maxWaitingLines = 100_000;

/**
 * A file of lines that is put aside as `NAME.20261121T051132123Z` when it is full. A file that somebody else has moved
 * away (logrotate) is begun anew.
 */
export class RotatingFile {
  #file: FileHandle | undefined;
  #sizeBytes = 0;
  #inode = 0;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;
  #retry: Timer | undefined;
  #isFailing = false;
  #isClosed = false;

  constructor(private readonly options: RotatingFileOptions) {}

  /** Lines that are not in the file yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Appends a line, which has no line end. */
  write(line: string): void {
    if (this.#waiting.length >= maxWaitingLines) return this.options.lost(line);
    this.#waiting.push(line);
    this.#writing ??= this.#drain();
  }

  /** Tries what waits once more; what the disk does not take is given up. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retry?.cancel();
    await this.#writing;
    await this.#drain();
    for (const line of this.#waiting.splice(0)) this.options.lost(line);
    await this.#release();
  }

  /** The only writer. */
  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      try {
        await this.#append();
        this.#isFailing = false;
      } catch (cause) {
        await this.#release();
        if (!this.#isFailing) this.options.failed(cause);
        this.#isFailing = true;
        if (this.#isClosed) break;
        this.#retry = this.options.clock.after(retryMs, () => {
          this.#writing ??= this.#drain();
        });
        break;
      }
    }
    this.#writing = undefined;
  }

  /** Writes what waits. When the disk takes only part of it, the lines that it took as a whole wait no more. */
  async #append(): Promise<void> {
    const text = Buffer.from(this.#waiting.map((line) => `${line}\n`).join(''));
    const file = await this.#fileFor(text.length);
    let written = 0;
    try {
      while (written < text.length) written += (await file.write(text, written)).bytesWritten;
    } catch (cause) {
      await this.#keepWhole(file, text.subarray(0, written));
      throw cause;
    }
    this.#sizeBytes += text.length;
    this.#waiting.splice(0, countLines(text));
  }

  /** Cuts off the line that is there in part; when that fails, too, it is ended before the file is written again. */
  async #keepWhole(file: FileHandle, taken: Buffer): Promise<void> {
    const wholeBytes = taken.lastIndexOf(lineEnd) + 1;
    this.#waiting.splice(0, countLines(taken));
    if (wholeBytes === taken.length) return;
    const cut = async (): Promise<void> => {
      const { size } = await file.stat();
      await file.truncate(size - (taken.length - wholeBytes));
    };
    await cut().catch(this.options.failed);
  }

  async #fileFor(bytes: number): Promise<FileHandle> {
    if (this.#file !== undefined && (await this.#isMoved())) await this.#release();
    this.#file ??= await this.#begin();
    const { maxBytes } = this.options;
    if (maxBytes === 0 || this.#sizeBytes === 0 || this.#sizeBytes + bytes <= maxBytes) return this.#file;
    await this.#putAside();
    this.#file = await this.#begin();
    return this.#file;
  }

  async #begin(): Promise<FileHandle> {
    const file = await open(this.options.path, 'a+', 0o640);
    try {
      this.#sizeBytes = await endTornLine(file);
      this.#inode = (await file.stat()).ino;
      return file;
    } catch (cause) {
      await file.close();
      throw cause;
    }
  }

  async #isMoved(): Promise<boolean> {
    try {
      return (await stat(this.options.path)).ino !== this.#inode;
    } catch {
      return true;
    }
  }

  async #putAside(): Promise<void> {
    const { path, clock, keep } = this.options;
    await this.#release();
    const stamp = new Date(clock.nowMs()).toISOString().replace(/[-:.]/g, '');
    await rename(path, `${path}.${stamp}`);
    const prefix = `${basename(path)}.`;
    const aside = (await readdir(dirname(path)))
      .filter((name) => name.startsWith(prefix) && /^[0-9]{8}T[0-9]{9}Z$/.test(name.slice(prefix.length)))
      .sort();
    for (const name of aside.slice(0, Math.max(aside.length - keep, 0)))
      await rm(join(dirname(path), name), { force: true });
  }

  async #release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }
}
