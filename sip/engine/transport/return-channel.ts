import type { Channel, Endpoint } from './channel.js';
import type { TransportPool } from './pool.js';

/**
 * The way back for responses over TCP: the request's connection or, once that has closed, a new one to the port that
 * the topmost Via names (RFC 3261 §18.2.2).
 */
export class ReturnChannel implements Channel {
  readonly transport = 'tcp';
  readonly reliable = true;
  private current: Channel;

  constructor(
    private readonly pool: TransportPool,
    request: Channel,
    private readonly sentByPort: number,
  ) {
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
      const again = { address: this.current.remote.address, port: this.sentByPort };
      this.current = this.pool.channelTo('tcp', again) ?? this.current;
    }
    this.current.send(bytes, failed);
  }
}
