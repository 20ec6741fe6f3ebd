import type { Channel, TransportName } from '../transport/channel.js';
import type { Hop } from '../resolve/hop.js';
import type { SentRequest } from '../wire/sent-request.js';
import type { Core } from './core.js';

/** Larger requests are not sent over UDP when there is a choice (RFC 3261 §18.1.1). */
const udpLimitBytes = 1300;
/** How long a peer that does not take TCP gets large requests over UDP at once. */
const noTcpMs = 600_000;

/** Where a request may go: a channel that is certain, or hops to be tried in turn. */
export type Way =
  | { readonly channel: Channel }
  | {
      readonly hops: readonly Hop[];
      /** For when there is no hop. */
      readonly transport: TransportName;
      /** The UDP socket to prefer. */
      readonly near?: Channel;
    };

interface Step {
  readonly hop: Hop;
  /** Whether TCP has still to be tried before UDP. */
  readonly mayGrow: boolean;
}

/** One request, written anew for each hop that it is tried at (RFC 3263 §4.3): another Via, the same in all else. */
export class HopSeries {
  private readonly steps: Step[];
  private current: Hop | undefined;
  private isGrown = false;

  /** `write` gives the request a branch of its own each time. */
  constructor(
    private readonly core: Core,
    private readonly way: Way,
    private readonly write: (channel: Channel) => SentRequest,
  ) {
    this.steps = 'hops' in way ? way.hops.map((hop) => ({ hop, mayGrow: true })) : [];
  }

  /** The request for the first hop; one that cannot be sent when there is none. */
  first(): SentRequest {
    const { way } = this;
    if ('channel' in way) return this.write(way.channel);
    return this.next() ?? this.write(this.core.pool.nowhere(way.transport));
  }

  /** The request for the next hop; undefined when all have been tried. */
  next(): SentRequest | undefined {
    for (let step = this.steps.shift(); step !== undefined; step = this.steps.shift()) {
      const request = this.at(step);
      if (request !== undefined) return request;
    }
    return undefined;
  }

  get hasNext(): boolean {
    return this.steps.length > 0;
  }

  /** The hop did not take the request, or did not answer it. */
  failed(): void {
    if (this.current !== undefined)
      this.core.hops.dead.bury(this.current, this.isGrown ? noTcpMs : undefined);
  }

  /** The hop has answered. */
  answered(): void {
    if (this.current !== undefined) this.core.hops.dead.revive(this.current);
  }

  private at({ hop, mayGrow }: Step): SentRequest | undefined {
    const { pool } = this.core;
    const near = 'near' in this.way ? this.way.near : undefined;
    const channel = pool.channelTo(hop.transport, hop, hop.name, near);
    if (channel === undefined) return undefined;
    const request = this.write(channel);
    this.current = hop;
    this.isGrown = false;
    if (hop.transport !== 'udp' || !mayGrow || request.bytes.length <= udpLimitBytes) return request;
    return this.grown(hop) ?? request;
  }

  /** The request over TCP; over UDP after all when the peer does not take TCP (RFC 3261 §18.1.1). */
  private grown(hop: Hop): SentRequest | undefined {
    const { pool, hops } = this.core;
    const grown: Hop = { ...hop, transport: 'tcp' };
    if (hops.dead.has(grown) || !pool.reaches('tcp', hop.address.includes(':') ? 6 : 4)) return undefined;
    const channel = pool.channelTo('tcp', grown, hop.name);
    if (channel === undefined) return undefined;
    this.steps.unshift({ hop, mayGrow: false });
    this.current = grown;
    this.isGrown = true;
    return this.write(channel);
  }
}
