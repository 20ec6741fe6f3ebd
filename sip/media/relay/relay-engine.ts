import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Clock, Timer } from '../../clock.js';
import { failure } from '../../failure.js';
import type { Log } from '../../log.js';
import { newId } from '../../message/ids.js';
import type { MediaEngine, MediaListener, MediaSession } from '../media-engine.js';
import { OwnPeerPorts, type PeerPorts } from './peer-ports.js';
import { PortRange } from './port-range.js';
import type { RelayResources } from './relay-end.js';
import { RelaySession, type RelayLimits } from './relay-session.js';
import { SharedPeerPort } from './shared-peer-port.js';

export interface RelayEngineOptions extends Partial<RelayLimits> {
  /** IP address that is announced to both sides in SDP. */
  readonly address: string;
  /** Address that sockets are bound to. Default: `address` when it is one of this machine's, else all of them. */
  readonly bindAddress?: string;
  /** UDP ports, both included. A plain end takes two; a browser's end too, when there is no `browserPort`. */
  readonly ports: { readonly min: number; readonly max: number };
  /** The UDP port of all browsers' ends. */
  readonly browserPort?: number;
  /** How long a port rests before it is used again, in ms. */
  readonly quarantineMs?: number;
  /** How long after a description another source port of the signalled address is accepted, in ms. */
  readonly latchWindowMs?: number;
  /** So many packets have come to plain ends from elsewhere than their signalled addresses, since the last time. */
  readonly strays?: (packets: number) => void;
  readonly log: Log;
  readonly clock: Clock;
}

/** The embedded relay, with the sizes of its tables: all are zero when no call is up. */
export interface RelayEngine extends MediaEngine {
  sizes(): Record<string, number>;
}

const watchPeriodMs = 1_000;

/**
 * The embedded media relay: DTLS-SRTP to browsers, plain RTP to PBXs, no transcoding. Throws a TypeError or a RangeError
 * when the options cannot work.
 */
export function createRelayEngine(options: RelayEngineOptions): RelayEngine {
  return new Relay(options);
}

class Relay implements RelayEngine {
  readonly name = 'relay';
  /** Removed when the session is closed. */
  readonly #sessions = new Set<RelaySession>();
  readonly #resources: RelayResources;
  readonly #limits: RelayLimits;
  readonly #ports: PortRange;
  readonly #peerPorts: PeerPorts;
  readonly #watch: Timer;
  #isClosed = false;
  /** Packets that came to plain ends from elsewhere, since the last look. */
  #strays = 0;

  constructor(private readonly options: RelayEngineOptions) {
    const { address, ports, clock, log, quarantineMs = 5_000, latchWindowMs = 5_000 } = options;
    const family = isIP(address);
    if (family !== 4 && family !== 6) throw new TypeError(`media address ${address} is not an IP address`);
    this.#ports = new PortRange({ ...ports, quarantineMs }, clock);
    this.#limits = {
      timeoutMs: options.timeoutMs ?? 60_000,
      restartGraceMs: options.restartGraceMs ?? 30_000,
      startMs: options.startMs ?? 180_000,
    };
    const bindAddress = options.bindAddress ?? defaultBindAddress(address, family);
    const { browserPort } = options;
    this.#peerPorts =
      browserPort === undefined
        ? new OwnPeerPorts(this.#ports, bindAddress, family)
        : new SharedPeerPort({ port: browserPort, bindAddress, family, log, clock });
    this.#resources = {
      address: { family, host: address },
      bindAddress,
      ports: this.#ports,
      peerPorts: this.#peerPorts,
      latchWindowMs,
      stray: () => void (this.#strays += 1),
      log,
      clock,
    };
    this.#watch = clock.every(watchPeriodMs, () => {
      for (const session of this.#sessions) session.watch(watchPeriodMs);
      this.#tellStrays();
    });
  }

  get size(): number {
    return this.#sessions.size;
  }

  createSession(callId: string, listener: MediaListener): MediaSession {
    if (this.#isClosed)
      throw failure('media.failed', { detail: `the media engine is closed, call ${callId}` });
    const session = new RelaySession(newId('m_'), listener, this.#limits, this.#resources, (ended) =>
      this.#sessions.delete(ended),
    );
    this.#sessions.add(session);
    return session;
  }

  sizes(): Record<string, number> {
    let ends = 0;
    for (const session of this.#sessions) ends += session.endCount;
    return { sessions: this.#sessions.size, ends, portPairs: this.#ports.lent };
  }

  #tellStrays(): void {
    const packets = this.#strays;
    this.#strays = 0;
    if (packets > 0) this.options.strays?.(packets);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch.cancel();
    for (const session of this.#sessions) session.close();
    // What an offer was still preparing is given back when it notices.
    await this.#ports.allBack();
    await this.#peerPorts.close();
  }
}

function defaultBindAddress(address: string, family: 4 | 6): string {
  const isOurs = Object.values(networkInterfaces()).some((list) =>
    list?.some((one) => one.address === address),
  );
  if (isOurs) return address;
  return family === 4 ? '0.0.0.0' : '::';
}
