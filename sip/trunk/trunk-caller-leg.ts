import { failure, SipFailure } from '../failure.js';
import type {
  CallerLeg,
  HeaderList,
  InDialogResponse,
  LegEnd,
  LegListener,
  ReofferResult,
  TrunkDialogSnapshot,
} from '../leg.js';
import { newId, tagOf, type SipRequest } from '../message/index.js';
import { allow } from './capabilities.js';
import { EarlyReoffers, passOnEarly, type EarlyOffers } from './early-dialog.js';
import { textOf } from './engine-failure.js';
import { FinalAnswer, sendResponse } from './final-answer.js';
import { headerRecord } from './header-record.js';
import { callerKey, dialogKey, type LegTable, type TableLeg } from './leg-table.js';
import { sdpOf, sdpType } from './received-message.js';
import { ReliableProgress, requires100rel } from './reliable-progress.js';
import type { SrfDialog, SrfRequest, SrfResponse } from './srf-types.js';
import { tell } from './tell.js';
import { TrunkDialog, type DialogSurroundings } from './trunk-dialog.js';

/** What a caller leg is made of. */
export interface IncomingInvite {
  readonly message: SipRequest;
  readonly request: SrfRequest;
  readonly response: SrfResponse;
  /** Our Contact on the transport that the INVITE came by. */
  readonly contact: string | undefined;
}

interface PendingAnswer {
  resolve(sdp: string | undefined): void;
  reject(failure: SipFailure): void;
}

/**
 * The leg of a caller on the trunk (RFC 3261 §13.3): `proceeding` until the final response is handed to the engine,
 * `answering` until the engine has sent our 200, then `confirmed`.
 */
export class TrunkCallerLeg implements CallerLeg, TableLeg {
  readonly id = newId('l_');
  readonly side = 'trunk';
  readonly role = 'caller';
  readonly sipCallId: string;
  /** The engine's own name of the dialog. */
  readonly #key: string;
  readonly #tableKey: string;
  readonly #progress: ReliableProgress;
  #state: 'proceeding' | 'answering' | 'confirmed' | 'ended' = 'proceeding';
  #listener: LegListener | undefined;
  #answer: PendingAnswer | undefined;
  #dialog: TrunkDialog | undefined;
  /** BYE that waits for the engine to send our 200. */
  #byeHeaders: HeaderList | undefined;
  readonly #early = new EarlyReoffers();
  /** The engine went away with the INVITE in it. */
  #isLeft = false;

