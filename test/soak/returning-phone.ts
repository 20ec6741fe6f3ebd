import { setTimeout as delay } from 'node:timers/promises';
import { domain } from '../bench/target.js';
import type { SoakDialog } from './soak-ua.js';
import { SoakPhone } from './soak-phone.js';

const goingAway = 1001;
const firstRetryMs = 50;
const longestRetryMs = 1_000;

/** A browser that does what softphones do when their socket closes: it connects again, registers, and goes on. */
export class ReturningPhone {
  /** Calls that were placed again since the socket closed before they were answered. */
  placedAgain = 0;
  /** How often it was sent away with 1001. */
  moved = 0;
  readonly #phone: SoakPhone;
  #isClosed = false;
  /** Of the socket that was closed last. */
  #closeCode = 0;
  #connected: Promise<void> = Promise.resolve();
  #lose: () => void = () => undefined;
  #lost = this.#nextLoss();

  constructor(
    readonly user: string,
    url: string,
    sdp: string,
  ) {
    this.#phone = new SoakPhone(user, url, sdp);
    this.#phone.onClose = (code) => this.#closed(code);
  }

  /** Connects and registers, again and again until that works. */
  comeBack(): Promise<void> {
    this.#connected = this.#connect();
    return this.#connected;
  }

  /** Calls, talks and hangs up. Gives how long it took from the wish to call until the answer, in ms. */
  async call(number: string, talkMs: number): Promise<number> {
    const began = performance.now();
    const dialog = await this.#answered(number);
    const setupMs = performance.now() - began;
    const lost = await Promise.race([delay(talkMs), this.#lost, dialog.hungUp.then(() => 'hung up')]);
    if (lost !== undefined) throw new Error(`the call was ${lost} while it was up (${this.#closeCode})`);
    await this.#phone.ua.hangUp(dialog);
    return setupMs;
  }

  close(): void {
    this.#isClosed = true;
    this.#phone.drop();
  }

  async #answered(number: string): Promise<SoakDialog> {
    for (;;) {
      await this.#connected;
      const lost = this.#lost;
      const placed = this.#phone.ua.call(this.#phone.aor, `sip:${number}@${domain}`, () => undefined);
      const outcome = await Promise.race([placed, lost]);
      if (outcome !== 'lost') return outcome;
      placed.catch(() => undefined);
      this.placedAgain += 1;
    }
  }

  #closed(code: number): void {
    if (this.#isClosed) return;
    this.#closeCode = code;
    if (code === goingAway) this.moved += 1;
    this.#lose();
    this.#lost = this.#nextLoss();
    void this.comeBack();
  }

  #nextLoss(): Promise<'lost'> {
    return new Promise((resolve) => (this.#lose = () => resolve('lost')));
  }

  async #connect(): Promise<void> {
    for (let retryMs = firstRetryMs; !this.#isClosed; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
      try {
        return await this.#phone.connect();
      } catch {
        await delay(retryMs);
      }
    }
  }
}
