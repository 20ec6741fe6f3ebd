import type { Clock } from '../../clock.js';
import type { SipRequest } from '../../message/index.js';
import { tagOf } from '../../message/index.js';
import type { Timers } from '../timers.js';
import type { Channel } from '../transport/channel.js';
import type { ReceivedResponse } from '../wire/received.js';
import { InviteClientTransaction, type InviteClientUser } from './invite-client.js';
import { InviteServerTransaction, type InviteServerUser } from './invite-server.js';
import { NonInviteClientTransaction, type NonInviteClientUser } from './non-invite-client.js';
import { NonInviteServerTransaction, type NonInviteServerUser } from './non-invite-server.js';
import type { TransactionOptions } from './transaction.js';

const magicCookie = 'z9hG4bK';

export type ServerTransaction = InviteServerTransaction | NonInviteServerTransaction;
type ClientTransaction = InviteClientTransaction | NonInviteClientTransaction;

/** The key that a request and its retransmissions share (RFC 3261 §17.2.3); `method` replaces the message's own. */
export function serverKey(message: SipRequest, method: string): string {
  const { topVia, callId, cseq } = message;
  const branch = topVia.params.get('branch');
  const sentBy = `${topVia.host}:${topVia.port ?? ''}`;
  if (typeof branch === 'string' && branch.startsWith(magicCookie)) return `${branch}|${sentBy}|${method}`;
  return `${callId}|${tagOf(message.from) ?? ''}|${cseq.number}|${branch ?? ''}|${sentBy}|${method}`;
}

/** What two copies of one request that took different paths have in common (RFC 3261 §8.2.2.2). */
function mergeKey(message: SipRequest): string {
  return `${message.callId}|${tagOf(message.from) ?? ''}|${message.cseq.number}|${message.method}`;
}

/** All transactions. Each leaves the table when it terminates. */
export class TransactionTable {
  private readonly clients = new Map<string, ClientTransaction>();
  private readonly servers = new Map<string, ServerTransaction>();
  /** Server transactions outside dialogs, by what merged copies share. Removed with their transaction. */
  private readonly originals = new Map<string, string>();

  constructor(
    private readonly clock: Clock,
    private readonly timers: Timers,
  ) {}

  get clientCount(): number {
    return this.clients.size;
  }

  get serverCount(): number {
    return this.servers.size;
  }

  /** Gives a response to its transaction (RFC 3261 §17.1.3). Returns false when there is none. */
  respond(response: ReceivedResponse): boolean {
    const { topVia, cseq } = response.message;
    const transaction = this.clients.get(`${topVia.params.get('branch') ?? ''}|${cseq.method}`);
    transaction?.receive(response);
    return transaction !== undefined;
  }

  /** The transaction of a request that came before; `method` is INVITE to find what an ACK or CANCEL refers to. */
  server(message: SipRequest, method: string = message.method): ServerTransaction | undefined {
    return this.servers.get(serverKey(message, method));
  }

  /** Whether the same request is being handled that came over another path. */
  isMerged(message: SipRequest): boolean {
    return this.originals.has(mergeKey(message));
  }

  /** Makes and starts the transaction of an INVITE of ours. */
  sendInvite(
    branch: string,
    request: Buffer,
    channel: Channel,
    user: InviteClientUser,
  ): InviteClientTransaction {
    const transaction = new InviteClientTransaction(
      this.clientOptions(branch, 'INVITE', channel),
      request,
      user,
    );
    this.clients.set(transaction.key, transaction);
    transaction.start();
    return transaction;
  }

  /** Makes and starts the transaction of another request of ours. */
  send(branch: string, method: string, request: Buffer, channel: Channel, user: NonInviteClientUser): void {
    const transaction = new NonInviteClientTransaction(
      this.clientOptions(branch, method, channel),
      request,
      user,
    );
    this.clients.set(transaction.key, transaction);
    transaction.start();
  }

  /** Makes the transaction of a new INVITE. */
  receiveInvite(message: SipRequest, channel: Channel, user: InviteServerUser): InviteServerTransaction {
    const transaction = new InviteServerTransaction(this.serverOptions(message, channel), user);
    this.servers.set(transaction.key, transaction);
    return transaction;
  }

  /** Makes the transaction of another new request. */
  receive(message: SipRequest, channel: Channel, user: NonInviteServerUser): NonInviteServerTransaction {
    const transaction = new NonInviteServerTransaction(this.serverOptions(message, channel), user);
    this.servers.set(transaction.key, transaction);
    return transaction;
  }

  /** Drops every transaction, silently. */
  clear(): void {
    for (const transaction of [...this.clients.values(), ...this.servers.values()]) transaction.dispose();
    this.clients.clear();
    this.servers.clear();
    this.originals.clear();
  }

  private clientOptions(branch: string, method: string, channel: Channel): TransactionOptions {
    return {
      key: `${branch}|${method}`,
      branch,
      method,
      channel,
      clock: this.clock,
      timers: channel.reliable ? this.timers.reliable : this.timers.unreliable,
      ended: this.clientEnded,
    };
  }

  private serverOptions(message: SipRequest, channel: Channel): TransactionOptions {
    const key = serverKey(message, message.method);
    const original =
      tagOf(message.to) === undefined && message.method !== 'CANCEL' ? mergeKey(message) : undefined;
    if (original !== undefined) this.originals.set(original, key);
    return {
      key,
      branch: message.topVia.params.get('branch') ?? '',
      method: message.method,
      channel,
      clock: this.clock,
      timers: channel.reliable ? this.timers.reliable : this.timers.unreliable,
      ended: original === undefined ? this.serverEnded : this.originalEnded(original),
    };
  }

  private readonly clientEnded = (key: string): void => void this.clients.delete(key);

  private readonly serverEnded = (key: string): void => void this.servers.delete(key);

  private originalEnded(original: string): (key: string) => void {
    return (key) => {
      this.servers.delete(key);
      if (this.originals.get(original) === key) this.originals.delete(original);
    };
  }
}
