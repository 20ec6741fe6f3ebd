import { open, readFile, rename, writeFile, type FileHandle } from 'node:fs/promises';
import { countLines, endTornLine, lineEnd } from './line-ends.js';

/** Lines that wait on the disk, oldest first; they outlive the process. */
export interface SpooledLine {
  readonly text: string;
  /** Where the next line begins, in bytes. */
  readonly endsAt: number;
}

const readBytes = 256 * 1024;

/**
 * A queue of lines in a file, and beside it (`FILE.done`) up to where they have been dealt with. After a crash the
 * lines of the last moment may be handed out once more, none is left out.
 */
export class Spool {
  #doneAt = 0;
  #sizeBytes = 0;
  #waiting = 0;
  /** Behind `#sizeBytes` there may be part of a line that the disk did not take as a whole. */
  #isTorn = false;
  /** One operation on the file at a time. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly maxBytes: number,
  ) {}

  /** Opens the queue, with what an earlier process has left in it. Rejects when the file cannot be read and written. */
  static async open(path: string, maxBytes: number): Promise<Spool> {
    const spool = new Spool(path, await open(path, 'a+', 0o640), maxBytes);
    await spool.#recover();
    return spool;
  }

  /** Lines that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Adds a line, which has no line end. Resolves with false when the queue is full; rejects when the disk does not take it. */
  add(line: string): Promise<boolean> {
    return this.#inTurn(async () => {
      const bytes = Buffer.from(`${line}\n`);
      if (this.#sizeBytes + bytes.length > this.maxBytes) return false;
      await this.#append(bytes);
      this.#waiting += 1;
      return true;
    });
  }

  /** The oldest lines, `count` at most; none when nothing waits. */
  peek(count: number): Promise<readonly SpooledLine[]> {
    return this.#inTurn(() => this.#read(count));
  }

  /**
   * Everything up to `endsAt` has been dealt with. Rejects when the disk does not take that: it counts all the same, but
   * after a restart those lines may be handed out once more.
   */
  done(endsAt: number, lines: number): Promise<void> {
    return this.#inTurn(async () => {
      this.#doneAt = endsAt;
      this.#waiting -= lines;
      if (endsAt < this.#sizeBytes) return this.#remember(endsAt);
      await this.#remember(0);
      await this.#empty();
    });
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#inTurn(() => this.file.close());
  }

  async #append(bytes: Buffer): Promise<void> {
    if (this.#isTorn) await this.file.truncate(this.#sizeBytes);
    this.#isTorn = true;
    await this.file.appendFile(bytes);
    this.#isTorn = false;
    this.#sizeBytes += bytes.length;
  }

  /** A line that was cut short is found to be no record later. */
  async #recover(): Promise<void> {
    const size = await endTornLine(this.file);
    this.#sizeBytes = size;
    const text = await readFile(`${this.path}.done`, 'utf8').catch(() => '0');
    const done = Number(text);
    this.#doneAt = Number.isSafeInteger(done) && done >= 0 && done <= size ? done : 0;
    for (let at = this.#doneAt; at < this.#sizeBytes;) {
      const bytes = await this.#bytesAt(at);
      this.#waiting += countLines(bytes);
      at += bytes.length;
    }
  }

  async #read(count: number): Promise<readonly SpooledLine[]> {
    const lines: SpooledLine[] = [];
    let pending = Buffer.alloc(0);
    let at = this.#doneAt;
    while (lines.length < count && at + pending.length < this.#sizeBytes) {
      const bytes = await this.#bytesAt(at + pending.length);
      if (bytes.length === 0) {
        this.#forgetFrom(at, lines.length);
        break;
      }
      pending = Buffer.concat([pending, bytes]);
      for (
        let end = pending.indexOf(lineEnd);
        end >= 0 && lines.length < count;
        end = pending.indexOf(lineEnd)
      ) {
        at += end + 1;
        lines.push({ text: pending.toString('utf8', 0, end), endsAt: at });
        pending = pending.subarray(end + 1);
      }
    }
    return lines;
  }

  /** Somebody has cut the file: there are no more than these `lines`. */
  #forgetFrom(position: number, lines: number): void {
    this.#sizeBytes = position;
    this.#waiting = lines;
    this.#isTorn = true;
  }

  async #bytesAt(position: number): Promise<Buffer> {
    const buffer = Buffer.alloc(Math.min(readBytes, this.#sizeBytes - position));
    const { bytesRead } = await this.file.read(buffer, 0, buffer.length, position);
    return buffer.subarray(0, bytesRead);
  }

  /** Nothing waits: the file begins anew. What is remembered must say so before, or lines to come would be passed over. */
  async #empty(): Promise<void> {
    await this.file.truncate(0);
    this.#sizeBytes = 0;
    this.#doneAt = 0;
  }

  async #remember(doneAt: number): Promise<void> {
    await writeFile(`${this.path}.done.new`, String(doneAt));
    await rename(`${this.path}.done.new`, `${this.path}.done`);
  }

  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(act, act);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
