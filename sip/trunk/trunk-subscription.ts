import type { HeaderList, InDialogResponse } from '../leg.js';
import { newCallId, newId, newTag, type SipRequest } from '../message/index.js';
import type { SubscriptionLeg, SubscriptionListener } from '../subscription.js';
import type { RequestSender } from './dialog-requests.js';
import { refusalOf } from './engine-failure.js';
import { FinalAnswer } from './final-answer.js';
import { toInDialogRequest, toInDialogResponse } from './in-dialog-messages.js';
import { nextHopOf, originHeaders } from './invite-options.js';
import { dialogKey, type LegTable, type TableLeg } from './leg-table.js';
import type { SrfRequest, SrfResponse } from './srf-types.js';
import type { DialogSurroundings } from './trunk-dialog.js';
import type { TrunkTarget } from './trunk-target.js';
import type { TrunkMessage } from './trunk-message.js';

/** What a subscription works with. */
export type SubscriptionSurroundings = Pick<DialogSurroundings, 'clock' | 'log'> & {
  readonly sender: RequestSender;
  readonly legs: LegTable;
};

/**
 * The dialog of a SUBSCRIBE of ours (RFC 6665 §4.1). Its NOTIFYs are taken from the first on, which may come before the 2xx
 * (§4.1.2.4). srf knows nothing of it: what the engine sends in the dialog finds its way here by the table of legs.
 */
export class TrunkSubscription implements SubscriptionLeg, TableLeg {
  readonly id = newId('l_');
  readonly #callId = newCallId();
  readonly #tag = newTag();
  /** The engine's own name of the dialog. */
  readonly #key = dialogKey(this.#callId, this.#tag);
  #closed = false;

  constructor(
    private readonly around: SubscriptionSurroundings,
    private readonly target: TrunkTarget,
    private readonly listener: SubscriptionListener,
  ) {}

  /**
   * Sends the SUBSCRIBE; to be called once. The subscription stands when the answer is a 2xx, and is closed otherwise. Rejects
   * with `trunk.timeout`, `trunk.unreachable` or `trunk.engine_away`.
   */
  async subscribe({ from, to, content, headers = [] }: TrunkMessage): Promise<InDialogResponse> {
    const { legs, sender } = this.around;
    const ids = { callId: this.#callId, fromTag: this.#tag };
    const typed: HeaderList = content === undefined ? [] : [['Content-Type', content.contentType]];
    legs.add(this.#key, this);
    try {
      const { response } = await sender.send(
        { requestUri: this.target.requestUri, nextHop: nextHopOf(this.target) },
        {
          method: 'SUBSCRIBE',
          headers: [...originHeaders(this.target, { from, to }, ids), ...typed, ...headers],
          ...(content === undefined ? {} : { body: content.body }),
        },
      );
      if (response.status >= 300) this.close();
      return answerIn(response);
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  async request(
    method: string,
    content: { readonly contentType: string; readonly body: string } | undefined,
    headers: HeaderList,
  ): Promise<InDialogResponse> {
    const typed: HeaderList = content === undefined ? [] : [['Content-Type', content.contentType]];
    const { response } = await this.around.sender.send(
      { dialogId: this.#key },
      {
        method,
        headers: [...typed, ...headers],
        ...(content === undefined ? {} : { body: content.body }),
      },
    );
    return answerIn(response);
  }

  receiveEarly(message: SipRequest, request: SrfRequest, response: SrfResponse): void {
    // The engine's word for a dialog that nobody has refreshed; it was not sent by anybody.
    if (request.source === 'application') return this.lose();
    const final = new FinalAnswer(request, response, this.around.log, this.around.clock);
    this.listener.request(toInDialogRequest(message, final));
  }

  lose(): void {
    if (this.#closed) return;
    this.close();
    this.listener.lost();
  }

  close(): void {
    this.#closed = true;
    this.around.legs.remove(this.#key, this);
  }
}

/** The peer's answer; throws what the engine says in place of one. */
function answerIn(response: SrfResponse): InDialogResponse {
  if (response.source_address === '') throw refusalOf(response).failure;
  return toInDialogResponse(response);
}
