import type { Channel } from '../transport/channel.js';
import type { ReceivedRequest } from '../wire/received.js';
import { row, type StateTable } from './state-table.js';
import { Transaction, type TransactionOptions } from './transaction.js';

type State = 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';
type Event =
  | 'request'
  | 'ack'
  | 'provisional'
  | 'success'
  | 'failure'
  | 'timerG'
  | 'timerH'
  | 'timerI'
  | 'timerL'
  | 'transportError';
type Action =
  | 'send'
  | 'repeat'
  | 'repeatLater'
  | 'stopTimers'
  | 'startGH'
  | 'startI'
  | 'startL'
  | 'unacknowledged'
  | 'unsent';

/** INVITE server transaction: RFC 3261 §17.2.1 with the accepted state of RFC 6026 §7.1. */
export const inviteServerTable: StateTable<State, Event, Action> = {
  proceeding: {
    request: row('proceeding', 'repeat'),
    provisional: row('proceeding', 'send'),
    success: row('accepted', 'send', 'startL'),
    failure: row('completed', 'startGH', 'send'),
    transportError: row('terminated', 'unsent'),
  },
  completed: {
    request: row('completed', 'repeat'),
    timerG: row('completed', 'repeatLater', 'repeat'),
    timerH: row('terminated', 'unacknowledged'),
    ack: row('confirmed', 'stopTimers', 'startI'),
    transportError: row('terminated', 'unsent'),
  },
  confirmed: {
    timerI: row('terminated'),
  },
  accepted: {
    success: row('accepted', 'send'),
    timerL: row('terminated'),
  },
  terminated: {},
};

/** Who answers an INVITE that we received. */
export interface InviteServerUser {
  /** Timer H: a failure was never acknowledged. */
  unacknowledged(): void;
  /** A response could not be sent. */
  unsent(error: Error): void;
  /** The peer cancels; the CANCEL itself is answered (RFC 3261 §9.2). */
  cancelled(cancel: ReceivedRequest): void;
  /** The To tag of our responses. */
  readonly localTag: string;
}

/** One INVITE that we received. */
export class InviteServerTransaction extends Transaction<State, Event, Action, Buffer> {
  private readonly channel: Channel;
  readonly user: InviteServerUser;
  private latest: Buffer | undefined;
  private intervalMs: number;
  private error: Error | undefined;

  constructor(options: TransactionOptions, user: InviteServerUser) {
    super(options, 'server', inviteServerTable, 'proceeding');
    this.channel = options.channel;
    this.user = user;
    this.intervalMs = this.timers.G;
  }

  /** Sends a response, or repeats a 2xx. Returns false when the state no longer takes it. */
  respond(status: number, response: Buffer): boolean {
    return this.step(status < 200 ? 'provisional' : status < 300 ? 'success' : 'failure', response);
  }

  /** The same INVITE again. */
  retransmitted(): void {
    this.step('request');
  }

  /** An ACK with our branch: for a failure. */
  acknowledged(): void {
    this.step('ack');
  }

  protected override act(action: Action, response: Buffer | undefined): void {
    switch (action) {
      case 'send':
        this.latest = response;
        return this.transmit(response);
      case 'repeat':
        return this.transmit(this.latest);
      case 'repeatLater':
        this.intervalMs = Math.min(this.intervalMs * 2, this.timers.t2Ms);
        return this.startRetransmit(this.intervalMs, 'timerG');
      case 'stopTimers':
        return this.stopTimers();
      case 'startGH':
        this.startDeadline('H', 'timerH');
        return this.startRetransmit(this.intervalMs, 'timerG');
      case 'startI':
        return this.startDeadline('I', 'timerI');
      case 'startL':
        this.latest = undefined;
        return this.startDeadline('L', 'timerL');
      case 'unacknowledged':
        return this.user.unacknowledged();
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
