import type { Timer } from '../clock.js';
import { failure, SipFailure } from '../failure.js';
import type {
  CalleeLeg,
  CalleeListener,
  HeaderList,
  HeaderView,
  InDialogResponse,
  Invitation,
  LegEnd,
  ReofferResult,
  TrunkDialogSnapshot,
} from '../leg.js';
import { newCallId, newTag, type SipRequest } from '../message/index.js';
import { answerOf, isLateOffer, type CalleeResult } from './callee-result.js';
import { RequestSender, onUpdateOf } from './dialog-requests.js';
import { EarlyReoffers, passOnEarly } from './early-dialog.js';
import { notSent, textOf, type Refusal } from './engine-failure.js';
import { FinalAnswer } from './final-answer.js';
import { dialogKey, type LegTable, type TableLeg } from './leg-table.js';
import { OutgoingInvite } from './outgoing-invite.js';
import { noHeaders, readResponse, sdpOf } from './received-message.js';
import type { SrfDialog, SrfLateOffer, SrfRequest, SrfResponse } from './srf-types.js';
import { tell } from './tell.js';
import { TrunkDialog, settleMs, type DialogSurroundings } from './trunk-dialog.js';
import type { TrunkTarget } from './trunk-target.js';

/**
 * The leg of a callee on the trunk (RFC 3261 §13.2): `inviting`, `cancelling` once we have hung up before a final
 * response, `answered` while a late offer waits for our ACK, `confirmed`.
 */
export class TrunkCalleeLeg implements CalleeLeg, TableLeg {
  readonly id: string;
  readonly side = 'trunk';
  readonly role = 'callee';
  readonly sipCallId = newCallId();
  readonly #tag = newTag();
  readonly #key = dialogKey(this.sipCallId, this.#tag);
  #state: 'inviting' | 'cancelling' | 'answered' | 'confirmed' | 'ended' = 'inviting';
  readonly #invite: OutgoingInvite;
  #late: SrfLateOffer | undefined;
  #dialog: TrunkDialog | undefined;
  /** Settles when srf has made the dialog of a late offer that we have acknowledged. */
  #confirming: Promise<void> | undefined;
  /** CANCEL or BYE that waits for its moment. */
  #goodbye: HeaderList | undefined;
  #settle: Timer | undefined;
  /** The answer to our offer came in a provisional response that was acknowledged. */
  #isAnsweredEarly = false;
  #early = new EarlyReoffers();
  /** The engine went away with the INVITE in it. */
  #isLeft = false;

