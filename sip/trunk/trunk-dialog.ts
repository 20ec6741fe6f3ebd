import type { Clock, Timer } from '../clock.js';
import { failure, toFailure, type SipFailure } from '../failure.js';
import type {
  HeaderList,
  InDialogResponse,
  LegEnd,
  LegListener,
  ReofferResult,
  TrunkDialogSnapshot,
} from '../leg.js';
import type { Log } from '../log.js';
import type { SipRequest } from '../message/index.js';
import { sessionAnswer } from '../session-refresh.js';
import { AckWaits } from './ack-waits.js';
import { allow } from './capabilities.js';
import type { DialogNotes } from './dialog-notes.js';
import type { DigestAccount } from './digest-answer.js';
import { RequestSender, type FinalResponse, type UpdateHandler } from './dialog-requests.js';
import { refusalOf } from './engine-failure.js';
import { FinalAnswer, sendResponse } from './final-answer.js';
import { toInDialogRequest, toInDialogResponse } from './in-dialog-messages.js';
import { contentTypeOf, readRequest, readResponse, sdpOf, sdpType } from './received-message.js';
import { SdpBooks } from './sdp-books.js';
import { endOfUnsolicitedBye } from './unsolicited-bye.js';
import type { SrfAck, SrfDialog, SrfRequest, SrfResponse, SrfStack } from './srf-types.js';
import { attempt } from './tell.js';
import { TrunkReoffer } from './trunk-reoffer.js';

/** What the dialogs of one engine connection work with. */
export interface DialogSurroundings {
  readonly srf: SrfStack;
  readonly clock: Clock;
  readonly log: Log;
  readonly notes: DialogNotes;
}

/** The session that the INVITE set up. */
export interface InitialSession {
  readonly localSdp: string | undefined;
  readonly remoteSdp: string | undefined;
  readonly auth?: DigestAccount | undefined;
}

/** Requests that are passed on as they are. */
const passedOn = ['info', 'message', 'refer', 'options', 'notify', 'publish', 'subscribe'] as const;

/** Longest time that call control may take over a re-INVITE; drachtio-server forgets it after 64 s. */
const reinviteWithinMs = 50_000;

/** Longest wait for the answer to a BYE or CANCEL: the engine gives up after 64·T1, drachtio-server without a word. */
export const settleMs = 36_000;

/**
 * A confirmed INVITE dialog on the trunk side: re-INVITE, UPDATE, INFO and the like in both directions, and its end
 * (RFC 3261 §12, §14, §15). Tells its end once.
 */
export class TrunkDialog {
  readonly acks: AckWaits;
  readonly #sender: RequestSender;
  readonly #books: SdpBooks;
  #state: 'open' | 'leaving' | 'over' = 'open';
  /** A re-INVITE of ours that has not been answered and acknowledged. */
  #inviting = false;
  #incoming: TrunkReoffer | undefined;
  #settle: Timer | undefined;

  constructor(
    private readonly dialog: SrfDialog,
    private readonly around: DialogSurroundings,
    private readonly session: InitialSession,
    private readonly listener: LegListener,
    private readonly ended: (end: LegEnd) => void,
  ) {
    this.#books = new SdpBooks(session.localSdp, session.remoteSdp);
    this.acks = new AckWaits(around.clock, (late) => {
      this.#leave([], { cause: 'failure', failure: late });
    });
    this.#sender = new RequestSender(around.srf, (update, response) => this.#receiveOffer(update, response));
    this.#attach();
    around.notes.began(dialog.id);
  }

