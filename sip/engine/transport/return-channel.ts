import type { Channel, Endpoint } from './channel.js';
import type { TransportPool } from './pool.js';

/** Where the topmost Via says that its sender listens. */
export interface SentBy {
  readonly host: string;
  readonly port: number;
}

/**
 * The way back for responses over TCP and TLS: the request's connection or, once that has closed, a new one to the port that
 * the topmost Via names (RFC 3261 §18.2.2).
 */
export class ReturnChannel implements Channel {
  readonly transport: 'tcp' | 'tls';
  readonly reliable = true;
  private current: Channel;

  constructor(
    private readonly pool: TransportPool,
    request: Channel,
    private readonly sentByOfPeer: SentBy,
  ) {
    this.transport = request.transport === 'tls' ? 'tls' : 'tcp';
    this.current = request;
  }

  get remote(): Endpoint {
    return this.current.remote;
  }

  get local(): Endpoint {
    return this.current.local;
  }

  get sentBy(): Channel['sentBy'] {
    return this.current.sentBy;
  }

  get isOpen(): boolean {
    return true;
  }

  send(bytes: Buffer, failed?: (error: Error) => void): void {
    if (!this.current.isOpen) {
      const { host, port } = this.sentByOfPeer;
      const again = { address: this.current.remote.address, port };
      this.current = this.pool.channelTo(this.transport, again, host) ?? this.current;
    }
    this.current.send(bytes, failed);
  }
}
