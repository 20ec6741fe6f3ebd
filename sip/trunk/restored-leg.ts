import { failure, type SipFailure } from '../failure.js';
import type {
  HeaderList,
  InDialogResponse,
  Leg,
  LegEnd,
  LegListener,
  LegRole,
  ReofferResult,
  TrunkDialogSnapshot,
} from '../leg.js';
import type { SipRequest } from '../message/index.js';
import type { DigestAccount } from './digest-answer.js';
import { sendResponse } from './final-answer.js';
import { callerKey, dialogKey, type LegTable, type TableLeg } from './leg-table.js';
import { restoredDialog } from './restored-dialog.js';
import type { SrfRequest, SrfResponse } from './srf-types.js';
import { tell } from './tell.js';
import { TrunkDialog, type DialogSurroundings } from './trunk-dialog.js';

/** Which leg is restored, and from what. */
export interface RestorableTrunkLeg {
  /** `l_…` */
  readonly id: string;
  readonly dialog: TrunkDialogSnapshot;
  /** For a PBX that challenges requests in a dialog. */
  readonly auth?: DigestAccount | undefined;
}

/** The leg of a PBX in a call that an earlier process had; the engine knows its dialog. */
export class RestoredTrunkLeg implements Leg, TableLeg {
  readonly side = 'trunk';
  readonly id: string;
  readonly role: LegRole;
  readonly sipCallId: string;
  readonly #key: string;
  readonly #dialog: TrunkDialog;

  constructor(
    { id, dialog, auth }: RestorableTrunkLeg,
    private readonly listener: LegListener,
    private readonly around: DialogSurroundings,
    private readonly legs: LegTable,
  ) {
    const { callId, localTag, remoteTag, role, localSdp, remoteSdp } = dialog;
    this.id = id;
    this.role = role;
    this.sipCallId = callId;
    this.#key = role === 'caller' ? callerKey(callId, remoteTag) : dialogKey(callId, localTag);
    legs.add(this.#key, this);
    const known = restoredDialog(around.srf, dialog);
    around.srf.addDialog(known);
    const session = { localSdp, remoteSdp, auth };
    this.#dialog = new TrunkDialog(known, around, session, listener, (end) => this.#end(end));
  }

  reoffer(sdp: string | undefined, headers?: HeaderList): Promise<ReofferResult> {
    return this.#dialog.reoffer(sdp, headers);
  }

  request(
    method: string,
    content?: { readonly contentType: string; readonly body: string },
    headers?: HeaderList,
  ): Promise<InDialogResponse> {
    return this.#dialog.request(method, content, headers);
  }

  hangUp(reason: { readonly failure?: SipFailure; readonly headers?: HeaderList } = {}): void {
    this.#dialog.bye(reason.headers ?? []);
  }

  snapshot(): TrunkDialogSnapshot | undefined {
    return this.#dialog.snapshot();
  }

  /** The dialog is confirmed: nothing early can come. */
  receiveEarly(_message: SipRequest, _request: SrfRequest, response: SrfResponse): void {
    const { status, reason } = failure('dialog.unknown');
    sendResponse(response, status, reason, {});
  }

  lose(why: SipFailure): void {
    this.#dialog.lose(why);
  }

  #end(end: LegEnd): void {
    this.legs.remove(this.#key, this);
    tell(this.around.log, () => this.listener.ended(end));
  }
}
