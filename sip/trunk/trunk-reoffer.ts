import { failure, type SipFailure } from '../failure.js';
import type { HeaderList, HeaderView, Reoffer } from '../leg.js';
import type { SipRequest } from '../message/index.js';
import type { AckWaits } from './ack-waits.js';
import { allow } from './capabilities.js';
import type { FinalAnswer } from './final-answer.js';
import { sdpOf, sdpType } from './received-message.js';

/** What an accepted re-offer changes. */
export interface ReofferBooks {
  readonly acks: Pick<AckWaits, 'wait' | 'abandon'>;
  /** Our Contact as the peer knows it; an UPDATE's 200 needs it (RFC 3311 §5.2) and the engine adds it to INVITE only. */
  readonly contact: string | undefined;
  /** What our 2xx says of the session timer (RFC 4028 §9); there is none before the INVITE is answered. */
  readonly timer: HeaderList;
  accepted(offer: string | undefined, answer: string | undefined): void;
}

/** A re-INVITE, UPDATE or PRACK with an offer from the trunk. */
export class TrunkReoffer implements Reoffer {
  readonly method: Reoffer['method'];
  readonly sdp: string | undefined;
  readonly headers: HeaderView;
  readonly #cseq: number;

  constructor(
    request: SipRequest,
    private readonly final: FinalAnswer,
    private readonly books: ReofferBooks,
  ) {
    const { method } = request;
    this.method = method === 'UPDATE' || method === 'PRACK' ? method : 'INVITE';
    this.sdp = sdpOf(request);
    this.headers = request.headers;
    this.#cseq = request.cseq.number;
  }

  get open(): boolean {
    return this.final.open;
  }

  accept(sdp: string | undefined, headers: HeaderList = []): Promise<string | undefined> {
    if (!this.final.open) {
      return Promise.reject(failure('caller.cancelled', { detail: `the ${this.method} is over` }));
    }
    const { acks, contact, timer } = this.books;
    const acknowledged = this.method === 'INVITE' ? acks.wait(this.#cseq) : Promise.resolve(undefined);
    const own: [string, string][] = sdp === undefined ? [] : [['Content-Type', sdpType]];
    if (this.method === 'UPDATE' && contact !== undefined) own.push(['Contact', contact]);
    const content = {
      headers: [...own, ...allow, ...timer, ...headers],
      ...(sdp === undefined ? {} : { body: sdp }),
    };
    let unsent: SipFailure | undefined;
    this.final.send(200, 'OK', content, (refused) => {
      if (refused === undefined) return;
      unsent = refused;
      acks.abandon(this.#cseq, refused);
    });
    if (unsent === undefined) this.books.accepted(this.sdp, sdp);
    return acknowledged;
  }

  reject(refusal: SipFailure): void {
    this.final.send(refusal.status, refusal.reason, { headers: refusal.headers });
  }

  /** The peer cancelled it, or the dialog ended: the engine has answered. */
  withdraw(): void {
    this.final.forget();
  }
}
