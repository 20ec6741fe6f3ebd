import { failure } from '../../failure.js';
import type { Channel, Endpoint, TransportName } from '../transport/channel.js';
import type { ReceivedRequest } from '../wire/received.js';
import { writeFailure } from '../wire/response-text.js';

/** What is told of one request that was turned away. */
export interface TurnedAway {
  /** As it was written, so anything; `undefined` when the message cannot be read. */
  readonly method: string | undefined;
  readonly transport: TransportName;
  readonly remote: Endpoint;
}

/** Whom the engine serves, and what everybody else gets for requests that belong to nothing of ours. */
export interface StrangerPolicy {
  /** Whether requests from this IP address are served; asked for each of them. */
  isKnown(address: string): boolean;
  /** `silence`: nothing, and the end of a connection. `refuse`: the same 403 whatever is asked. */
  readonly answer: 'silence' | 'refuse';
  /** Called for each request that is turned away. */
  turnedAway(request: TurnedAway): void;
}

/** One for all: what it says must not depend on the request (it tells scanners what is there). */
const refusal = failure('trunk.unknown_source');

/** Keeps senders that nobody has configured from learning anything. */
export class Strangers {
  /** Connections that carry our dialogs or answer our requests: a stray request does not cost them their life. */
  private readonly partners = new WeakSet<Channel>();

  /** Without a policy everybody is known. */
  constructor(
    private readonly policy: StrangerPolicy | undefined,
    private readonly counters: { strangers: number },
  ) {}

  /** Whether the sender is not known; by its packet, never by what it writes. */
  areAt({ remote }: Channel): boolean {
    return this.policy?.isKnown(remote.address) === false;
  }

  /** What came by this channel belongs to something of ours. */
  vouchFor(channel: Channel): void {
    if (channel.reliable && this.policy !== undefined) this.partners.add(channel);
  }

  /** Whether the peer of this channel may see that somebody is here. */
  maySee(channel: Channel): boolean {
    return this.policy?.answer !== 'silence' || this.partners.has(channel) || !this.areAt(channel);
  }

  /** Answers, or does not answer, a request of a stranger; leaves no state behind. */
  turnAway(request: ReceivedRequest): void {
    const { channel, message } = request;
    this.count(message.method, channel);
    if (this.policy?.answer === 'refuse') channel.send(writeFailure(request, refusal));
    else this.leave(channel);
  }

  /** Drops what cannot be read: an answer would tell how we read. */
  drop(channel: Channel): void {
    this.count(undefined, channel);
    this.leave(channel);
  }

  private count(method: string | undefined, { transport, remote }: Channel): void {
    this.counters.strangers += 1;
    this.policy?.turnedAway({ method, transport, remote });
  }

  private leave(channel: Channel): void {
    if (!this.partners.has(channel)) channel.close?.();
  }
}