  constructor(
    private readonly invite: IncomingInvite,
    private readonly around: DialogSurroundings,
    private readonly legs: LegTable,
  ) {
    const { message, request, response } = invite;
    this.sipCallId = message.callId;
    const fromTag = tagOf(message.from) ?? '';
    this.#key = dialogKey(message.callId, fromTag);
    this.#tableKey = callerKey(message.callId, fromTag);
    this.#progress = new ReliableProgress(response, requires100rel(message), around.clock, () => {
      const late = failure('trunk.timeout', { status: 504, reason: 'Server Time-out', detail: 'no PRACK' });
      this.#refuse(late, [], { cause: 'failure', failure: late });
    });
    legs.add(this.#tableKey, this);
    around.notes.invited(this.#key, { transactionId: request.stackTxnId, sentBy: 'peer' });
    request.on('cancel', (cancel: SrfRequest) => this.#cancelled(cancel.get('Reason')));
    request.on('update', (update: SrfRequest, answer: SrfResponse) => {
      this.#early.update(update, new FinalAnswer(update, answer, around.log, around.clock), this.#offers);
    });
  }

  /** True once somebody listens. */
  get taken(): boolean {
    return this.#listener !== undefined;
  }

  listen(listener: LegListener): void {
    this.#listener = listener;
  }

  progress(status: number, reason: string, sdp?: string, headers: HeaderList = []): void {
    if (this.#state !== 'proceeding' || this.#answer !== undefined) return;
    const { contact } = this.invite;
    const own: [string, string][] = sdp === undefined ? [] : [['Content-Type', sdpType]];
    if (contact !== undefined) own.push(['Contact', contact]);
    this.#progress.send(status, reason, {
      headers: [...own, ...allow, ...headers],
      ...(sdp === undefined ? {} : { body: sdp }),
    });
  }

  answer(sdp: string, headers: HeaderList = []): Promise<string | undefined> {
    if (this.#state !== 'proceeding' || this.#answer !== undefined) {
      return Promise.reject(failure('dialog.unknown', { detail: 'the INVITE is answered or cancelled' }));
    }
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
      this.#progress.whenAcknowledged(() => this.#sendAnswer(sdp, headers));
    });
  }

  reject(refusal: SipFailure): void {
    this.#refuse(refusal);
  }

  hangUp(reason: { readonly failure?: SipFailure; readonly headers?: HeaderList } = {}): void {
    const headers = reason.headers ?? [];
    if (this.#state === 'proceeding') {
      return this.#refuse(reason.failure ?? failure('caller.cancelled', { party: 'gateway' }), headers);
    }
    if (this.#dialog === undefined) this.#byeHeaders = headers;
    else this.#dialog.bye(headers);
  }

  async reoffer(sdp: string | undefined, headers?: HeaderList): Promise<ReofferResult> {
    if (this.#dialog === undefined) throw failure('dialog.request_pending', { detail: 'not answered yet' });
    return this.#dialog.reoffer(sdp, headers);
  }

  async request(
    method: string,
    content?: { readonly contentType: string; readonly body: string },
    headers?: HeaderList,
  ): Promise<InDialogResponse> {
    if (this.#dialog === undefined) throw failure('dialog.unknown', { detail: 'not answered yet' });
    return this.#dialog.request(method, content, headers);
  }

  snapshot(): TrunkDialogSnapshot | undefined {
    return this.#dialog?.snapshot();
  }

  receiveEarly(message: SipRequest, request: SrfRequest, response: SrfResponse): void {
    const final = new FinalAnswer(request, response, this.around.log, this.around.clock);
    const { method } = message;
    if (method === 'PRACK') return this.#receivePrack(message, final);
    if (method === 'UPDATE') return this.#early.update(request, final, this.#offers);
    if (method === 'BYE') return this.#receiveEarlyBye(message, final);
    if (this.#listener === undefined) return final.send(481, 'Call/Transaction Does Not Exist');
    passOnEarly(message, final, this.#listener);
  }

  lose(why: SipFailure): void {
    if (this.#dialog !== undefined) return this.#dialog.lose(why);
    if (this.#state === 'ended') return;
    this.around.notes.left(this.#key);
    this.#isLeft = true;
    this.#end({ cause: 'failure', failure: why });
  }

  #sendAnswer(sdp: string, headers: HeaderList): void {
    if (this.#state !== 'proceeding') return;
    this.#state = 'answering';
    const { request, response } = this.invite;
    const options = { localSdp: sdp, headers: headerRecord([['Content-Type', sdpType]], allow, headers) };
    let told = false;
    const sent = (error: unknown, dialog?: SrfDialog): void => {
      if (told) return;
      told = true;
      if (dialog === undefined) this.#notAnswered(error);
      else this.#confirm(dialog, sdp);
    };
    try {
      this.around.srf.createUAS(request, response, options, sent);
    } catch (thrown) {
      sent(thrown);
    }
  }

  /** The engine did not send the 200: a CANCEL overtook it, which srf does not pass up any more, or the peer is gone. */
  #notAnswered(error: unknown): void {
    if (this.#state !== 'answering') return;
    const detail = textOf(error);
    if (/unknown transaction/i.test(detail)) return this.#end({ cause: 'remote' });
    sendResponse(this.invite.response, 500, '', {});
    const why = error instanceof SipFailure ? error : failure('trunk.protocol', { detail });
    this.#end({ cause: 'failure', failure: why });
  }

  #confirm(dialog: SrfDialog, sdp: string): void {
    const { message } = this.invite;
    const listener = this.#listener;
    if (this.#state !== 'answering' || listener === undefined) return;
    this.#state = 'confirmed';
    const remoteSdp = this.#early.agreed?.remoteSdp ?? sdpOf(message);
    const session = { localSdp: sdp, remoteSdp };
    this.#dialog = new TrunkDialog(dialog, this.around, session, listener, (end) => this.#end(end));
    const answer = this.#answer;
    this.#dialog.acks.wait(message.cseq.number).then(
      (ackSdp) => answer?.resolve(ackSdp),
      (why: SipFailure) => answer?.reject(why),
    );
    if (this.#byeHeaders !== undefined) this.#dialog.bye(this.#byeHeaders);
  }

  #receivePrack(message: SipRequest, final: FinalAnswer): void {
    if (!this.#progress.acknowledged()) return final.send(481, 'Call/Transaction Does Not Exist');
    if (sdpOf(message) === undefined) return final.send(200, 'OK');
    this.#early.offer(message, final, this.#offers);
  }

  get #offers(): EarlyOffers {
    const { invite } = this;
    return {
      listener: this.#listener,
      contact: invite.contact,
      isAnswered: sdpOf(invite.message) !== undefined && this.#progress.hasAnswered,
      offerer: sdpOf(invite.message) === undefined ? 'us' : 'peer',
    };
  }

  /** A caller may leave an early dialog with BYE (RFC 3261 §15): the INVITE is answered 487 (§15.1.2). */
  #receiveEarlyBye(message: SipRequest, final: FinalAnswer): void {
    final.send(200, 'OK');
    if (this.#state !== 'proceeding') return;
    const { status, reason } = failure('caller.cancelled');
    sendResponse(this.invite.response, status, reason, {});
    this.#cancelled(message.headers.get('Reason'));
  }

  #cancelled(reason: string | undefined): void {
    if (this.#state === 'confirmed') return;
    this.#end(reason === undefined ? { cause: 'remote' } : { cause: 'remote', reason });
  }

  #refuse(refusal: SipFailure, headers: HeaderList = [], end: LegEnd = { cause: 'local' }): void {
    if (this.#state !== 'proceeding') return;
    const { log } = this.around;
    const status = refusal.status >= 300 && refusal.status < 700 ? refusal.status : 500;
    const all = [...refusal.headers, ...headers];
    sendResponse(this.invite.response, status, refusal.reason, { headers: all }, (refused) => {
      if (refused === undefined) return;
      log.debug({ legId: this.id, status, refused: refused.detail }, 'a refusal was not sent');
    });
    this.#end(end);
  }

  #end(end: LegEnd): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#progress.stop();
    this.legs.remove(this.#tableKey, this);
    if (this.#dialog === undefined && !this.#isLeft) this.around.notes.ended(this.#key);
    tell(this.around.log, () => {
      this.#listener?.ended(end);
      if (this.#dialog === undefined) this.#answer?.reject(end.failure ?? failure('caller.cancelled'));
    });
  }
}
