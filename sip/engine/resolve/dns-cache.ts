import type { Clock } from '../../clock.js';
import type { Log } from '../../log.js';

/** How long answers are kept when the DNS library does not tell. */
const knownMs = 30_000;
/** The name is known not to exist, or not to have such records (RFC 2308). */
const absentMs = 30_000;
/** The question could not be answered. */
const failedMs = 5_000;
const longestMs = 300_000;
const maxEntries = 1_000;

/** What a question is answered with. */
export interface DnsAnswer<Item> {
  readonly items: readonly Item[];
  /** How long it holds, in milliseconds. */
  readonly ttlMs?: number | undefined;
}

type Done<Item> = (items: readonly Item[]) => void;

interface Entry<Item> {
  readonly items: readonly Item[];
  readonly untilMs: number;
}

const absent = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Answers of one kind of DNS question; equal questions are asked once at a time. */
export class DnsCache<Item> {
  /** The oldest is removed when it is full. */
  private readonly entries = new Map<string, Entry<Item>>();
  /** Removed when the answer is there. */
  private readonly waiting = new Map<string, Done<Item>[]>();

  constructor(
    private readonly ask: (name: string) => Promise<DnsAnswer<Item>>,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  get size(): number {
    return this.entries.size;
  }

  /** Calls `done`, at once when the answer is known. A name without such records, and one that fails, have none. */
  find(name: string, done: Done<Item>): void {
    const key = name.toLowerCase();
    const entry = this.entries.get(key);
    if (entry !== undefined && entry.untilMs > this.clock.nowMs()) return done(entry.items);
    const waiting = this.waiting.get(key);
    if (waiting !== undefined) {
      waiting.push(done);
      return;
    }
    this.waiting.set(key, [done]);
    this.ask(key).then(
      ({ items, ttlMs = items.length === 0 ? absentMs : knownMs }) => this.answered(key, items, ttlMs),
      (error: unknown) => this.failed(key, error),
    );
  }

  private failed(key: string, error: unknown): void {
    const code = codeOf(error);
    if (absent.has(code)) return this.answered(key, [], absentMs);
    this.log.warn(
      { name: key, reason: code === '' ? String(error) : code },
      'a DNS question was not answered',
    );
    this.answered(key, [], failedMs);
  }

  private answered(key: string, items: readonly Item[], ttlMs: number): void {
    this.entries.delete(key);
    this.entries.set(key, { items, untilMs: this.clock.nowMs() + Math.min(ttlMs, longestMs) });
    const [oldest] = this.entries.keys();
    if (this.entries.size > maxEntries && oldest !== undefined) this.entries.delete(oldest);
    const waiting = this.waiting.get(key) ?? [];
    this.waiting.delete(key);
    for (const done of waiting) done(items);
  }
}
