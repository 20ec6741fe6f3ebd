import type { Channel, Endpoint, TransportName } from './channel.js';
import type { LocalIdentity } from './listener.js';

const nowhere: Endpoint = { address: '', port: 0 };

/** Stands for the way to a peer whose name does not resolve: a request can be written for it, but not sent. */
export class NoChannel implements Channel {
  readonly reliable = true;
  readonly remote = nowhere;
  readonly isOpen = false;
  readonly local: Endpoint;
  readonly sentBy: Channel['sentBy'];

  constructor(
    readonly transport: TransportName,
    identity: LocalIdentity | undefined,
  ) {
    this.local = identity?.bound ?? nowhere;
    this.sentBy = identity?.sentByFor(this.local.address) ?? { host: 'localhost', port: 5060 };
  }

  send(_bytes: Buffer, failed?: (error: Error) => void): void {
    failed?.(new Error('DNS Error'));
  }
}
