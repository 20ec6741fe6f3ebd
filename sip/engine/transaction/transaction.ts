import type { Clock, Timer } from '../../clock.js';
import { transactionTrace } from '../../trace.js';
import type { TimerName, TimerValues } from '../timers.js';
import type { Channel } from '../transport/channel.js';
import type { StateTable } from './state-table.js';

/** What a transaction needs from its surroundings. */
export interface TransactionOptions {
  readonly key: string;
  readonly branch: string;
  readonly method: string;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly timers: TimerValues;
  /** Called once, when the transaction has reached `terminated` and must leave its table. */
  readonly ended: (key: string) => void;
}

/** What the four kinds of transaction share: a state, a table, one retransmit timer and one deadline timer. */
export abstract class Transaction<State extends string, Event extends string, Action extends string, Input> {
  readonly key: string;
  readonly method: string;
  readonly branch: string;
  protected readonly timers: TimerValues;
  private readonly clock: Clock;
  private readonly ended: (key: string) => void;
  private retransmitTimer: Timer | undefined;
  private deadlineTimer: Timer | undefined;

  protected constructor(
    options: TransactionOptions,
    private readonly side: 'client' | 'server',
    private readonly table: StateTable<State | 'terminated', Event, Action>,
    private current: State | 'terminated',
  ) {
    this.key = options.key;
    this.method = options.method;
    this.branch = options.branch;
    this.timers = options.timers;
    this.clock = options.clock;
    this.ended = options.ended;
  }

  get state(): State | 'terminated' {
    return this.current;
  }

  /** Stops the transaction without a word to anybody. */
  dispose(): void {
    this.current = 'terminated';
    this.stopTimers();
    this.release();
  }

  protected abstract act(action: Action, input: Input | undefined): void;

  /** Looks the event up, changes the state, then does the row's actions. Returns false when the event has no row. */
  protected step(event: Event, input?: Input): boolean {
    const found = this.table[this.current][event];
    if (found === undefined) return false;
    const from = this.current;
    this.current = found.to;
    if (transactionTrace.hasSubscribers) {
      transactionTrace.publish({
        branch: this.branch,
        method: this.method,
        side: this.side,
        from,
        to: found.to,
        event,
      });
    }
    for (const action of found.actions) this.act(action, input);
    if (found.to === 'terminated' && from !== 'terminated') {
      this.stopTimers();
      this.ended(this.key);
      this.release();
    }
    return true;
  }

  /** Called last, when the transaction has ended. */
  protected release(): void {
    // Most kinds have nobody to tell.
  }

  /** Arms the retransmit timer; does nothing for an interval of 0 (reliable transport). */
  protected startRetransmit(intervalMs: number, event: Event): void {
    this.retransmitTimer?.cancel();
    this.retransmitTimer =
      intervalMs > 0 ? this.clock.after(intervalMs, () => void this.step(event)) : undefined;
  }

  /** Arms the deadline timer; 0 fires at once. */
  protected startDeadline(timer: TimerName, event: Event): void {
    this.deadlineTimer?.cancel();
    this.deadlineTimer = undefined;
    const delayMs = this.timers[timer];
    if (delayMs > 0) this.deadlineTimer = this.clock.after(delayMs, () => void this.step(event));
    else this.step(event);
  }

  protected stopRetransmit(): void {
    this.retransmitTimer?.cancel();
    this.retransmitTimer = undefined;
  }

  protected stopTimers(): void {
    this.stopRetransmit();
    this.deadlineTimer?.cancel();
    this.deadlineTimer = undefined;
  }
}
