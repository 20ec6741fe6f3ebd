import type { Timer } from '../clock.js';
import { failure, type SipFailure } from '../failure.js';
import type { HeaderList } from '../leg.js';
import type { SipRequest } from '../message/index.js';
import { RequestSender } from './dialog-requests.js';
import { refusalOf } from './engine-failure.js';
import { sendResponse } from './final-answer.js';
import type { LegTable, TableLeg } from './leg-table.js';
import type { SrfRequest, SrfResponse } from './srf-types.js';
import { settleMs, type DialogSurroundings } from './trunk-dialog.js';

/** RFC 3326: why somebody's call ends who did nothing wrong. */
const why: HeaderList = [['Reason', 'SIP;cause=503;text="Call control was lost"']];

/**
 * A dialog in the engine whose leg is gone, with the process or the connection that it lived in. All that can be done with
 * it is to end it: the engine takes a BYE for it from any connection, but passes up nothing that comes in it.
 */
export class LeftDialog implements TableLeg {
  readonly id: string;
  readonly #sender: RequestSender;

  constructor(
    private readonly dialogId: string,
    private readonly around: DialogSurroundings,
    private readonly legs: LegTable,
  ) {
    this.id = dialogId;
    this.#sender = new RequestSender(around.srf, () => undefined);
  }

  /**
   * Sends BYE (RFC 3261 §15.1). Resolves with the far end's answer, whatever it is; rejects with `dialog.unknown` when the
   * engine has no such dialog, `trunk.timeout` when nothing answers, `trunk.engine_away` when the engine is gone.
   */
  async end(): Promise<{ status: number; reason: string }> {
    this.legs.add(this.dialogId, this);
    const late = this.#giveUpLater();
    try {
      const { response } = await this.#sender.send(
        { dialogId: this.dialogId },
        { method: 'BYE', headers: why },
      );
      if (response.source_address === '') throw refusalOf(response).failure;
      return { status: response.status, reason: response.reason ?? '' };
    } finally {
      late.cancel();
      this.legs.remove(this.dialogId, this);
    }
  }

  receiveEarly(_message: SipRequest, _request: SrfRequest, response: SrfResponse): void {
    const { status, reason } = failure('dialog.unknown');
    sendResponse(response, status, reason, {});
  }

  lose(engineAway: SipFailure): void {
    this.#sender.abandonAll(engineAway);
  }

  #giveUpLater(): Timer {
    return this.around.clock.after(settleMs, () =>
      this.#sender.abandonAll(failure('trunk.timeout', { detail: 'no answer to BYE' })),
    );
  }
}
