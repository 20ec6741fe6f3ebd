import { setTimeout as delay } from 'node:timers/promises';
import { pace } from '../bench/pace.js';
import { userName } from '../bench/target.js';
import { numbersFrom } from '../support/seeded-random.js';
import { makeCall, type CallKind, type CallScript } from './soak-call.js';
import type { SoakPbx } from './soak-pbx.js';
import { SoakPhone } from './soak-phone.js';

export interface LoadOptions {
  readonly wsUrl: string;
  readonly pbx: SoakPbx;
  readonly endpoints: number;
  /** Calls begun each second. */
  readonly rate: number;
  readonly seed: number;
  /** A call lasts between the least and the most. */
  readonly talkMs: { readonly least: number; readonly most: number };
  /** Of an endpoint between two changes of its socket, on average. */
  readonly reconnectEverySeconds: number;
  /** Of an endpoint between two refreshes of its binding; half of their time when not told. */
  readonly refreshEveryMs?: number;
  readonly phoneSdp: string;
}

/** Of the calls. */
const share = { holds: 0.3, reconnects: 0.05 };
const kinds: readonly CallKind[] = ['out', 'in', 'between'];
const signInAtOnce = 50;

/** Registered endpoints, and calls among them and with the PBX; counts what becomes of them. */
export class Load {
  begun = 0;
  ended = 0;
  reconnections = 0;
  refreshes = 0;
  readonly failures = new Map<string, number>();
  /** From INVITE to 18x. */
  ringMs: number[] = [];
  private readonly random: () => number;
  private readonly phones: SoakPhone[];
  private readonly going = new Set<Promise<void>>();

  constructor(private readonly options: LoadOptions) {
    this.random = numbersFrom(options.seed);
    const { wsUrl, endpoints, phoneSdp, refreshEveryMs } = options;
    this.phones = Array.from(
      { length: endpoints },
      (_, index) => new SoakPhone(userName(index), wsUrl, phoneSdp, refreshEveryMs),
    );
    for (const phone of this.phones) phone.onRefresh = (error) => this.refreshed(error);
  }

  get failed(): number {
    return [...this.failures.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Calls and changes of sockets that have not ended. */
  get goingOn(): number {
    return this.going.size;
  }

  /** Registers every endpoint. */
  async signIn(): Promise<void> {
    for (let at = 0; at < this.phones.length; at += signInAtOnce)
      await Promise.all(this.phones.slice(at, at + signInAtOnce).map((phone) => phone.connect()));
  }

  /** Makes calls and changes sockets for so long, then waits until all calls have ended. */
  async run(seconds: number): Promise<void> {
    const { rate, endpoints, reconnectEverySeconds } = this.options;
    await Promise.all([
      pace(rate, seconds, () => this.track(this.call())),
      pace(endpoints / reconnectEverySeconds, seconds, () => this.track(this.reconnect())),
    ]);
    while (this.going.size > 0) await Promise.all(this.going);
    await delay(0);
  }

  /** Closes every socket. */
  close(): void {
    for (const phone of this.phones) phone.drop();
  }

  private refreshed(error: Error | undefined): void {
    if (error === undefined) this.refreshes += 1;
    else this.note(`refresh: ${error.message}`);
  }

  private track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.note(error instanceof Error ? error.message : String(error)))
      .finally(() => this.going.delete(tracked));
    this.going.add(tracked);
  }

  private note(what: string): void {
    this.failures.set(what, (this.failures.get(what) ?? 0) + 1);
  }

  private async call(): Promise<void> {
    const { pbx } = this.options;
    this.begun += 1;
    const script = this.script();
    const one = this.take();
    const other = script.kind === 'between' ? this.take() : undefined;
    try {
      await makeCall(script, { one, other }, pbx, (afterMs) => this.ringMs.push(afterMs));
      this.ended += 1;
    } catch (cause) {
      const { message } = cause instanceof Error ? cause : { message: String(cause) };
      const odd = [script.holds ? 'holds' : '', script.reconnects ? 'reconnects' : ''].filter(Boolean);
      const where = [`call ${script.kind}`, ...odd].join(', ');
      throw new Error(`${where}: ${message.replace(/\b(u|9)\d+\b/g, '$1…')}`, { cause });
    } finally {
      one.isTaken = false;
      if (other !== undefined) other.isTaken = false;
    }
  }

  private async reconnect(): Promise<void> {
    const phone = this.take();
    try {
      await phone.reconnect();
      this.reconnections += 1;
    } catch (cause) {
      const { message } = cause instanceof Error ? cause : { message: String(cause) };
      throw new Error(`reconnection: ${message}`, { cause });
    } finally {
      phone.isTaken = false;
    }
  }

  private script(): CallScript {
    const { least, most } = this.options.talkMs;
    return {
      kind: kinds[Math.floor(this.random() * kinds.length)] ?? 'out',
      talkMs: least + this.random() * (most - least),
      holds: this.random() < share.holds,
      reconnects: this.random() < share.reconnects,
      hangsUp: this.random() < 0.5 ? 'caller' : 'callee',
      number: `9${String(this.begun).padStart(7, '0')}`,
    };
  }

  /** A phone that nothing else has. */
  private take(): SoakPhone {
    const { phones } = this;
    const start = Math.floor(this.random() * phones.length);
    for (let i = 0; i < phones.length; i++) {
      const phone = phones[(start + i) % phones.length];
      if (phone === undefined || phone.isTaken) continue;
      phone.isTaken = true;
      return phone;
    }
    throw new Error('every endpoint has a call: more endpoints, or fewer calls');
  }
}
