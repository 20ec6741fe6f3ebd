import type { Channel } from '../transport/channel.js';
import { row, type StateTable } from './state-table.js';
import { Transaction, type TransactionOptions } from './transaction.js';

type State = 'trying' | 'proceeding' | 'completed' | 'terminated';
type Event = 'request' | 'provisional' | 'final' | 'timerF' | 'timerJ' | 'transportError';
type Action = 'send' | 'repeat' | 'stopTimers' | 'startJ' | 'unanswered' | 'unsent';

/**
 * Server transaction of any request but INVITE and ACK: RFC 3261 §17.2.2. Added to it: the peer's Timer F, after which
 * an answer is of no use to anybody (RFC 4320 §4.2), ends a transaction that the application never answers.
 */
export const nonInviteServerTable: StateTable<State, Event, Action> = {
  trying: {
    provisional: row('proceeding', 'send'),
    final: row('completed', 'stopTimers', 'send', 'startJ'),
    timerF: row('terminated', 'unanswered'),
    transportError: row('terminated', 'unsent'),
  },
  proceeding: {
    request: row('proceeding', 'repeat'),
    provisional: row('proceeding', 'send'),
    final: row('completed', 'stopTimers', 'send', 'startJ'),
    timerF: row('terminated', 'unanswered'),
    transportError: row('terminated', 'unsent'),
  },
  completed: {
    request: row('completed', 'repeat'),
    timerJ: row('terminated'),
    transportError: row('terminated', 'unsent'),
  },
  terminated: {},
};

/** Who answers a request that we received. */
export interface NonInviteServerUser {
  /** The application was silent for 64·T1. */
  unanswered(): void;
  /** A response could not be sent. */
  unsent(error: Error): void;
}

/** One request that we received, neither INVITE nor ACK. */
export class NonInviteServerTransaction extends Transaction<State, Event, Action, Buffer> {
  private readonly channel: Channel;
  private readonly user: NonInviteServerUser;
  private latest: Buffer | undefined;
  private error: Error | undefined;

  constructor(options: TransactionOptions, user: NonInviteServerUser) {
    super(options, 'server', nonInviteServerTable, 'trying');
    this.channel = options.channel;
    this.user = user;
    this.startDeadline('F', 'timerF');
  }

  /** Sends a response. Returns false when a final one was sent before. */
  respond(status: number, response: Buffer): boolean {
    return this.step(status < 200 ? 'provisional' : 'final', response);
  }

  /** The same request again. */
  retransmitted(): void {
    this.step('request');
  }

  protected override act(action: Action, response: Buffer | undefined): void {
    switch (action) {
      case 'send':
        this.latest = response;
        return this.transmit(response);
      case 'repeat':
        return this.transmit(this.latest);
      case 'stopTimers':
        return this.stopTimers();
      case 'startJ':
        return this.startDeadline('J', 'timerJ');
      case 'unanswered':
        return this.user.unanswered();
      case 'unsent':
        return this.user.unsent(this.error ?? new Error('transport error'));
    }
  }

  private transmit(bytes: Buffer | undefined): void {
    if (bytes === undefined) return;
    this.channel.send(bytes, (error) => {
      this.error = error;
      this.step('transportError');
    });
  }
}
