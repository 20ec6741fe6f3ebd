import { parseMessage, tagOf } from '../../message/index.js';
import type { SipFailure } from '../../failure.js';
import { messageTrace } from '../../trace.js';
import { InviteServerTransaction } from '../transaction/invite-server.js';
import type { Channel, MessageSink } from '../transport/channel.js';
import { traceMessage } from '../transport/message-trace.js';
import { defaultPort } from '../resolve/hop.js';
import { ReturnChannel } from '../transport/return-channel.js';
import { ReceivedRequest, ReceivedResponse } from '../wire/received.js';
import type { Core } from './core.js';
import { NetworkRequests } from './network-requests.js';
import { Strangers, type StrangerPolicy } from './strangers.js';

/** What was dropped or refused since the start. */
export interface MessageCounters {
  /** Unreadable messages; answered where that is possible. */
  malformed: number;
  /** Responses to nothing that we sent, or of more forks than are followed. */
  strayResponses: number;
  /** Requests that the engine answered without asking an application. */
  refused: number;
  /** Requests of senders that are not known: dropped, or all refused alike. */
  strangers: number;
}

/** Takes every message from the transports: parses it and gives it to its transaction, its dialog or the requests. */
export class NetworkMessages implements MessageSink {
  readonly counters: MessageCounters = { malformed: 0, strayResponses: 0, refused: 0, strangers: 0 };
  private readonly strangers: Strangers;
  private core: Core | undefined;
  private requests: NetworkRequests | undefined;

  constructor(policy: StrangerPolicy | undefined) {
    this.strangers = new Strangers(policy, this.counters);
  }

  /** Until then everything received is dropped. */
  open(core: Core): void {
    this.core = core;
    this.requests = new NetworkRequests(core, this.counters);
  }

  /** Drops everything from now on. */
  close(): void {
    this.core = undefined;
    this.requests = undefined;
  }

  received(bytes: Buffer, channel: Channel): void {
    const { core, requests } = this;
    if (core === undefined || requests === undefined) return;
    if (messageTrace.hasSubscribers) traceMessage('in', channel.transport, channel.remote, bytes);
    try {
      const message = parseMessage(bytes, { framing: channel.reliable ? 'stream' : 'datagram' });
      if (message.kind === 'failure') return this.malformed(message.failure, message.reply, channel);
      if (message.kind === 'response') {
        if (core.transactions.respond(new ReceivedResponse(message, channel, bytes)))
          return this.strangers.vouchFor(channel);
        this.counters.strayResponses += 1;
        return;
      }
      const { host, port } = message.topVia;
      const back = channel.reliable
        ? new ReturnChannel(core.pool, channel, { host, port: port ?? defaultPort(channel.transport) })
        : channel;
      this.request(core, requests, new ReceivedRequest(message, channel, bytes, back));
    } catch (error) {
      core.log.error({ err: error, remote: channel.remote }, 'defect while handling a SIP message');
    }
  }

  unframed(failure: SipFailure, reply: Buffer | undefined, channel: Channel): void {
    this.malformed(failure, reply, channel);
  }

  answersPing(channel: Channel): boolean {
    return this.strangers.maySee(channel);
  }

  private request(core: Core, requests: NetworkRequests, request: ReceivedRequest): void {
    const { message, channel } = request;
    if (message.method === 'ACK') {
      const transaction = core.transactions.server(message, 'INVITE');
      if (transaction instanceof InviteServerTransaction && transaction.state !== 'accepted')
        return transaction.acknowledged();
      return requests.acknowledge(request);
    }
    const known = core.transactions.server(message);
    if (known !== undefined) return known.retransmitted();
    if (this.strangers.areAt(channel)) {
      if (!requests.isExpected(message)) return this.strangers.turnAway(request);
      this.strangers.vouchFor(channel);
    }
    if (message.method === 'CANCEL') return requests.cancel(request);
    if (tagOf(message.to) === undefined) return requests.outOfDialog(request);
    requests.inDialog(request);
  }

  private malformed(failure: SipFailure, reply: Buffer | undefined, channel: Channel): void {
    this.counters.malformed += 1;
    this.core?.log.debug(
      { remote: channel.remote, reason: failure.detail ?? failure.reason },
      'malformed SIP message',
    );
    if (this.strangers.areAt(channel)) this.strangers.drop(channel);
    else if (reply !== undefined) channel.send(reply);
  }
}
