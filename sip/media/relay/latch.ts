import { SocketAddress } from 'node:net';
import type { Clock } from '../../clock.js';
import { isUnspecified } from '../../sdp/direction.js';
import type { AddressFamily } from '../../sdp/description.js';

/**
 * Where packets of one plain port go to, and from where they may come (symmetric RTP, RFC 4961). The signalled address
 * is binding. The port may differ once: the first source port of that address within the window after a description
 * was applied is taken instead, then the latch is locked until the next description. Anything else is not for this
 * call: whoever can send to the port would otherwise hear the call, or speak in it.
 */
export class Latch {
  /** The address that was signalled last. */
  #source: string | undefined;
  /** The end is on hold by `c=0.0.0.0`: it may send, and is sent nothing (RFC 3264 §8.4). */
  #isHeld = false;
  #signalledPort = 0;
  #port = 0;
  #isLocked = false;
  #windowEndsMs = 0;

  constructor(
    private readonly windowMs: number,
    private readonly clock: Clock,
  ) {}

  /** The host to send to; undefined when there is none or the end is on hold by `c=0.0.0.0`. */
  get host(): string | undefined {
    return this.#isHeld ? undefined : this.#source;
  }

  get port(): number {
    return this.#port;
  }

  /**
   * Applies a description. A learnt port is kept when the signalled address and port have not changed. An unspecified
   * address changes nothing about who may send.
   */
  aim(host: string, port: number, family: AddressFamily): void {
    this.#isHeld = isUnspecified(host);
    if (this.#isHeld) return this.reopen();
    const source = port < 1 || port > 65_535 ? undefined : canonical(host, family);
    if (source !== this.#source || port !== this.#signalledPort) this.#port = port;
    this.#source = source;
    this.#signalledPort = port;
    this.#isLocked = false;
    this.#windowEndsMs = this.clock.nowMs() + this.windowMs;
  }

  /**
   * The description in force was given once more: the window begins anew, unless a packet has locked the latch. A phone
   * that rings for longer than the window after it was described has sent nothing yet.
   */
  reopen(): void {
    if (!this.#isLocked) this.#windowEndsMs = this.clock.nowMs() + this.windowMs;
  }

  /** True when a packet from this source belongs to the call. Called for each packet. */
  admits(host: string, port: number): boolean {
    if (host !== this.#source) return false;
    if (port !== this.#port) {
      if (this.#isLocked || this.clock.nowMs() > this.#windowEndsMs) return false;
      this.#port = port;
    }
    this.#isLocked = true;
    return true;
  }
}

/** The form in which the kernel names sources: IPv6 has many spellings. */
function canonical(host: string, family: AddressFamily): string {
  return family === 4 ? host : new SocketAddress({ address: host, family: 'ipv6' }).address;
}
