import { failure, type SipFailure } from '../failure.js';
import type {
  BrowserDialogSnapshot,
  CallerLeg,
  HeaderList,
  HeaderView,
  InDialogResponse,
  LegEnd,
  LegListener,
  ReofferResult,
} from '../leg.js';
import { newId } from '../message/index.js';
import { deferred, rejected } from './deferred.js';
import type { BrowserLeg, EndpointContext } from './endpoint-context.js';
import { hasOptionTag, safeHeaders } from './header-lines.js';
import { InDialog, type DialogOwner } from './in-dialog.js';
import { LegDialog } from './leg-dialog.js';
import { sdpOf, type AdaptedRequest } from './message-adapter.js';
import { ReliableProvisionals } from './reliable-provisionals.js';
import { InviteServer, PlainServer } from './server-request.js';

/**
 * `proceeding`: no final response yet; `answered`: 200 sent, no ACK yet; `leaving`: hung up in that state, so that the
 * BYE waits for the ACK (RFC 3261 §15); `ended`: nothing can follow.
 */
type State = 'proceeding' | 'answered' | 'established' | 'leaving' | 'ended';

/** The leg of a browser that calls: we serve its INVITE. */
export class BrowserCallerLeg implements CallerLeg, BrowserLeg, DialogOwner {
  readonly side = 'browser';
  readonly role = 'caller';
  readonly id = newId('l_');
  readonly sipCallId: string;

  private state: State = 'proceeding';
  private told: LegListener | undefined;
  private endTold = false;
  private dialog: InDialog | undefined;
  private readonly server: InviteServer;
  private readonly offered: boolean;
  private readonly reliability: 'required' | 'supported' | 'none';
  private reliable: ReliableProvisionals | undefined;
  /** Sends the 200 that waits for a PRACK. */
  private heldAnswer: (() => void) | undefined;
  private byeHeaders: HeaderList = [];

  /** Answers the INVITE with 100. */
  constructor(
    private readonly context: EndpointContext,
    private readonly invite: AdaptedRequest,
  ) {
    this.sipCallId = invite.callId;
    this.offered = sdpOf(invite.original) !== undefined;
    this.reliability = reliabilityOf(invite.original.headers);
    this.server = new InviteServer(context.core, invite);
    this.server.onCancel = (cancel) => this.cancelled(cancel.headers.get('reason'));
    this.server.respond(100);
    context.addLeg(this);
  }

  /** Undefined once the leg has told its end. */
  get listener(): LegListener | undefined {
    return this.endTold ? undefined : this.told;
  }

  listen(listener: LegListener): void {
    this.told = listener;
  }

  progress(status: number, reason: string, sdp?: string, headers: HeaderList = []): void {
    if (this.state !== 'proceeding' || this.heldAnswer !== undefined) return;
    this.guard(() => this.sendProgress(status, reason, sdp, headers));
  }

  answer(sdp: string, headers: HeaderList = []): Promise<string | undefined> {
    if (this.state !== 'proceeding' || this.heldAnswer !== undefined) {
      return rejected(failure('caller.cancelled'));
    }
    const outcome = deferred<string | undefined>();
    const send = (): void => {
      if (this.state === 'proceeding') this.guard(() => outcome.follow(this.sendAnswer(sdp, headers)));
      if (this.state === 'ended') outcome.reject(failure('caller.cancelled'));
    };
    if (this.reliable?.holdsAnswer === true) {
      this.reliable.dropWaiting();
      this.heldAnswer = send;
    } else {
      send();
    }
    return outcome.promise;
  }

  reject(refusal: SipFailure): void {
    if (this.state !== 'proceeding') return;
    this.guard(() => this.server.refuse(refusal));
    this.finish({ cause: 'local', failure: refusal });
  }

  reoffer(sdp: string | undefined, headers: HeaderList = []): Promise<ReofferResult> {
    if (this.state === 'ended' || this.state === 'leaving') return rejected(failure('dialog.unknown'));
    return this.dialog?.reoffer(sdp, headers) ?? rejected(failure('dialog.request_pending'));
  }

  request(
    method: string,
    content?: { readonly contentType: string; readonly body: string },
    headers: HeaderList = [],
  ): Promise<InDialogResponse> {
    return this.dialog?.request(method, content, headers) ?? rejected(failure('dialog.unknown'));
  }

  hangUp(reason: { readonly failure?: SipFailure; readonly headers?: HeaderList } = {}): void {
    const end: LegEnd = {
      cause: 'local',
      ...(reason.failure === undefined ? {} : { failure: reason.failure }),
    };
    const headers = reason.headers ?? [];
    switch (this.state) {
      case 'proceeding': {
        const { status, reason: phrase, headers: own } = reason.failure ?? failure('caller.cancelled');
        this.tellEnd(end);
        this.guard(() =>
          this.server.respond(status, { reason: phrase, headers: safeHeaders([...own, ...headers]) }),
        );
        this.finish(end);
        return;
      }
      case 'answered':
        this.state = 'leaving';
        this.byeHeaders = headers;
        this.tellEnd(end);
        return;
      case 'established':
        this.tellEnd(end);
        this.guard(() => this.dialog?.bye(headers, 'dialog.unknown'));
        this.finish(end);
        return;
      case 'leaving':
      case 'ended':
        return;
    }
  }

