import { failure, type SipFailure } from '../failure.js';
import type {
  BrowserDialogSnapshot,
  HeaderList,
  InDialogResponse,
  Leg,
  LegEnd,
  LegListener,
  LegRole,
  ReofferResult,
} from '../leg.js';
import { rejected } from './deferred.js';
import type { BrowserLeg, EndpointContext } from './endpoint-context.js';
import { InDialog, type DialogOwner } from './in-dialog.js';
import { LegDialog } from './leg-dialog.js';
import type { AdaptedRequest } from './message-adapter.js';

/** Which leg is restored, and from what. */
export interface RestorableLeg {
  /** `l_…` */
  readonly id: string;
  readonly role: LegRole;
  readonly dialog: BrowserDialogSnapshot;
}

/** The leg of a browser in a call that an earlier process had: its dialog is confirmed from the beginning. */
export class RestoredLeg implements Leg, BrowserLeg, DialogOwner {
  readonly side = 'browser';
  readonly id: string;
  readonly role: LegRole;
  readonly sipCallId: string;
  private readonly dialog: InDialog;
  private ended = false;

  constructor(
    private readonly context: EndpointContext,
    { id, role, dialog }: RestorableLeg,
    private readonly told: LegListener,
  ) {
    this.id = id;
    this.role = role;
    this.sipCallId = dialog.callId;
    this.dialog = new InDialog(context, LegDialog.restored(context.core, dialog), this);
    this.dialog.restore(dialog);
    context.addLeg(this);
  }

  /** Undefined once the leg has told its end. */
  get listener(): LegListener | undefined {
    return this.ended ? undefined : this.told;
  }

  reoffer(sdp: string | undefined, headers: HeaderList = []): Promise<ReofferResult> {
    return this.ended ? rejected(failure('dialog.unknown')) : this.dialog.reoffer(sdp, headers);
  }

  request(
    method: string,
    content?: { readonly contentType: string; readonly body: string },
    headers: HeaderList = [],
  ): Promise<InDialogResponse> {
    return this.dialog.request(method, content, headers);
  }

  hangUp(reason: { readonly failure?: SipFailure; readonly headers?: HeaderList } = {}): void {
    if (this.ended) return;
    this.context.safely(() => this.dialog.bye(reason.headers ?? [], 'dialog.unknown'));
    this.finish({ cause: 'local', ...(reason.failure === undefined ? {} : { failure: reason.failure }) });
  }

  snapshot(): BrowserDialogSnapshot | undefined {
    return this.dialog.snapshot();
  }

  lose(lost: SipFailure): void {
    this.finish({ cause: 'failure', failure: lost });
  }

  acknowledged(): void {
    // The ACK of a re-INVITE of the browser's: nothing changes for the leg.
  }

  hungUp(reason: string | undefined): void {
    this.finish({ cause: 'remote', ...(reason === undefined ? {} : { reason }) });
  }

  fail(broken: SipFailure): void {
    this.context.safely(() => this.dialog.bye([], broken));
    this.finish({ cause: 'failure', failure: broken });
  }

  /** We send no provisional responses in this state. */
  acknowledgeProvisional({ original }: AdaptedRequest): void {
    this.context.refuse(original, failure('dialog.unknown'));
  }

  private finish(end: LegEnd): void {
    if (this.ended) return;
    this.ended = true;
    this.context.safely(() => this.dialog.close(end.failure ?? 'dialog.unknown'));
    this.context.removeLeg(this);
    this.context.safely(() => this.told.ended(end));
  }
}
