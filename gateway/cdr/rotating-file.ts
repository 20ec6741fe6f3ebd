import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../sip/clock.js';

export interface RotatingFileOptions {
  readonly path: string;
  /** The file is put aside before it gets larger than this; 0: never. */
  readonly maxBytes: number;
  /** Files put aside that are kept. */
  readonly keep: number;
  readonly clock: Clock;
  /** Hears when writing begins to fail; what could not be written is kept and tried again. */
  readonly failed: (cause: unknown) => void;
  /** Hears of each line that is given up, because too many wait for a disk that takes none. */
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

  /** Resolves when everything is written, or cannot be. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writing;
    await this.#release();
  }

  /** The only writer. */
  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = [...this.#waiting];
      try {
        await this.#append(lines);
        this.#waiting.splice(0, lines.length);
        this.#isFailing = false;
      } catch (cause) {
        await this.#release();
        if (!this.#isFailing) this.options.failed(cause);
        this.#isFailing = true;
        if (this.#isClosed) break;
        this.options.clock.after(retryMs, () => {
          this.#writing ??= this.#drain();
        });
        break;
      }
    }
    this.#writing = undefined;
  }

  async #append(lines: readonly string[]): Promise<void> {
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    const file = await this.#fileFor(text.length);
    await file.appendFile(text);
    this.#sizeBytes += text.length;
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
    const file = await open(this.options.path, 'a', 0o640);
    const { size, ino } = await file.stat();
    this.#sizeBytes = size;
    this.#inode = ino;
    return file;
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
