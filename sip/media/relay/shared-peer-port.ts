import { createSocket } from 'node:dgram';
import native from 'node-datachannel';
import type { Clock } from '../../clock.js';
import { failure, type SipFailure } from '../../failure.js';
import type { Log } from '../../log.js';
import type { AddressFamily } from '../../sdp/description.js';
import type { PeerPort, PeerPorts } from './peer-ports.js';

/** An engine that was closed a moment ago may still hold the port with its last peers: so often and so long we wait. */
const attempts = 20;
const pauseMs = 50;

export interface SharedPeerPortOptions {
  readonly port: number;
  readonly bindAddress: string;
  readonly family: AddressFamily;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * One UDP port for all peers. A native peer that never connects holds it from the beginning to the end, so that no other
 * program takes it between two calls. (The native engine has a listener for that. It cannot be stopped: its flag is not
 * initialised.) When the port cannot be had, each call tries again.
 */
export class SharedPeerPort implements PeerPorts {
  #keeper: Promise<Keeper> | undefined;
  #isClosed = false;

  constructor(private readonly options: SharedPeerPortOptions) {
    this.#kept().catch((thrown: unknown) =>
      options.log.error({ err: thrown }, 'the UDP port of the browsers cannot be had'),
    );
  }

  async take(): Promise<PeerPort> {
    await this.#kept();
    return {
      number: this.options.port,
      isShared: true,
      vacate: () => undefined,
      release: () => undefined,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const keeper = await this.#keeper?.catch(() => undefined);
    this.#keeper = undefined;
    keeper?.close();
  }

  #kept(): Promise<Keeper> {
    this.#keeper ??= this.#keep().catch((thrown: unknown) => {
      this.#keeper = undefined;
      throw thrown;
    });
    return this.#keeper;
  }

  async #keep(): Promise<Keeper> {
    const { port, bindAddress, family, clock } = this.options;
    for (let attempt = 1; ; attempt++) {
      if (this.#isClosed) throw failure('media.failed', { detail: 'the media engine is closed' });
      const error = await tryBind(port, bindAddress, family);
      // The native engine ends the process when it cannot bind.
      if (error === undefined) return new Keeper(port, bindAddress);
      if (error.code !== 'EADDRINUSE' || attempt === attempts) throw notToBeHad(error, this.options);
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
  }
}

/** A native peer without another side. */
class Keeper {
  readonly #connection: native.PeerConnection;
  readonly #track: native.Track;

  constructor(port: number, bindAddress: string) {
    this.#connection = new native.PeerConnection('keeper', {
      iceServers: [],
      bindAddress,
      enableIceUdpMux: true,
      portRangeBegin: port,
      portRangeEnd: port,
      disableAutoNegotiation: true,
    });
    this.#track = this.#connection.addTrack(new native.Audio('0', 'Inactive'));
    this.#track.onClosed(() => undefined);
    this.#connection.setLocalDescription('offer');
  }

  close(): void {
    this.#track.close();
    this.#connection.close();
  }
}

function notToBeHad(cause: NodeJS.ErrnoException, { port, bindAddress }: SharedPeerPortOptions): SipFailure {
  const detail = `UDP port ${port} of ${bindAddress}, for all browsers, cannot be bound: ${cause.code ?? cause.message}`;
  return failure('media.no_ports', { detail, cause });
}

/** The error; undefined when the port is free. */
function tryBind(
  port: number,
  host: string,
  family: AddressFamily,
): Promise<NodeJS.ErrnoException | undefined> {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(error);
    });
    socket.bind({ port, address: host, exclusive: true }, () => socket.close(() => resolve(undefined)));
  });
}
