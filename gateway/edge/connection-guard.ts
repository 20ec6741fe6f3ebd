import type { Socket } from 'node:net';
import type { Clock } from '../../sip/clock.js';
import { remoteText } from './remote-text.js';

export interface ConnectionGuardOptions {
  readonly clock: Clock;
  /** How long a connection may take for TLS and its first request. */
  readonly firstRequestWithinMs: number;
  readonly maxPerAddress: number;
  /** A connection was cut. */
  cut(remote: string, cause: 'silent' | 'too_many_silent'): void;
  /** Such an address may have any number. */
  readonly isProxy: (address: string) => boolean;
}

interface Newcomer {
  readonly socket: Socket;
  readonly address: string;
  readonly sinceMs: number;
}

/**
 * Connections that have not sent a request yet. Node's own time limits begin with the first byte of a request, so that
 * without this a client could hold any number of silent connections for ever.
 */
export class ConnectionGuard {
  /** By remote address and port; the longest waiting first. */
  readonly #newcomers = new Map<string, Newcomer>();
  readonly #byAddress = new Map<string, number>();

  constructor(private readonly options: ConnectionGuardOptions) {}

  get size(): number {
    return this.#newcomers.size;
  }

  /** Watches a connection that has just come; cuts it when its address has too many that wait. */
  admit(socket: Socket): void {
    const { remoteAddress: address } = socket;
    if (address === undefined) return void socket.destroy();
    const count = (this.#byAddress.get(address) ?? 0) + 1;
    const { isProxy, maxPerAddress } = this.options;
    if (count > maxPerAddress && !isProxy(address.replace(/^::ffff:/, ''))) {
      this.options.cut(remoteOf(socket), 'too_many_silent');
      return void socket.destroy();
    }
    this.#byAddress.set(address, count);
    this.#newcomers.set(keyOf(socket), { socket, address, sinceMs: this.options.clock.nowMs() });
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
      if (!isLate && !newcomer.socket.destroyed) continue;
      if (!newcomer.socket.destroyed) this.options.cut(remoteOf(newcomer.socket), 'silent');
      newcomer.socket.destroy();
      this.#forget(key, newcomer);
    }
  }

  /** Cuts every connection that waits. Idempotent. */
  close(): void {
    for (const { socket } of this.#newcomers.values()) socket.destroy();
    this.#newcomers.clear();
    this.#byAddress.clear();
  }

  #forget(key: string, { address }: Newcomer): void {
    this.#newcomers.delete(key);
    const left = (this.#byAddress.get(address) ?? 0) - 1;
    if (left > 0) this.#byAddress.set(address, left);
    else this.#byAddress.delete(address);
  }
}

/** Remote `address:port`, IPv4 as such. */
export function remoteOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return remoteText({ address: remoteAddress.replace(/^::ffff:/, ''), port: remotePort });
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