  snapshot(): BrowserDialogSnapshot | undefined {
    return this.state === 'established' ? this.dialog?.snapshot() : undefined;
  }

  lose(lost: SipFailure): void {
    this.finish({ cause: 'failure', failure: lost });
  }

  acknowledged(): void {
    if (this.state === 'answered') this.state = 'established';
    else if (this.state === 'leaving') this.leave();
  }

  hungUp(reason: string | undefined): void {
    if (this.state === 'proceeding') this.server.respond(487);
    this.finish({ cause: 'remote', ...(reason === undefined ? {} : { reason }) });
  }

  fail(broken: SipFailure): void {
    this.context.safely(() => {
      if (this.state === 'proceeding') this.server.refuse(broken);
      else this.dialog?.bye(this.byeHeaders, broken);
    });
    this.finish({ cause: 'failure', failure: broken });
  }

  acknowledgeProvisional(prack: AdaptedRequest): void {
    const { original } = prack;
    if (this.reliable?.acknowledge(original.headers.get('rack')) !== true) {
      this.context.refuse(original, failure('dialog.unknown'));
      return;
    }
    if (this.dialog !== undefined && sdpOf(original) !== undefined) this.dialog.exchange.receivePrack(prack);
    else new PlainServer(this.context.core, prack).respond(200);
    this.releaseAnswer();
  }

  private cancelled(reason: string | undefined): void {
    if (this.state !== 'proceeding') return;
    this.server.respond(487);
    this.finish({ cause: 'remote', ...(reason === undefined ? {} : { reason }) });
  }

  private sendProgress(status: number, reason: string, sdp: string | undefined, headers: HeaderList): void {
    this.openDialog();
    // An offer of ours in a 18x would be answered in the PRACK; it goes into the 200 instead.
    const answer = this.offered ? sdp : undefined;
    const all = [...this.context.dialogHeaders, ...safeHeaders(headers)];
    if (this.isReliable(answer)) {
      this.provisionals().send({ status, reason, headers: all, sdp: answer });
      return;
    }
    this.server.respond(status, { reason, headers: all, ...(answer === undefined ? {} : { sdp: answer }) });
  }

  private sendAnswer(sdp: string, headers: HeaderList): Promise<string | undefined> {
    const dialog = this.openDialog();
    this.reliable?.close();
    const own = dialog.confirm(this.invite.original.headers);
    const text = this.server.respond(200, {
      sdp,
      headers: [...this.context.dialogHeaders, ...own, ...safeHeaders(headers)],
    });
    if (text === undefined) return rejected(failure('caller.cancelled'));
    this.state = 'answered';
    dialog.exchange.offer = this.offered ? undefined : 'local';
    return dialog.exchange.awaitAck(this.server, text);
  }

  private releaseAnswer(): void {
    const held = this.heldAnswer;
    this.heldAnswer = undefined;
    held?.();
  }

  /** The dialog begins with the first response that carries our tag (RFC 3261 §12.1.1). */
  private openDialog(): InDialog {
    if (this.dialog !== undefined) return this.dialog;
    const dialog = LegDialog.asServer(this.context.core, this.invite, this.server.localTag);
    this.dialog = new InDialog(this.context, dialog, this);
    this.dialog.exchange.invite = 'remote';
    this.dialog.exchange.offer = this.offered ? 'remote' : undefined;
    return this.dialog;
  }

  private isReliable(sdp: string | undefined): boolean {
    return this.reliability === 'required' || (this.reliability === 'supported' && sdp !== undefined);
  }

  private provisionals(): ReliableProvisionals {
    this.reliable ??= new ReliableProvisionals(
      this.context,
      this.server,
      (hadSdp) => {
        if (hadSdp && this.dialog !== undefined) this.dialog.exchange.offer = undefined;
      },
      () => this.fail(failure('call.ack_timeout')),
    );
    return this.reliable;
  }

  /** The ACK came after we had hung up. */
  private leave(): void {
    this.dialog?.bye(this.byeHeaders, 'dialog.unknown');
    this.finish({ cause: 'local' });
  }

  private finish(end: LegEnd): void {
    if (this.state === 'ended') return;
    this.state = 'ended';
    this.reliable?.close();
    this.context.safely(() => this.dialog?.close(end.failure ?? 'caller.cancelled'));
    this.releaseAnswer();
    this.context.removeLeg(this);
    this.tellEnd(end);
  }

  /** Whatever sip.js throws ends the leg, not the call control that asked for something. */
  private guard(act: () => void): void {
    this.context.safely(act, (broken) => this.fail(broken));
  }

  private tellEnd(end: LegEnd): void {
    if (this.endTold) return;
    this.endTold = true;
    this.context.safely(() => this.told?.ended(end));
  }
}

/** RFC 3262 §3: must provisional responses be reliable, or may they? */
function reliabilityOf(headers: HeaderView): 'required' | 'supported' | 'none' {
  if (hasOptionTag(headers, 'require', '100rel')) return 'required';
  return hasOptionTag(headers, 'supported', '100rel') ? 'supported' : 'none';
}
