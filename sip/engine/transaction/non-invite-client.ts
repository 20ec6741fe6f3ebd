import type { ReceivedResponse } from '../wire/received.js';
import type { Channel } from '../transport/channel.js';
import { row, type StateTable } from './state-table.js';
import { Transaction, type TransactionOptions } from './transaction.js';

type State = 'trying' | 'proceeding' | 'completed' | 'terminated';
type Event = 'timerE' | 'timerF' | 'timerK' | 'provisional' | 'final' | 'transportError';
type Action = 'retransmit' | 'retransmitSlowly' | 'deliver' | 'stopTimers' | 'startK' | 'timedOut' | 'unsent';

/** Client transaction of any request but INVITE and ACK: RFC 3261 §17.1.2. */
export const nonInviteClientTable: StateTable<State, Event, Action> = {
  trying: {
    timerE: row('trying', 'retransmit'),
    timerF: row('terminated', 'timedOut'),
    provisional: row('proceeding', 'deliver'),
    final: row('completed', 'stopTimers', 'deliver', 'startK'),
    transportError: row('terminated', 'unsent'),
  },
  proceeding: {
    timerE: row('proceeding', 'retransmitSlowly'),
    timerF: row('terminated', 'timedOut'),
    provisional: row('proceeding', 'deliver'),
    final: row('completed', 'stopTimers', 'deliver', 'startK'),
    transportError: row('terminated', 'unsent'),
  },
  completed: {
    timerK: row('terminated'),
  },
  terminated: {},
};

/** Who hears of a request that we sent. */
export interface NonInviteClientUser {
  /** Every provisional response and the first final one. */
  response(response: ReceivedResponse): void;
  /** Timer F: there will be no response. */
  timedOut(): void;
  /** The request could not be sent. */
  unsent(error: Error): void;
}

/** One request that we sent, neither INVITE nor ACK. */
export class NonInviteClientTransaction extends Transaction<State, Event, Action, ReceivedResponse> {
  readonly channel: Channel;
  private readonly request: Buffer;
  private readonly user: NonInviteClientUser;
  private intervalMs: number;
  private error: Error | undefined;

  constructor(options: TransactionOptions, request: Buffer, user: NonInviteClientUser) {
    super(options, 'client', nonInviteClientTable, 'trying');
    this.channel = options.channel;
    this.request = request;
    this.user = user;
    this.intervalMs = this.timers.E;
  }

  /** Sends the request and starts Timers E and F. */
  start(): void {
    this.startDeadline('F', 'timerF');
    this.startRetransmit(this.intervalMs, 'timerE');
    this.transmit();
  }

  /** A response whose branch and method are ours. */
  receive(response: ReceivedResponse): void {
    this.step(response.message.status < 200 ? 'provisional' : 'final', response);
  }

  protected override act(action: Action, response: ReceivedResponse | undefined): void {
    switch (action) {
      case 'retransmit':
        return this.retransmit(Math.min(this.intervalMs * 2, this.timers.t2Ms));
      case 'retransmitSlowly':
        return this.retransmit(this.timers.t2Ms);
      case 'deliver':
        if (response !== undefined) this.user.response(response);
        return;
      case 'stopTimers':
        return this.stopTimers();
      case 'startK':
        return this.startDeadline('K', 'timerK');
      case 'timedOut':
        return this.user.timedOut();
      case 'unsent':
        return this.user.unsent(this.error ?? new Error('transport error'));
    }
  }

  private retransmit(nextIntervalMs: number): void {
    this.intervalMs = nextIntervalMs;
    this.startRetransmit(nextIntervalMs, 'timerE');
    this.transmit();
  }

  private transmit(): void {
    this.channel.send(this.request, (error) => {
      this.error = error;
      this.step('transportError');
    });
  }
}
