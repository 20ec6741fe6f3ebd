import type { HeaderList, HeaderView } from '../leg.js';
import { answerChallenge, isStale, type ChallengedRequest, type DigestAccount } from './digest-answer.js';
import { noHeaders, readResponse } from './received-message.js';
import type { SrfRequest, SrfResponse } from './srf-types.js';

/** What a request is to be sent again with: for every challenge to it so far. */
export interface Answered {
  readonly credentials: HeaderList;
}

/** Why a challenge is the last word. */
export interface Unanswered {
  readonly because: string;
}

/**
 * The challenges to one request of ours (RFC 3261 §22): a 401 and a 407 are answered once each, and one of them once more when
 * its nonce was too old. drachtio-srf is not asked to: it knows MD5 only, no realm, and one challenge of several.
 */
export class Challenges {
  readonly #answers = new Map<number, HeaderList>();
  #wasStale = false;

  constructor(private readonly account: DigestAccount) {}

  /** What to do about a final response; undefined when it is no challenge. */
  answerTo(response: SrfResponse, request: SrfRequest): Answered | Unanswered | undefined {
    if (response.status !== 401 && response.status !== 407) return undefined;
    const headers = readResponse(response.msg)?.headers ?? noHeaders;
    return this.answer(response.status, headers, request);
  }

  /** The same for a 401 or 407 that has been read. */
  answer(status: number, headers: HeaderView, request: ChallengedRequest): Answered | Unanswered {
    if (this.#answers.has(status)) {
      const isLate = isStale(status, headers) && !this.#wasStale;
      if (!isLate) return { because: 'it refuses our user name or password' };
      this.#wasStale = true;
    }
    const answer = answerChallenge(status, headers, request, this.account);
    if (typeof answer === 'string') return { because: answer };
    this.#answers.set(status, answer);
    return { credentials: [...this.#answers.values()].flat() };
  }
}
