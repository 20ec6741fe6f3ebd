import type { AddressFamily } from '../../sdp/description.js';
import type { PortRange } from './port-range.js';
import { closeUdpPair, openUdpPair } from './udp-pair.js';

/** A UDP port for one native peer. */
export interface PeerPort {
  readonly number: number;
  /** Other peers have it too; the native engine tells them apart by ICE user name and source address. */
  readonly isShared: boolean;
  /** Called right before the native engine binds the port; it stays ours. */
  vacate(): void;
  /** Gives the port back. Idempotent. */
  release(): void;
}

/** Where native peers get their ports from. */
export interface PeerPorts {
  /** Throws `media.no_ports` or `media.failed`. */
  take(): Promise<PeerPort>;
  /** Idempotent; for when all peers are closed. */
  close(): Promise<void>;
}

/** Each peer gets a port of its own from the range. It is held until the native engine, which ends the process when it cannot bind, does. */
export class OwnPeerPorts implements PeerPorts {
  constructor(
    private readonly range: PortRange,
    private readonly bindAddress: string,
    private readonly family: AddressFamily,
  ) {}

  async take(): Promise<PeerPort> {
    const { range } = this;
    const pair = await openUdpPair(range, this.bindAddress, this.family);
    let isReleased = false;
    return {
      number: pair.ports.rtp,
      isShared: false,
      vacate: () => closeUdpPair(pair),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        closeUdpPair(pair);
        range.giveBack(pair.ports);
      },
    };
  }

  /** The ports are back when the range has them all. */
  close(): Promise<void> {
    return this.range.allBack();
  }
}
