import type { HeaderList, Invitation } from '../leg.js';
import type { Log } from '../log.js';
import { rescueAnswer, type CalleeResult } from './callee-result.js';
import { Challenges, type Answered, type Unanswered } from './challenges.js';
import { notSent, refusalOf, responseOf, textOf, type Refusal } from './engine-failure.js';
import { headerRecord } from './header-record.js';
import { inviteOptions, nextHopOf, type Repetition } from './invite-options.js';
import { hopOfChallenger, nextSequence } from './repeated-request.js';
import type { SrfRequest, SrfResponse, SrfStack } from './srf-types.js';
import type { TrunkTarget } from './trunk-target.js';

/** Hears what becomes of an INVITE. Exactly one of `answered` and `refused` comes at last, unless the engine goes. */
export interface InviteUser {
  /** The engine has sent it; again when it is repeated with credentials. */
  sent(request: SrfRequest): void;
  progressed(response: SrfResponse): void;
  answered(result: CalleeResult): void;
  refused(refusal: Refusal): void;
}

/** What an INVITE is made from. */
export interface InviteParts {
  readonly target: TrunkTarget;
  readonly invitation: Invitation;
  readonly callId: string;
  readonly fromTag: string;
}

/** An INVITE to the trunk: repeated with credentials when it is challenged (RFC 3261 §22.2), until it is cancelled. */
export class OutgoingInvite {
  readonly #challenges: Challenges | undefined;
  /** The one that is out; undefined until the engine has sent it. */
  #request: SrfRequest | undefined;
  /** Header fields of the CANCEL. */
  #cancelled: HeaderList | undefined;

  constructor(
    private readonly parts: InviteParts,
    private readonly user: InviteUser,
    private readonly srf: SrfStack,
    private readonly log: Log,
  ) {
    const { auth } = parts.target;
    this.#challenges = auth === undefined ? undefined : new Challenges(auth);
  }

  /** To be called once. Throws what srf throws when there is no engine to send it. */
  send(): void {
    this.#send(undefined);
  }

  /** Sends CANCEL as soon as there is an INVITE to cancel, and answers no challenge any more. */
  cancel(headers: HeaderList): void {
    this.#cancelled = headers;
    if (this.#request !== undefined) this.#sendCancel(this.#request, headers);
  }

  #send(repetition: Repetition | undefined): void {
    const { target, invitation, callId, fromTag } = this.parts;
    const { uri, options } = inviteOptions(target, invitation, { callId, fromTag }, repetition);
    const progress = {
      cbRequest: (_error: unknown, request?: SrfRequest) => this.#sent(request),
      cbProvisional: (response: SrfResponse) => this.user.progressed(response),
    };
    this.#request = undefined;
    this.srf.createUAC(uri, options, progress, (error, answered) => {
      const result = answered ?? rescueAnswer(this.srf, this.#request, error);
      if (result === undefined) this.#refused(error);
      else this.user.answered(result);
    });
  }

  #sent(request: SrfRequest | undefined): void {
    if (request === undefined) return;
    this.#request = request;
    this.user.sent(request);
    if (this.#cancelled !== undefined) this.#sendCancel(request, this.#cancelled);
  }

  #refused(error: unknown): void {
    const [request, response] = [this.#request, responseOf(error)];
    if (request === undefined || response === undefined) return this.#failed(error);
    const answer = this.#answerTo(response, request);
    if (answer === undefined || answer === 'callers' || 'because' in answer) {
      return this.user.refused(refusalOf(response, answer));
    }
    const { credentials } = answer;
    const nextHop = hopOfChallenger(nextHopOf(this.parts.target), response);
    try {
      this.#send({ headers: [nextSequence(request), ...credentials], nextHop });
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  #answerTo(response: SrfResponse, request: SrfRequest): Answered | Unanswered | 'callers' | undefined {
    if (this.parts.target.passesChallenge === true) return 'callers';
    return this.#cancelled === undefined ? this.#challenges?.answerTo(response, request) : undefined;
  }

  #failed(error: unknown): void {
    this.user.refused({ failure: notSent(error), headers: undefined });
  }

  #sendCancel(request: SrfRequest, headers: HeaderList): void {
    try {
      request.cancel({ headers: headerRecord(headers) }, (error) => {
        if (error !== null && error !== undefined) this.#logUnsent(error);
      });
    } catch (thrown) {
      this.#logUnsent(thrown);
    }
  }

  #logUnsent(thrown: unknown): void {
    this.log.debug({ legId: this.parts.invitation.legId, why: textOf(thrown) }, 'a CANCEL was not sent');
  }
}
