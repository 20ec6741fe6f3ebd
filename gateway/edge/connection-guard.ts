import type { Socket } from 'node:net';
import type { Clock } from '../../sip/clock.js';
import { networkOf } from './network-of.js';
import { remoteText } from './remote-text.js';

export interface ConnectionGuardOptions {
  readonly clock: Clock;
  /** How long a connection may take for TLS and its first request. */
  readonly firstRequestWithinMs: number;
  /** See {@link networkOf}. */
  readonly maxPerAddress: number;
  readonly maxInAll: number;
  /** A connection was cut. */
  cut(remote: string, cause: 'silent' | 'too_many_silent' | 'crowded_out'): void;
  /** Such an address may have any number, of those in all. */
  readonly isProxy: (address: string) => boolean;
}

interface Newcomer {
  readonly socket: Socket;
  readonly network: string;
  readonly sinceMs: number;
}

/**
 * Connections that have not sent a request yet. Node's own time limits begin with the first byte of a request, so that
 * without this a client could hold any number of silent connections for ever.
 */
export class ConnectionGuard {
  /** By remote address and port; the longest waiting first. */
  readonly #newcomers = new Map<string, Newcomer>();
  readonly #byNetwork = new Map<string, number>();

  constructor(private readonly options: ConnectionGuardOptions) {}

  get size(): number {
    return this.#newcomers.size;
  }

  /**
   * Watches a connection that has just come; cuts it when its address has too many that wait. When there are too many in all,
   * the one that has waited longest is cut: who comes to sign in takes no time, an attacker has to wait.
   */
  admit(socket: Socket): void {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined) return void socket.destroy();
    const network = networkOf(remoteAddress);
    const count = (this.#byNetwork.get(network) ?? 0) + 1;
    const { isProxy, maxPerAddress, clock } = this.options;
    if (count > maxPerAddress && !isProxy(withoutMapping(remoteAddress))) {
      this.options.cut(remoteOf(socket), 'too_many_silent');
      return void socket.destroy();
    }
    this.#makeRoom();
    this.#byNetwork.set(network, (this.#byNetwork.get(network) ?? 0) + 1);
    this.#newcomers.set(keyOf(socket), { socket, network, sinceMs: clock.nowMs() });
  }

  /** The connection has sent a request. `socket` may be the TLS layer over the one that was admitted. */
  release(socket: Socket): void {
    const key = keyOf(socket);
    const newcomer = this.#newcomers.get(key);
    if (newcomer !== undefined) this.#forget(key, newcomer);
  }

  /** Cuts the connections that have waited too long and forgets those that have gone. */
  sweep(): void {
    const nowMs = this.options.clock.nowMs();
    for (const [key, newcomer] of this.#newcomers) {
      const isLate = nowMs - newcomer.sinceMs >= this.options.firstRequestWithinMs;
      if (isLate || newcomer.socket.destroyed) this.#cut(key, newcomer, 'silent');
    }
  }

  /** Cuts every connection that waits. Idempotent. */
  close(): void {
    for (const { socket } of this.#newcomers.values()) socket.destroy();
    this.#newcomers.clear();
    this.#byNetwork.clear();
  }

  #makeRoom(): void {
    for (const [key, newcomer] of this.#newcomers) {
      if (this.#newcomers.size < this.options.maxInAll) return;
      this.#cut(key, newcomer, 'crowded_out');
    }
  }

  /** One that has gone by itself is only forgotten. */
  #cut(key: string, newcomer: Newcomer, cause: 'silent' | 'crowded_out'): void {
    const { socket } = newcomer;
    if (!socket.destroyed) this.options.cut(remoteOf(socket), cause);
    socket.destroy();
    this.#forget(key, newcomer);
  }

  #forget(key: string, { network }: Newcomer): void {
    this.#newcomers.delete(key);
    const left = (this.#byNetwork.get(network) ?? 0) - 1;
    if (left > 0) this.#byNetwork.set(network, left);
    else this.#byNetwork.delete(network);
  }
}

/** Remote `address:port`, IPv4 as such. */
export function remoteOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return remoteText({ address: withoutMapping(remoteAddress), port: remotePort });
}

/** An IPv4 address as such. */
function withoutMapping(address: string): string {
  return address.replace(/^::ffff:/, '');
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
