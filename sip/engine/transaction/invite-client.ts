import type { ReceivedResponse } from '../wire/received.js';
import type { Channel } from '../transport/channel.js';
import { row, type StateTable } from './state-table.js';
import { Transaction, type TransactionOptions } from './transaction.js';

type State = 'calling' | 'proceeding' | 'completed' | 'accepted' | 'terminated';
type Event =
  | 'timerA'
  | 'timerB'
  | 'timerD'
  | 'timerM'
  | 'provisional'
  | 'success'
  | 'failure'
  | 'transportError'
  | 'abandon';
type Action =
  'retransmit' | 'deliver' | 'acknowledge' | 'stopTimers' | 'startD' | 'startM' | 'timedOut' | 'unsent';

/** INVITE client transaction: RFC 3261 §17.1.1 with the accepted state of RFC 6026 §7.2. */
export const inviteClientTable: StateTable<State, Event, Action> = {
  calling: {
    timerA: row('calling', 'retransmit'),
    timerB: row('terminated', 'timedOut'),
    provisional: row('proceeding', 'stopTimers', 'deliver'),
    success: row('accepted', 'stopTimers', 'startM', 'deliver'),
    failure: row('completed', 'stopTimers', 'acknowledge', 'deliver', 'startD'),
    transportError: row('terminated', 'unsent'),
    abandon: row('terminated', 'timedOut'),
  },
  proceeding: {
    provisional: row('proceeding', 'deliver'),
    success: row('accepted', 'startM', 'deliver'),
    failure: row('completed', 'acknowledge', 'deliver', 'startD'),
    abandon: row('terminated', 'timedOut'),
  },
  completed: {
    failure: row('completed', 'acknowledge'),
    timerD: row('terminated'),
    transportError: row('terminated'),
  },
  accepted: {
    success: row('accepted', 'deliver'),
    timerM: row('terminated'),
  },
  terminated: {},
};

const noBytes = Buffer.alloc(0);

/** Who hears of an INVITE that we sent. */
export interface InviteClientUser {
  /** Every provisional response, the first final one, and every 2xx (also of other forks, also retransmitted). */
  response(response: ReceivedResponse): void;
  /** Timer B, or {@link InviteClientTransaction.abandon}: there will be no response. */
  timedOut(): void;
  /** The request could not be sent. */
  unsent(error: Error): void;
  /** Makes the ACK for a final response other than 2xx (RFC 3261 §17.1.1.3). */
  acknowledgement(response: ReceivedResponse): Buffer;
  /** The transaction has ended; nothing follows. */
  gone(): void;
}

/** One INVITE that we sent. */
export class InviteClientTransaction extends Transaction<State, Event, Action, ReceivedResponse> {
  readonly channel: Channel;
  private request: Buffer;
  private ack: Buffer | undefined;
  private intervalMs: number;
  private error: Error | undefined;
  private readonly user: InviteClientUser;

  constructor(options: TransactionOptions, request: Buffer, user: InviteClientUser) {
    super(options, 'client', inviteClientTable, 'calling');
    this.channel = options.channel;
    this.request = request;
    this.user = user;
    this.intervalMs = this.timers.A;
  }

  /** Sends the request and starts Timers A and B. */
  start(): void {
    this.startDeadline('B', 'timerB');
    this.startRetransmit(this.intervalMs, 'timerA');
    this.transmit(this.request);
  }

  /** A response whose branch and method are ours. */
  receive(response: ReceivedResponse): void {
    const { status } = response.message;
    this.step(status < 200 ? 'provisional' : status < 300 ? 'success' : 'failure', response);
  }

  /** Repeats the request no more; what is answered to it is still taken. */
  silence(): void {
    if (this.state === 'calling') this.stopRetransmit();
  }

  /** Gives a cancelled request up whose final response does not come (RFC 3261 §9.1). */
  abandon(): void {
    this.step('abandon');
  }

  protected override act(action: Action, response: ReceivedResponse | undefined): void {
    switch (action) {
      case 'retransmit':
        this.intervalMs *= 2;
        this.startRetransmit(this.intervalMs, 'timerA');
        return this.transmit(this.request);
      case 'deliver':
        if (response !== undefined) this.user.response(response);
        return;
      case 'acknowledge':
        if (response !== undefined) this.transmit((this.ack ??= this.user.acknowledgement(response)));
        return;
      case 'stopTimers':
        return this.stopTimers();
      case 'startD':
        return this.startDeadline('D', 'timerD');
      case 'startM':
        this.request = noBytes;
        return this.startDeadline('M', 'timerM');
      case 'timedOut':
        return this.user.timedOut();
      case 'unsent':
        return this.user.unsent(this.error ?? new Error('transport error'));
    }
  }

  protected override release(): void {
    this.user.gone();
  }

  private transmit(bytes: Buffer): void {
    this.channel.send(bytes, (error) => {
      this.error = error;
      this.step('transportError');
    });
  }
}
