import type { SipFailure } from '../../failure.js';

/** The transports that the engine speaks (RFC 3261 §18). */
export type TransportName = 'udp' | 'tcp' | 'tls';

/** One end of a transport: an IP address without brackets, and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** A way to one peer: a UDP socket and a destination, or a TCP connection. */
export interface Channel {
  readonly transport: TransportName;
  /** False where transactions must retransmit (RFC 3261 §17). */
  readonly reliable: boolean;
  readonly remote: Endpoint;
  /** Where messages of this channel arrive on this machine. */
  readonly local: Endpoint;
  /** What Via and Contact name: the external address when there is one, with brackets around IPv6. */
  readonly sentBy: { readonly host: string; readonly port: number };
  readonly isOpen: boolean;
  /** Sends one whole message. `failed` is called at most once, later, when it cannot be sent. */
  send(bytes: Buffer, failed?: (error: Error) => void): void;
  /** Ends the connection; absent where there is none. */
  close?(): void;
}

/** Who takes what the transports receive. */
export interface MessageSink {
  /** One datagram, or one framed message of a stream. */
  received(bytes: Buffer, channel: Channel): void;
  /** The stream lost its framing (RFC 3261 §18.3); `reply` can be sent, then the connection closes. */
  unframed(failure: SipFailure, reply: Buffer | undefined, channel: Channel): void;
  /** Whether a keep-alive (RFC 5626 §4.4.1) is answered; if not, the connection closes. */
  answersPing(channel: Channel): boolean;
}
