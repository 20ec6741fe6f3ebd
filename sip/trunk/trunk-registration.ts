import type { Clock } from '../clock.js';
import type { HeaderList } from '../leg.js';
import { newCallId, newTag } from '../message/index.js';
import { Challenges } from './challenges.js';
import type { DigestAccount } from './digest-answer.js';
import { grantedExpiry, secondsIn } from './granted-expiry.js';
import { within } from './options-ping.js';
import type { OutOfDialogResponse, TrunkStack } from './srf.js';

/** What a trunk is signed in to with. */
export interface RegistrationAccount extends DigestAccount {
  /** `sip:user@domain`, the address-of-record. */
  readonly aor: string;
  /** `sip:domain`, the Request-URI (RFC 3261 §10.2). */
  readonly registrar: string;
}

/** What a registrar said at last. */
export interface RegisterAnswer {
  readonly status: number;
  readonly reason: string;
  /** How long our binding lasts: of its Contact, else of Expires; undefined when the answer says nothing of it. */
  readonly expiresSeconds: number | undefined;
  /** Of a 423. */
  readonly minExpiresSeconds: number | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** Why a 401 or 407 is the last word: wrong credentials, or nothing that could be answered. */
  readonly refusedBecause: string | undefined;
}

type Sender = Pick<TrunkStack, 'request'>;

/**
 * Sends REGISTERs for one account, all with one Call-ID and rising CSeq (RFC 3261 §10.2), which is why it answers challenges
 * itself.
 */
export class TrunkRegistration {
  readonly #ids = { callId: newCallId(), fromTag: newTag() };
  #sequence = 0;

  constructor(
    private readonly stack: Sender,
    private readonly account: RegistrationAccount,
    private readonly clock: Clock,
  ) {}

  /**
   * Asks the registrar behind `nextHop` for a binding of so many seconds; 0 removes it. Resolves with its last answer; rejects
   * with `trunk.timeout`, `trunk.unreachable` or `trunk.engine_away`.
   */
  async register(nextHop: string, expiresSeconds: number, timeoutMs: number): Promise<RegisterAnswer> {
    const exchange = { isOver: false };
    const detail = `no answer to REGISTER in ${timeoutMs} ms`;
    const answer = this.#register(nextHop, expiresSeconds, exchange);
    try {
      return await within(answer, timeoutMs, this.clock, detail);
    } finally {
      exchange.isOver = true;
    }
  }

  /** Sends nothing more once nobody waits for the exchange. */
  async #register(
    nextHop: string,
    expiresSeconds: number,
    exchange: { readonly isOver: boolean },
  ): Promise<RegisterAnswer> {
    const { registrar: uri } = this.account;
    const challenges = new Challenges(this.account);
    for (let credentials: HeaderList = []; ;) {
      const response = await this.#send(nextHop, expiresSeconds, credentials);
      const { status, headers } = response;
      const isChallenge = status === 401 || status === 407;
      if (!isChallenge || exchange.isOver) return this.#answerOf(response, expiresSeconds, undefined);
      const answer = challenges.answer(status, headers, { method: 'REGISTER', uri });
      if ('because' in answer) return this.#answerOf(response, expiresSeconds, answer.because);
      credentials = answer.credentials;
    }
  }

  #send(nextHop: string, expiresSeconds: number, credentials: HeaderList): Promise<OutOfDialogResponse> {
    const { aor, registrar } = this.account;
    this.#sequence += 1;
    return this.stack.request(
      'REGISTER',
      { requestUri: registrar, nextHop },
      {
        from: { uri: aor },
        to: { uri: aor },
        ids: this.#ids,
        headers: [
          ['CSeq', `${this.#sequence} REGISTER`],
          ['Expires', String(expiresSeconds)],
          ...credentials,
        ],
      },
    );
  }

  #answerOf(
    { status, reason, headers, ownContact: contact }: OutOfDialogResponse,
    seconds: number,
    refusedBecause: string | undefined,
  ): RegisterAnswer {
    const user = /^sips?:([^@]+)@/i.exec(this.account.aor)?.[1];
    return {
      status,
      reason,
      expiresSeconds: grantedExpiry(headers, { contact, user, seconds }),
      minExpiresSeconds: secondsIn(headers.get('Min-Expires')),
      retryAfterSeconds: secondsIn(headers.get('Retry-After')),
      refusedBecause,
    };
  }
}