  /** Sends a re-INVITE; see {@link Leg.reoffer}. */
  async reoffer(sdp: string | undefined, headers: HeaderList = []): Promise<ReofferResult> {
    if (this.#state !== 'open') throw failure('dialog.unknown');
    if (this.#inviting || this.acks.size > 0 || this.#incoming?.open === true) {
      throw failure('dialog.request_pending', { detail: 'another INVITE is in progress (RFC 3261 §14.1)' });
    }
    this.#inviting = true;
    try {
      return await this.#invite(sdp, headers);
    } catch (thrown) {
      this.#inviting = false;
      throw thrown;
    }
  }

  /** Sends any other request; see {@link Leg.request}. */
  async request(
    method: string,
    content: { readonly contentType: string; readonly body: string } | undefined,
    headers: HeaderList = [],
  ): Promise<InDialogResponse> {
    if (this.#state !== 'open') throw failure('dialog.unknown');
    const typed: HeaderList = content === undefined ? [] : [['Content-Type', content.contentType]];
    const { response } = await this.#send(method, [...typed, ...headers], content?.body);
    if (response.source_address === '') throw refusalOf(response).failure;
    if (response.status === 481) this.#lose(refusalOf(response).failure);
    return toInDialogResponse(response);
  }

  /**
   * Sends BYE, after the ACK of our 2xx where one is still out (RFC 3261 §15): then `ended` with cause `local`.
   * Idempotent.
   */
  bye(headers: HeaderList): void {
    this.#leave(headers, { cause: 'local' });
  }

  /** See {@link Leg.snapshot}. */
  snapshot(): TrunkDialogSnapshot | undefined {
    if (this.#state !== 'open') return undefined;
    const { id, type, sip, local } = this.dialog;
    return {
      side: 'trunk',
      dialogId: id,
      callId: sip.callId,
      localTag: sip.localTag,
      remoteTag: sip.remoteTag,
      role: type === 'uas' ? 'caller' : 'callee',
      contact: local.contact,
      ...this.#books.current,
    };
  }

  /** The engine is gone, and the dialog with it. */
  lose(why: SipFailure): void {
    if (this.#state === 'over') return;
    this.around.notes.left(this.dialog.id);
    this.#close({ cause: 'failure', failure: why });
  }

  #attach(): void {
    const { dialog } = this;
    dialog.remote.sdp ??= '';
    const offered = this.#guarded((request, response) => this.#receiveOffer(request, response));
    const other = this.#guarded((request, response) => this.#receiveOther(request, response));
    dialog.on('modify', offered);
    dialog.on('update', offered);
    for (const name of passedOn) dialog.on(name, other);
    dialog.on('ack', (ack: SrfRequest) => attempt(this.around.log, () => this.#receiveAck(ack)));
    dialog.on('destroy', (bye: SrfRequest, reason: string) => this.#receiveBye(bye, reason));
  }

  /** srf calls some of these from timers of its own, where a throw would end the process. */
  #guarded(receive: UpdateHandler): UpdateHandler {
    return (request, response) => {
      if (attempt(this.around.log, () => receive(request, response))) return;
      sendResponse(response, 500, '', {});
    };
  }

  async #invite(sdp: string | undefined, headers: HeaderList): Promise<ReofferResult> {
    const typed: HeaderList = sdp === undefined ? [] : [['Content-Type', sdpType]];
    const final = await this.#send('INVITE', [...typed, ...allow, ...headers], sdp);
    const { response, ack } = final;
    if (response.status >= 300) throw this.#refused(final);
    const message = readResponse(response.msg);
    const received = message === undefined ? undefined : sdpOf(message);
    this.#books.note(sdp, received);
    return { sdp: received, ack: (late) => this.#acknowledge(ack, sdp === undefined ? late : undefined) };
  }

  #acknowledge(ack: SrfAck, sdp: string | undefined): void {
    if (!this.#inviting) return;
    this.#inviting = false;
    this.#books.note(sdp, undefined);
    try {
      ack(sdp === undefined ? {} : { body: sdp });
    } catch (thrown) {
      const why = toFailure(thrown);
      this.around.log.debug({ thrown: why.message }, 'an ACK could not be sent');
      this.#leave([], { cause: 'failure', failure: why });
    }
  }

  /** 481 and 408 end the dialog (RFC 3261 §12.2.1.2); after any other refusal it stays as it was. */
  #refused({ response, unanswered }: FinalResponse): SipFailure {
    const { failure: refusal } = refusalOf(response, unanswered);
    if (response.status === 491) return failure('dialog.request_pending', { status: 491 });
    if (response.status !== 481 && response.status !== 408) return refusal;
    return this.#lose(refusal);
  }

  #lose(cause: SipFailure): SipFailure {
    const gone = failure('dialog.unknown', { detail: cause.detail ?? cause.reason, cause });
    this.#leave([], { cause: 'failure', failure: gone });
    return gone;
  }

  #receiveOffer(request: SrfRequest, response: SrfResponse): void {
    const { clock, log } = this.around;
    const message = readRequest(request.msg);
    const withinMs = message?.method === 'INVITE' ? reinviteWithinMs : undefined;
    const final = new FinalAnswer(request, response, log, clock, withinMs);
    const refusal = this.#whyNot(message);
    if (message === undefined || refusal !== undefined) {
      const { status, reason, headers } = refusal ?? failure('message.malformed');
      return final.send(status, reason, { headers });
    }
    const reoffer = new TrunkReoffer(message, final, {
      acks: this.acks,
      contact: this.dialog.local.contact,
      timer: sessionAnswer(message.headers),
      accepted: (offer, answer) => this.#books.note(answer, offer),
    });
    if (reoffer.method === 'UPDATE' && reoffer.sdp === undefined) {
      // It refreshes the session timer or the target, whatever offers are under way (RFC 3311 §5.2).
      return void reoffer.accept(undefined);
    }
    request.on('cancel', () => reoffer.withdraw());
    const unchanged = this.#books.answerToSame(reoffer.sdp);
    if (unchanged === undefined) {
      this.#incoming = reoffer;
      return this.listener.reoffer(reoffer);
    }
    reoffer.accept(unchanged).catch((thrown: unknown) => {
      log.debug({ why: toFailure(thrown).message }, 'a session refresh was not acknowledged');
    });
  }

  /** RFC 3261 §14.2 and RFC 3311 §5.2: one offer at a time. */
  #whyNot(message: SipRequest | undefined): SipFailure | undefined {
    if (message === undefined) return failure('message.malformed', { detail: 'unreadable request' });
    if (this.#state !== 'open') return failure('dialog.unknown');
    const type = contentTypeOf(message);
    if (type !== undefined && type !== sdpType) {
      return failure('message.content_type', { headers: [['Accept', sdpType]] });
    }
    if (message.method === 'UPDATE' && type === undefined) return undefined;
    if (this.#inviting) return failure('dialog.request_pending');
    if (this.#incoming?.open === true) return failure('dialog.sequence', { headers: [['Retry-After', '2']] });
    return undefined;
  }

  #receiveOther(request: SrfRequest, response: SrfResponse): void {
    const { clock, log } = this.around;
    const final = new FinalAnswer(request, response, log, clock);
    const message = readRequest(request.msg);
    if (message === undefined) return final.send(400, 'Bad Request');
    if (this.#state !== 'open') return final.send(481, 'Call/Transaction Does Not Exist');
    this.listener.request(toInDialogRequest(message, final));
  }

  #receiveAck(ack: SrfRequest): void {
    const message = readRequest(ack.msg);
    if (message === undefined) return;
    const sdp = sdpOf(message);
    this.#books.note(undefined, sdp);
    this.acks.acknowledged(message.cseq.number, sdp);
  }

  #receiveBye(bye: SrfRequest, reason: string): void {
    if (bye.source === 'application') return this.#finish(endOfUnsolicitedBye(reason));
    const why = bye.get('Reason');
    this.#finish(why === undefined ? { cause: 'remote' } : { cause: 'remote', reason: why });
  }

  #leave(headers: HeaderList, end: LegEnd): void {
    if (this.#state !== 'open') return;
    this.#state = 'leaving';
    if (this.acks.size === 0) return this.#sendBye(headers, end);
    this.acks.whenIdle(() => this.#sendBye(headers, end));
  }

  #sendBye(headers: HeaderList, end: LegEnd): void {
    if (this.#state !== 'leaving') return;
    this.#settle = this.around.clock.after(settleMs, () => this.#finish(end));
    this.#send('BYE', headers, undefined).then(
      () => this.#finish(end),
      (thrown: unknown) => {
        this.around.log.debug({ why: toFailure(thrown).message }, 'BYE was not sent');
        this.#finish(end);
      },
    );
  }

  #send(method: string, headers: HeaderList, body: string | undefined): Promise<FinalResponse> {
    const { auth } = this.session;
    const content = body === undefined ? {} : { body };
    const isWanted = () => method === 'BYE' || this.#state === 'open';
    return this.#sender.send({ dialogId: this.dialog.id }, { method, headers, auth, isWanted, ...content });
  }

  #finish(end: LegEnd): void {
    if (this.#state === 'over') return;
    this.around.notes.ended(this.dialog.id);
    this.#close(end);
  }

  #close(end: LegEnd): void {
    const leaving = this.#state === 'leaving';
    this.#settle?.cancel();
    this.#state = 'over';
    if (this.acks.size > 0 || this.#sender.size > 0) {
      const why = end.failure ?? failure('dialog.unknown', { detail: 'the dialog has ended' });
      this.acks.abandonAll(why);
      this.#sender.abandonAll(why);
    }
    if (this.#incoming?.open === true) this.#incoming.reject(failure('caller.cancelled'));
    this.around.srf.removeDialog(this.dialog);
    this.dialog.removeAllListeners();
    this.ended(leaving && end.cause === 'remote' ? { cause: 'local' } : end);
  }
}
