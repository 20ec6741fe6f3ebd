import { failure, type SipFailure } from '../../sip/failure.js';
import type {
  CallerLeg,
  DialogSnapshot,
  HeaderList,
  InDialogResponse,
  Leg,
  LegListener,
  LegSide,
  ReofferResult,
} from '../../sip/leg.js';

/** Which leg it is. */
export interface RestoredCallerLeg {
  readonly id: string;
  readonly side: LegSide;
  readonly sipCallId: string;
}

/**
 * The caller's leg of an answered call as call control knows it: a leg that is made, by `restore`, when somebody listens.
 * There is nothing left to answer.
 */
export class RestoredCaller implements CallerLeg {
  readonly role = 'caller';
  readonly id: string;
  readonly side: LegSide;
  readonly sipCallId: string;
  #leg: Leg | undefined;

  constructor(
    { id, side, sipCallId }: RestoredCallerLeg,
    private readonly restore: (listener: LegListener) => Leg,
  ) {
    this.id = id;
    this.side = side;
    this.sipCallId = sipCallId;
  }

  listen(listener: LegListener): void {
    this.#leg = this.restore(listener);
  }

  progress(): void {
    // The call is answered.
  }

  answer(): Promise<undefined> {
    return Promise.reject(failure('dialog.unknown', { detail: 'the call is answered' }));
  }

  reject(refusal: SipFailure): void {
    this.hangUp({ failure: refusal });
  }

  reoffer(sdp: string | undefined, headers?: HeaderList): Promise<ReofferResult> {
    return this.#leg?.reoffer(sdp, headers) ?? Promise.reject(failure('dialog.unknown'));
  }

  request(
    method: string,
    content?: { readonly contentType: string; readonly body: string },
    headers?: HeaderList,
  ): Promise<InDialogResponse> {
    return this.#leg?.request(method, content, headers) ?? Promise.reject(failure('dialog.unknown'));
  }

  hangUp(reason?: { readonly failure?: SipFailure; readonly headers?: HeaderList }): void {
    this.#leg?.hangUp(reason);
  }

  snapshot(): DialogSnapshot | undefined {
    return this.#leg?.snapshot();
  }
}
