import type { Channel, Endpoint, TransportName } from './channel.js';
import type { LocalIdentity } from './listener.js';

/** A message that would have left, byte for byte. */
export interface RehearsedMessage {
  readonly transport: TransportName;
  readonly remote: Endpoint;
  readonly bytes: Buffer;
}

/** Who gets what would have been sent. */
export type Rehearsal = (message: RehearsedMessage) => void;

/** The way to a peer of an engine that only rehearses: all is as it would be, but nothing leaves. */
export class RehearsedChannel implements Channel {
  readonly isOpen = true;

  constructor(
    readonly transport: TransportName,
    private readonly identity: LocalIdentity,
    readonly remote: Endpoint,
    private readonly rehearsal: Rehearsal,
  ) {}

  get reliable(): boolean {
    return this.transport !== 'udp';
  }

  get local(): Endpoint {
    return this.identity.localFor(this.remote.address);
  }

  get sentBy(): Channel['sentBy'] {
    return this.identity.sentByFor(this.remote.address);
  }

  send(bytes: Buffer): void {
    const { transport, remote } = this;
    this.rehearsal({ transport, remote, bytes });
  }
}
