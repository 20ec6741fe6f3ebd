import { randomInt } from 'node:crypto';
import type { Clock, Timer } from '../../clock.js';
import type { Log } from '../../log.js';
import { NgClient, type NgAddress } from './ng-client.js';
import type { NgCommand, NgDictionary } from './ng-codec.js';
import { NgFailure } from './ng-failure.js';

/** One rtpengine of the configuration. */
export interface RtpengineAddress {
  readonly address: NgAddress;
  /** Share of new calls relative to the other instances; above 0. */
  readonly weight: number;
}

/** How often and how long an instance is asked whether it lives, in ms. */
export interface HealthTimes {
  readonly pingEveryMs: number;
  readonly pingDeadlineMs: number;
}

/** What an instance tells its pool. */
export interface InstanceListener {
  /** It answers, for the first time or again. */
  up(instance: Instance): void;
  down(instance: Instance, reason: string): void;
}

/** So many pings in a row have to be lost; an address that refuses counts at once. */
const lostPings = 3;

/** Pings come up to this share earlier or later, so that many gateways do not ask in step. */
const jitterShare = 0.2;

/**
 * One rtpengine: commands to it, and whether it is alive. Until the first ping is over it counts as alive: the first
 * offer then finds out.
 */
export class Instance {
  readonly weight: number;
  readonly #client: NgClient;
  #state: 'unknown' | 'up' | 'down' = 'unknown';
  #lost = 0;
  #downSinceMs = 0;
  #timer: Timer | undefined;
  #isPinging = false;
  #isClosed = false;

  constructor(
    { address, weight }: RtpengineAddress,
    private readonly times: HealthTimes,
    private readonly clock: Clock,
    log: Log,
    private readonly listener: InstanceListener,
  ) {
    this.weight = weight;
    this.#client = new NgClient({ address, clock, log });
  }

  /** `host:port` */
  get name(): string {
    return this.#client.name;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  get isDown(): boolean {
    return this.#state === 'down';
  }

  /** For how long it has been down, in ms; 0 while it is not. */
  get downMs(): number {
    return this.isDown ? this.clock.nowMs() - this.#downSinceMs : 0;
  }

  /** Commands without an answer so far. */
  get pending(): number {
    return this.#client.pending;
  }

  /** Begins to ask for signs of life. */
  start(): void {
    void this.#ping();
  }

  /** Sends a command; rejects with an NgFailure. One that nobody answers makes us ask for a sign of life at once. */
  async send(command: NgCommand, deadlineMs: number): Promise<NgDictionary> {
    try {
      return await this.#client.send(command, deadlineMs);
    } catch (thrown) {
      if (thrown instanceof NgFailure && thrown.isNoAnswer && !this.isDown) void this.#ping();
      throw thrown;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#client.close();
  }

  async #ping(): Promise<void> {
    if (this.#isPinging || this.#isClosed) return;
    this.#isPinging = true;
    this.#timer?.cancel();
    try {
      await this.#client.send({ command: 'ping' }, this.times.pingDeadlineMs);
      this.#answered();
    } catch (thrown) {
      this.#unanswered(thrown);
    } finally {
      this.#isPinging = false;
      this.#schedule();
    }
  }

  #answered(): void {
    this.#lost = 0;
    if (this.#state === 'up' || this.#isClosed) return;
    this.#state = 'up';
    this.listener.up(this);
  }

  #unanswered(thrown: unknown): void {
    if (this.#isClosed || this.#state === 'down') return;
    this.#lost += 1;
    const isRefused = thrown instanceof NgFailure && thrown.kind === 'unreachable';
    if (!isRefused && this.#lost < lostPings) return;
    this.#state = 'down';
    this.#downSinceMs = this.clock.nowMs();
    this.#client.reconnect();
    this.listener.down(this, thrown instanceof Error ? thrown.message : 'no answer');
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const { pingEveryMs } = this.times;
    const jitterMs = Math.ceil(pingEveryMs * jitterShare);
    const waitMs = this.#lost > 0 && !this.isDown ? 0 : pingEveryMs + randomInt(-jitterMs, jitterMs + 1);
    this.#timer = this.clock.after(waitMs, () => void this.#ping());
  }
}