  constructor(
    private readonly target: TrunkTarget,
    private readonly invitation: Invitation,
    private readonly listener: CalleeListener,
    private readonly around: DialogSurroundings,
    private readonly legs: LegTable,
  ) {
    this.id = invitation.legId;
    const parts = { target, invitation, callId: this.sipCallId, fromTag: this.#tag };
    const user = {
      sent: (request: SrfRequest) => this.#sent(request),
      progressed: (response: SrfResponse) => this.#progressed(response),
      answered: (result: CalleeResult) => this.#answered(result),
      refused: (refusal: Refusal) => this.#refused(refusal),
    };
    this.#invite = new OutgoingInvite(parts, user, around.srf, around.log);
  }

  /** Sends the INVITE. Throws a SipFailure when there is no engine to send it. */
  invite(): void {
    this.legs.add(this.#key, this);
    try {
      this.#invite.send();
    } catch (thrown) {
      this.legs.remove(this.#key, this);
      throw notSent(thrown);
    }
  }

  hangUp(reason: { readonly failure?: SipFailure; readonly headers?: HeaderList } = {}): void {
    const headers = reason.headers ?? [];
    if (this.#dialog !== undefined) return this.#dialog.bye(headers);
    this.#goodbye ??= headers;
    if (this.#state === 'inviting') this.#cancel(headers);
    else if (this.#state === 'answered' && this.#late !== undefined) this.#acknowledgeLate(this.#late.sdp);
  }

  async reoffer(sdp: string | undefined, headers?: HeaderList): Promise<ReofferResult> {
    await this.#confirming;
    if (this.#dialog === undefined) throw failure('dialog.request_pending', { detail: 'not answered yet' });
    return this.#dialog.reoffer(sdp, headers);
  }

  async request(
    method: string,
    content?: { readonly contentType: string; readonly body: string },
    headers?: HeaderList,
  ): Promise<InDialogResponse> {
    await this.#confirming;
    if (this.#dialog === undefined) throw failure('dialog.unknown', { detail: 'not answered yet' });
    return this.#dialog.request(method, content, headers);
  }

  snapshot(): TrunkDialogSnapshot | undefined {
    return this.#dialog?.snapshot();
  }

  receiveEarly(message: SipRequest, request: SrfRequest, response: SrfResponse): void {
    const final = new FinalAnswer(request, response, this.around.log, this.around.clock);
    if (message.method === 'UPDATE') return this.#receiveEarlyUpdate(request, undefined, final);
    if (message.method !== 'BYE') return passOnEarly(message, final, this.listener);
    if (this.#state !== 'answered') return final.send(481, 'Call/Transaction Does Not Exist');
    final.send(200, 'OK');
    const reason = message.headers.get('Reason');
    this.#end(reason === undefined ? { cause: 'remote' } : { cause: 'remote', reason });
  }

  lose(why: SipFailure): void {
    if (this.#dialog !== undefined) return this.#dialog.lose(why);
    if (this.#state === 'ended') return;
    this.around.notes.left(this.#key);
    this.#isLeft = true;
    if (this.#state === 'inviting') this.#fail(why, undefined);
    else this.#end({ cause: this.#state === 'cancelling' ? 'local' : 'failure', failure: why });
  }

  /** The engine has sent the INVITE, or sent it again with credentials: then whatever was early before is over. */
  #sent(request: SrfRequest): void {
    this.#isAnsweredEarly = false;
    this.#early = new EarlyReoffers();
    if (this.#state !== 'ended') {
      this.around.notes.invited(this.#key, { transactionId: request.stackTxnId, sentBy: 'us' });
    }
    const { log, clock } = this.around;
    onUpdateOf(request, (update, response) => {
      this.#receiveEarlyUpdate(update, request.get('Contact'), new FinalAnswer(update, response, log, clock));
    });
  }

  #progressed(response: SrfResponse): void {
    if (this.#state !== 'inviting') return;
    if (response.status === 100) return this.listener.trying?.();
    const message = readResponse(response.msg);
    const sdp = message === undefined ? undefined : sdpOf(message);
    if (sdp !== undefined && message?.headers.get('RSeq') !== undefined) this.#isAnsweredEarly = true;
    this.listener.progress({
      status: response.status,
      reason: response.reason ?? '',
      sdp,
      headers: message?.headers ?? noHeaders,
    });
  }

  #receiveEarlyUpdate(update: SrfRequest, contact: string | undefined, final: FinalAnswer): void {
    const { listener } = this;
    const isAnswered = this.#isAnsweredEarly && this.invitation.sdp !== undefined;
    this.#early.update(update, final, { listener, contact, isAnswered, offerer: 'us' });
  }

  #refused({ failure: why, headers }: Refusal): void {
    if (this.#state === 'cancelling') this.#end({ cause: 'local' });
    else this.#fail(why, headers);
  }

  #answered(result: CalleeResult): void {
    if (this.#state === 'ended') return;
    const told = this.#state === 'inviting';
    this.#state = 'answered';
    this.#settle?.cancel();
    if (result === 'unreachable') return this.#abandon();
    if (isLateOffer(result)) {
      this.#late = result;
      if (!told) return this.#acknowledgeLate(result.sdp);
    } else {
      this.#confirm(result, this.invitation.sdp);
    }
    if (told) {
      this.listener.answered({ ...answerOf(result), ack: (sdp) => this.#acknowledgeLate(sdp) });
    }
  }

  /** A 2xx without Contact: srf has acknowledged it, but there is no target for anything else (RFC 3261 §12.1.2). */
  #abandon(): void {
    const { srf } = this.around;
    const sender = new RequestSender(srf, () => undefined);
    const bye = { method: 'BYE', headers: this.#goodbye ?? [], auth: this.target.auth };
    sender.send({ dialogId: this.#key }, bye).catch((thrown: unknown) => this.#logUnsent(thrown));
    if (this.#goodbye !== undefined) return this.#end({ cause: 'local' });
    this.#fail(failure('trunk.protocol', { detail: '2xx to INVITE without Contact' }), undefined);
  }

  #acknowledgeLate(sdp: string | undefined): void {
    const late = this.#late;
    if (late === undefined) return;
    this.#late = undefined;
    this.#confirming = late.ack(sdp).then(
      (dialog) => this.#confirm(dialog, sdp),
      (thrown: unknown) => {
        this.#logUnsent(thrown);
        const why =
          thrown instanceof SipFailure ? thrown : failure('trunk.protocol', { detail: textOf(thrown) });
        this.#end({ cause: 'failure', failure: why });
      },
    );
  }

  #confirm(dialog: SrfDialog, localSdp: string | undefined): void {
    if (this.#state === 'ended') return;
    this.#state = 'confirmed';
    const early = this.#early.agreed;
    const session = {
      localSdp: early?.localSdp ?? localSdp,
      remoteSdp: early?.remoteSdp ?? dialog.remote.sdp,
      auth: this.target.auth,
    };
    this.#dialog = new TrunkDialog(dialog, this.around, session, this.listener, (end) => this.#end(end));
    if (this.#goodbye !== undefined) this.#dialog.bye(this.#goodbye);
  }

  #cancel(headers: HeaderList): void {
    this.#state = 'cancelling';
    this.#settle = this.around.clock.after(settleMs, () => this.#end({ cause: 'local' }));
    this.#invite.cancel(headers);
  }

  #logUnsent(thrown: unknown): void {
    this.around.log.debug({ legId: this.id, why: textOf(thrown) }, 'a request was not sent');
  }

  #fail(why: SipFailure, headers: HeaderView | undefined): void {
    if (this.#state === 'ended') return;
    this.#close();
    tell(this.around.log, () => this.listener.failed(why, headers));
  }

  #end(end: LegEnd): void {
    if (this.#state === 'ended') return;
    this.#close();
    tell(this.around.log, () => this.listener.ended(end));
  }

  #close(): void {
    this.#state = 'ended';
    this.#settle?.cancel();
    this.legs.remove(this.#key, this);
    if (this.#dialog === undefined && !this.#isLeft) this.around.notes.ended(this.#key);
  }
}
