import type { SipFailure } from '../failure.js';
import type { HeaderList } from '../leg.js';
import { Challenges, type Unanswered } from './challenges.js';
import type { DigestAccount } from './digest-answer.js';
import { engineAway, notSent } from './engine-failure.js';
import { headerRecord } from './header-record.js';
import { hopOfChallenger, nextSequence } from './repeated-request.js';
import type { SrfAck, SrfRequest, SrfResponse, SrfStack } from './srf-types.js';

/** A final response to a request of ours; `ack` is for 2xx to INVITE. */
export interface FinalResponse {
  readonly response: SrfResponse;
  readonly ack: SrfAck;
  /** Contact of the request, with the address that the engine has put into it. */
  readonly ownContact: string | undefined;
  /** Why it is a challenge, although there are credentials. */
  readonly unanswered: Unanswered | undefined;
}

/** Where a request goes: into a dialog, or out of any. */
export type Destination =
  { readonly dialogId: string } | { readonly requestUri: string; readonly nextHop: string };

/** One request that is to be sent. */
export interface OutgoingRequest {
  readonly method: string;
  readonly headers: HeaderList;
  readonly body?: string;
  /** For a digest challenge. */
  readonly auth?: DigestAccount | undefined;
  /** Asked before it is sent again with credentials; always, when not given. */
  readonly isWanted?: () => boolean;
}

/** Hears of an UPDATE that comes while a request of ours is out: srf hands it to that request, not to the dialog. */
export type UpdateHandler = (update: SrfRequest, response: SrfResponse) => void;

/** Calls `handle` for UPDATEs that srf attaches to `request`. */
export function onUpdateOf(request: SrfRequest, handle: UpdateHandler): void {
  request.on('update', handle);
  // srf adds a listener of its own behind this one, which answers 200 with our old offer before anybody can decide.
  queueMicrotask(() => {
    request.removeAllListeners('update');
    request.on('update', handle);
  });
}

/**
 * Sends requests with `Srf#request` and waits for their final responses. In a dialog this stands in for srf's
 * `Dialog#modify`, which never returns after a refused re-INVITE, `Dialog#info` and its like, which throw, and
 * `Dialog#request`, which acknowledges a 2xx before anybody could look at it.
 */
export class RequestSender {
  readonly #open = new Set<(why: SipFailure) => void>();

  constructor(
    private readonly srf: SrfStack,
    private readonly onUpdate: UpdateHandler,
  ) {}

  get size(): number {
    return this.#open.size;
  }

  /** Resolves with the final response; rejects with a SipFailure when the request cannot be sent or the engine goes. */
  send(to: Destination, outgoing: OutgoingRequest): Promise<FinalResponse> {
    const { auth, isWanted } = outgoing;
    const challenges = auth === undefined ? undefined : new Challenges(auth);
    return new Promise((resolve, reject) => {
      const fail = (why: SipFailure): void => {
        this.#open.delete(fail);
        reject(why);
      };
      const attempt = (way: Destination, added: HeaderList): void => {
        this.#request(way, outgoing, added, fail, (request, response, ack) => {
          const isOpen = this.#open.has(fail) && isWanted?.() !== false;
          const answer = isOpen ? challenges?.answerTo(response, request) : undefined;
          if (answer !== undefined && 'credentials' in answer) {
            return attempt(wayBack(way, response), [...sequenceIn(way, request), ...answer.credentials]);
          }
          this.#open.delete(fail);
          resolve({ response, ack, ownContact: request.get('Contact'), unanswered: answer });
        });
      };
      this.#open.add(fail);
      attempt(to, []);
    });
  }

  #request(
    to: Destination,
    { method, headers, body }: OutgoingRequest,
    added: HeaderList,
    fail: (why: SipFailure) => void,
    settled: (request: SrfRequest, response: SrfResponse, ack: SrfAck) => void,
  ): void {
    const replaced = new Set(added.map(([name]) => name.toLowerCase()));
    const kept = headers.filter(([name]) => !replaced.has(name.toLowerCase()));
    const options = {
      method,
      headers: headerRecord(kept, added),
      ...destinationOptions(to),
      ...(body === undefined ? {} : { body }),
    };
    const sent = (error: unknown, request?: SrfRequest): void => {
      if (request === undefined) return fail(notSent(error));
      onUpdateOf(request, this.onUpdate);
      request.on('response', (response: SrfResponse, ack: SrfAck) => {
        if (response.status >= 200) settled(request, response, ack);
      });
    };
    try {
      this.srf.request(options, sent);
    } catch (thrown) {
      fail(notSent(thrown));
    }
  }

  /** The engine is gone: no response will come. */
  abandonAll(why: SipFailure = engineAway()): void {
    for (const fail of [...this.#open]) fail(why);
  }
}

/** The engine knows the remote target and the route set of a dialog better than srf does: it fills the placeholder in. */
function destinationOptions(to: Destination) {
  if ('dialogId' in to) return { uri: 'sip:placeholder', stackDialogId: to.dialogId };
  return { uri: to.requestUri, proxy: to.nextHop };
}

/** Where a request that was challenged goes once more. */
function wayBack(to: Destination, challenge: SrfResponse): Destination {
  return 'dialogId' in to ? to : { ...to, nextHop: hopOfChallenger(to.nextHop, challenge) };
}

/** In a dialog the engine counts. */
function sequenceIn(to: Destination, sent: SrfRequest): HeaderList {
  return 'dialogId' in to ? [] : [nextSequence(sent)];
}
