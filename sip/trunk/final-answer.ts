import { answerWithinMs } from '../answer-within.js';
import type { Clock } from '../clock.js';
import { SipFailure, failure } from '../failure.js';
import type { HeaderList } from '../leg.js';
import type { Log } from '../log.js';
import { textOf } from './engine-failure.js';
import { headerRecord } from './header-record.js';
import type { SrfMessage, SrfRequest, SrfResponse } from './srf-types.js';

/** Body and header fields of a response. */
export interface ResponseContent {
  readonly headers?: HeaderList;
  readonly body?: string;
}

/** How srf's callback for a sent response ends: `refused` says why it was not sent. */
type Sent = (refused: SipFailure | undefined, sent: SrfMessage | undefined) => void;

/** Statuses that stand in for one that srf does not know (it throws on those; RFC 3261 §8.1.3.2). */
const classDefault: readonly number[] = [500, 183, 200, 300, 480, 500, 603];

/** What the engine said in place of sending a response, or what srf threw. */
function unsent(thrown: unknown): SipFailure {
  if (thrown instanceof SipFailure) return thrown;
  return failure('trunk.protocol', { detail: textOf(thrown), cause: thrown });
}

/**
 * Sends a response; never throws. Without a reason phrase srf's own stands. When it is too long for the engine the peer gets
 * 500 in its place.
 */
export function sendResponse(
  response: SrfResponse,
  status: number,
  reason: string,
  { headers = [], body }: ResponseContent,
  sent: Sent = () => undefined,
): void {
  const options = { headers: headerRecord(headers), ...(body === undefined ? {} : { body }) };
  const done = (error: unknown, message?: SrfMessage): void =>
    sent(error === null || error === undefined ? undefined : unsent(error), message);
  try {
    response.send(status, reason, options, done);
  } catch (thrown) {
    const known = classDefault[Math.floor(status / 100)] ?? 500;
    if (thrown instanceof SipFailure) {
      if (status >= 200) sendResponse(response, 500, 'Server Internal Error', {});
      return sent(thrown, undefined);
    }
    if (known === status) return sent(unsent(thrown), undefined);
    sendResponse(response, known, reason, { headers, ...(body === undefined ? {} : { body }) }, sent);
  }
}

/**
 * The one final answer of a request. When nobody gives it in time it answers 500 by itself: drachtio-server would forget
 * the request after 64 s without a word to the peer.
 */
export class FinalAnswer {
  #open = true;
  readonly #timer;

  constructor(
    private readonly request: SrfRequest,
    private readonly response: SrfResponse,
    private readonly log: Log,
    clock: Clock,
    withinMs = answerWithinMs,
  ) {
    this.#timer = clock.after(withinMs, () => {
      this.log.warn({ method: this.request.method }, 'a request of the trunk was not answered in time');
      this.send(500, 'Server Internal Error');
    });
  }

  /** False once an answer was given or is not wanted any more. */
  get open(): boolean {
    return this.#open;
  }

  /** Answers, the first time that it is called. */
  send(status: number, reason: string, content: ResponseContent = {}, sent?: Sent): void {
    if (!this.#open) return;
    this.forget();
    sendResponse(this.response, status, reason, content, (refused, message) => {
      if (refused !== undefined) {
        this.log.debug(
          { method: this.request.method, status, refused: refused.detail ?? refused.code },
          'the engine did not send a response',
        );
      }
      sent?.(refused, message);
    });
  }

  /** The peer does not want an answer any more. */
  forget(): void {
    this.#open = false;
    this.#timer.cancel();
  }
}
