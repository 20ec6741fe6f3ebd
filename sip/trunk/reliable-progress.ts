import type { Clock, Timer } from '../clock.js';
import type { SipRequest } from '../message/index.js';
import { splitCommaList } from '../message/index.js';
import { sendResponse, type ResponseContent } from './final-answer.js';
import type { SrfResponse } from './srf-types.js';

/** Longest wait for a PRACK: 64·T1 (RFC 3262 §3). */
const prackWithinMs = 32_000;

/** True when the caller wants provisional responses to be reliable (RFC 3262 §3). */
export function requires100rel(invite: SipRequest): boolean {
  return invite.headers
    .getAll('Require')
    .flatMap((value) => splitCommaList(value))
    .some((option) => option.trim().toLowerCase() === '100rel');
}

/**
 * The provisional responses of one INVITE. Reliable ones go out one after the other, each after the PRACK of the one
 * before, and the answer after the last (RFC 3262 §3); an engine that refuses to send reliably gets them unreliable.
 */
export class ReliableProgress {
  readonly #queue: { readonly status: number; readonly reason: string; readonly content: ResponseContent }[] =
    [];
  #waiting: Timer | undefined;
  #then: (() => void) | undefined;
  #outHasBody = false;
  #hasAnswered = false;

  /** `unacknowledged` hears that no PRACK came in time. */
  constructor(
    private readonly response: SrfResponse,
    private reliable: boolean,
    private readonly clock: Clock,
    private readonly unacknowledged: () => void,
  ) {}

  send(status: number, reason: string, content: ResponseContent): void {
    if (!this.reliable) return sendResponse(this.response, status, reason, content);
    this.#queue.push({ status, reason, content });
    if (this.#waiting === undefined) this.#sendNext();
  }

  /** True once SDP of ours has been acknowledged: the INVITE's offer is answered (RFC 3262 §5). */
  get hasAnswered(): boolean {
    return this.#hasAnswered;
  }

  /** The PRACK has come. False when none is waited for. */
  acknowledged(): boolean {
    if (this.#waiting === undefined) return false;
    this.#waiting.cancel();
    this.#waiting = undefined;
    this.#hasAnswered ||= this.#outHasBody;
    this.#sendNext();
    return true;
  }

  /** Calls `act` when nothing waits for a PRACK. */
  whenAcknowledged(act: () => void): void {
    if (this.#waiting === undefined) return act();
    this.#then = act;
  }

  stop(): void {
    this.#waiting?.cancel();
    this.#waiting = undefined;
    this.#then = undefined;
    this.#queue.length = 0;
  }

  #sendNext(): void {
    const next = this.#queue.shift();
    if (next === undefined) {
      const then = this.#then;
      this.#then = undefined;
      return then?.();
    }
    const { status, reason, content } = next;
    const headers: ResponseContent['headers'] = [...(content.headers ?? []), ['Require', '100rel']];
    this.#outHasBody = content.body !== undefined;
    this.#waiting = this.clock.after(prackWithinMs, this.unacknowledged);
    sendResponse(this.response, status, reason, { ...content, headers }, (refused, sent) => {
      if (refused === undefined && sent?.has('RSeq') === true) return;
      this.#giveUpOnReliability(refused === undefined ? undefined : next);
    });
  }

  /** The engine does not send reliably: `unsent`, and what is queued, goes out without. */
  #giveUpOnReliability(
    unsent: { status: number; reason: string; content: ResponseContent } | undefined,
  ): void {
    if (this.#waiting === undefined) return;
    this.#waiting.cancel();
    this.#waiting = undefined;
    this.reliable = false;
    const rest = [...(unsent === undefined ? [] : [unsent]), ...this.#queue.splice(0)];
    for (const { status, reason, content } of rest) sendResponse(this.response, status, reason, content);
    const then = this.#then;
    this.#then = undefined;
    then?.();
  }
}
