import type { Clock } from '../clock.js';
import { transactionTimeoutMs } from './timing.js';

interface Answer {
  readonly text: string;
  readonly atMs: number;
}

const limit = 16;

/**
 * The latest final responses that no transaction keeps: those to requests other than INVITE (Timer J is zero over a
 * reliable transport, RFC 3261 §17.2.2). A flow that dies may take them with it: whoever comes back gets them again.
 */
export class RecentAnswers {
  private answers: Answer[] = [];

  constructor(private readonly clock: Clock) {}

  add(text: string): void {
    this.answers = [...this.young().slice(1 - limit), { text, atMs: this.clock.nowMs() }];
  }

  /** Those that the client's transactions can still wait for, oldest first; forgotten with that. */
  take(): string[] {
    const texts = this.young().map(({ text }) => text);
    this.answers = [];
    return texts;
  }

  private young(): Answer[] {
    const oldestMs = this.clock.nowMs() - transactionTimeoutMs;
    return this.answers.filter(({ atMs }) => atMs >= oldestMs);
  }
}
