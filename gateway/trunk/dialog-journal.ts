import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import type { Clock } from '../../sip/clock.js';
import type { DialogNotes, OpenInvite } from '../../sip/trunk/srf.js';

/** One line: a dialog has been invited (by the transaction of that id, of ours or of the peer's), has begun, or has ended. */
interface JournalLine {
  readonly invited?: unknown;
  readonly transaction?: unknown;
  readonly by?: unknown;
  readonly began?: unknown;
  readonly ended?: unknown;
  /** UTC. */
  readonly at?: unknown;
}

interface NotedDialog {
  readonly at: string;
  /** Undefined once it has begun. */
  readonly invite: OpenInvite | undefined;
  left: boolean;
}

/** What an earlier process or connection left behind. */
export interface LeftBehind {
  readonly dialogId: string;
  /** Of the INVITE when that was not answered, as far as is known. */
  readonly invite: OpenInvite | undefined;
}

/** The file is written anew when it has this many lines more than twice the dialogs that are up. */
const slackLines = 10_000;

/**
 * A file that says which INVITEs and dialogs the SIP engine holds for us, so that after a crash the next process can end
 * them. One JSON line per event, written behind the calls' back: the last milliseconds before a crash may be missing, a torn
 * last line is passed over. Its size is bounded by the number of dialogs that are up.
 */
export class DialogJournal implements DialogNotes {
  readonly #dialogs = new Map<string, NotedDialog>();
  #pending: string[] = [];
  #file: FileHandle | undefined;
  #linesInFile = Number.POSITIVE_INFINITY;
  #writing: Promise<void> | undefined;
  #open = false;
  #failing = false;

  /** `failed` hears when writing begins to fail; calls go on. */
  constructor(
    private readonly path: string,
    private readonly failed: (cause: unknown) => void,
    private readonly clock: Clock,
  ) {}

  /** Dialogs that are up or left. */
  get size(): number {
    return this.#dialogs.size;
  }

  /** INVITEs and dialogs that an earlier process or connection left behind. */
  get leftBehind(): readonly LeftBehind[] {
    return [...this.#dialogs].flatMap(([dialogId, { left, invite }]) => (left ? [{ dialogId, invite }] : []));
  }

  /**
   * Takes over what an earlier process has written, and writes from now on. To be called when it is certain that no other
   * process works with the same file. Never rejects: `failed` hears why.
   */
  async open(): Promise<void> {
    for (const [id, dialog] of await this.#read()) {
      if (!this.#dialogs.has(id)) this.#dialogs.set(id, dialog);
    }
    this.#open = true;
    this.#writing = this.#write();
    await this.written();
  }

  invited(dialogId: string, invite: OpenInvite): void {
    this.#set(dialogId, { at: this.#now(), invite, left: false });
  }

  began(dialogId: string): void {
    this.#set(dialogId, { at: this.#now(), invite: undefined, left: false });
  }

  ended(dialogId: string): void {
    if (this.#dialogs.delete(dialogId)) this.#note({ ended: dialogId });
  }

  left(dialogId: string): void {
    const dialog = this.#dialogs.get(dialogId);
    if (dialog !== undefined) dialog.left = true;
  }

  /** Leaves nothing in the file but the dialogs of this moment. */
  compact(): void {
    if (!this.#open) return;
    this.#linesInFile = Number.POSITIVE_INFINITY;
    this.#writing ??= this.#write();
  }

  /** Resolves when everything that was noted is in the file, or could not be written. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** Writes what waits, then nothing more. Idempotent. */
  async close(): Promise<void> {
    this.#open = false;
    await this.written();
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #read(): Promise<ReadonlyMap<string, NotedDialog>> {
    const found = new Map<string, NotedDialog>();
    try {
      for (const line of (await readFile(this.path, 'utf8')).split('\n')) {
        const { invited, began, ended, transaction, by, at: written } = parseLine(line);
        const at = typeof written === 'string' ? written : '';
        if (isId(invited) && isId(transaction) && (by === 'us' || by === 'peer')) {
          found.set(invited, { at, invite: { transactionId: transaction, sentBy: by }, left: true });
        }
        if (isId(began)) found.set(began, { at, invite: undefined, left: true });
        if (isId(ended)) found.delete(ended);
      }
    } catch (cause) {
      if (!isMissing(cause)) this.#fail(cause);
    }
    return found;
  }

  #now(): string {
    return new Date(this.clock.nowMs()).toISOString();
  }

  #set(dialogId: string, dialog: NotedDialog): void {
    this.#dialogs.set(dialogId, dialog);
    this.#note(lineOf(dialogId, dialog));
  }

  #note(line: JournalLine): void {
    if (!this.#open) return;
    this.#pending.push(JSON.stringify(line));
    this.#writing ??= this.#write();
  }

  /** Writes until nothing waits; the only writer. */
  async #write(): Promise<void> {
    try {
      do {
        if (this.#isTooLong) await this.#writeAnew();
        else await this.#append();
      } while (this.#pending.length > 0 || this.#isTooLong);
      this.#failing = false;
    } catch (cause) {
      this.#pending = [];
      this.#linesInFile = Number.POSITIVE_INFINITY;
      this.#fail(cause);
    } finally {
      this.#writing = undefined;
    }
  }

  get #isTooLong(): boolean {
    return this.#linesInFile > this.#dialogs.size * 2 + slackLines;
  }

  async #append(): Promise<void> {
    const lines = this.#pending;
    this.#pending = [];
    await this.#file?.appendFile(textOf(lines));
    this.#linesInFile += lines.length;
  }

  /** A file with the dialogs of this moment takes the place of the old one. */
  async #writeAnew(): Promise<void> {
    const lines = [...this.#dialogs].map(([id, dialog]) => JSON.stringify(lineOf(id, dialog)));
    this.#pending = [];
    const fresh = await open(`${this.path}.new`, 'w', 0o600);
    try {
      await fresh.appendFile(textOf(lines));
      await rename(`${this.path}.new`, this.path);
    } catch (cause) {
      await fresh.close();
      throw cause;
    }
    await this.#file?.close();
    this.#file = fresh;
    this.#linesInFile = lines.length;
  }

  /** Tells of the first of several failures in a row. */
  #fail(cause: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    this.failed(cause);
  }
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

function lineOf(dialogId: string, { at, invite }: NotedDialog): JournalLine {
  if (invite === undefined) return { began: dialogId, at };
  return { invited: dialogId, transaction: invite.transactionId, by: invite.sentBy, at };
}

function parseLine(line: string): JournalLine {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

/** What may stand in a control frame. */
function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[^|\r\n]{1,1024}$/.test(value);
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
