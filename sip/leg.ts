import type { SipFailure } from './failure.js';

/** The port between call control and the two kinds of SIP stack below it (DESIGN §3): `gateway/call` sees only this. */

export type LegSide = 'browser' | 'trunk';
export type LegRole = 'caller' | 'callee';

/** Header fields in order, names as they are to be written. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** Read access to the header fields of a received message; names in any case, compact or long. */
export interface HeaderView {
  /** The first value, or undefined. */
  get(name: string): string | undefined;
  getAll(name: string): readonly string[];
}

/** Somebody in From, To or P-Asserted-Identity. */
export interface Party {
  readonly uri: string;
  readonly displayName?: string;
}

/** What ended a leg. */
export interface LegEnd {
  /** `remote`: the peer hung up or cancelled; `local`: we did; `failure`: see `failure`. */
  readonly cause: 'remote' | 'local' | 'failure';
  /** The peer's Reason header (RFC 3326), as received. */
  readonly reason?: string;
  readonly failure?: SipFailure;
}

/**
 * A re-INVITE from the peer (RFC 3261 §14.2), or an UPDATE or PRACK with an offer (RFC 3311 §5.2, RFC 3262 §5). UPDATE and
 * PRACK come before the INVITE is answered, too, once an answer was given reliably. Exactly one of `accept` and `reject` must be
 * called; further calls are ignored.
 */
export interface Reoffer {
  readonly method: 'INVITE' | 'UPDATE' | 'PRACK';
  /** The offer. Undefined when a re-INVITE has no SDP: it wants an offer in our 2xx. */
  readonly sdp: string | undefined;
  readonly headers: HeaderView;
  /**
   * Answers 200 with `sdp`. Resolves, once the request is acknowledged, with the SDP in the ACK (undefined when there
   * was none). Rejects with `call.ack_timeout` when no ACK arrives.
   */
  accept(sdp: string | undefined, headers?: HeaderList): Promise<string | undefined>;
  reject(failure: SipFailure): void;
}

/** Any other request inside the dialog: INFO, MESSAGE, REFER, NOTIFY, OPTIONS. `respond` must be called once. */
export interface InDialogRequest {
  readonly method: string;
  readonly headers: HeaderView;
  readonly contentType: string | undefined;
  readonly body: string;
  respond(status: number, reason?: string, headers?: HeaderList): void;
}

/**
 * A request outside any dialog: MESSAGE, SUBSCRIBE, PUBLISH, NOTIFY, REFER, INFO. Exactly one of `respond` and `refuse` must be
 * called.
 */
export interface OutOfDialogRequest extends InDialogRequest {
  /** Answers with a failure of the gateway's own, which the stack below reports: it is logged and counted. */
  refuse(failure: SipFailure): void;
  /** The Request-URI as received. */
  readonly requestUri: string;
  readonly from: Party;
  readonly to: Party;
}

/** Final answer to an in-dialog request that we sent. */
export interface InDialogResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderView;
  readonly contentType: string | undefined;
  readonly body: string;
}

/** The answer to a re-INVITE that we sent. */
export interface ReofferResult {
  /** The peer's answer; or its offer, when the re-INVITE carried none. */
  readonly sdp: string | undefined;
  /** Sends the ACK. Must be called once; carries `sdp` only when the re-INVITE carried none (RFC 3261 §14.1). */
  ack(sdp?: string): void;
}

/** What a leg tells its call. `ended` comes exactly once and last. */
export interface LegListener {
  reoffer(reoffer: Reoffer): void;
  request(request: InDialogRequest): void;
  ended(end: LegEnd): void;
}

/** A confirmed dialog with a browser as another process can go on with it: plain values. */
export interface BrowserDialogSnapshot {
  readonly side: 'browser';
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localSequence: number;
  readonly remoteSequence?: number | undefined;
  /** URI, and how it is written in From or To. */
  readonly local: readonly [uri: string, nameAddr: string];
  readonly remote: readonly [uri: string, nameAddr: string];
  readonly remoteTarget: string;
  readonly routeSet: readonly string[];
  /** RFC 3311 §4 */
  readonly takesUpdate: boolean;
  /** RFC 4028 */
  readonly sessionTimer?: { readonly seconds: number; readonly weRefresh: boolean } | undefined;
}

/** The same with a PBX. */
export interface TrunkDialogSnapshot {
  readonly side: 'trunk';
  /** By which the SIP engine knows it. */
  readonly dialogId: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly role: LegRole;
  readonly localSdp?: string | undefined;
  readonly remoteSdp?: string | undefined;
  readonly contact?: string | undefined;
}

export type DialogSnapshot = BrowserDialogSnapshot | TrunkDialogSnapshot;

/** One side of a call (DESIGN §2). */
export interface Leg {
  /** `l_…` */
  readonly id: string;
  readonly side: LegSide;
  readonly role: LegRole;
  readonly sipCallId: string;
  /**
   * Sends a re-INVITE with the offer `sdp`, or without any. Rejects with a SipFailure that has the peer's status
   * (`dialog.request_pending` on 491; the dialog lives on) or with `dialog.unknown` on 481/408, after which `ended` follows.
   */
  reoffer(sdp: string | undefined, headers?: HeaderList): Promise<ReofferResult>;
  /** Sends INFO, MESSAGE, REFER or NOTIFY in the dialog. Rejects with a SipFailure when no response arrives. */
  request(
    method: string,
    content?: { readonly contentType: string; readonly body: string },
    headers?: HeaderList,
  ): Promise<InDialogResponse>;
  /**
   * Ends the leg in whatever state it is: BYE when confirmed, CANCEL for a callee that has not answered, a final
   * response (487 or `failure`'s) for a caller that has no answer. Idempotent. `ended` follows with cause `local`.
   */
  hangUp(reason?: { readonly failure?: SipFailure; readonly headers?: HeaderList }): void;
  /** What another process needs to go on with the leg; undefined unless it is confirmed. */
  snapshot(): DialogSnapshot | undefined;
}

/** The leg of whoever calls us: we are the UAS of its INVITE. */
export interface CallerLeg extends Leg {
  readonly role: 'caller';
  /** Sets who hears of this leg; must be called in the same turn in which the IncomingCall arrived. */
  listen(listener: LegListener): void;
  /** Sends a provisional response 101–199, reliably (RFC 3262) when the caller requires it. */
  progress(status: number, reason: string, sdp?: string, headers?: HeaderList): void;
  /**
   * Sends 200. Resolves with the SDP in the ACK (undefined when there was none), rejects with `call.ack_timeout`
   * after 64·T1 without ACK (RFC 3261 §13.3.1.4); the leg has then sent BYE and `ended` follows.
   */
  answer(sdp: string, headers?: HeaderList): Promise<string | undefined>;
  /** Sends the failure's status, reason and headers. `ended` follows with cause `local`. */
  reject(failure: SipFailure): void;
}

/** A provisional or 2xx response of the callee. */
export interface CalleeProgress {
  readonly status: number;
  readonly reason: string;
  readonly sdp: string | undefined;
  readonly headers: HeaderView;
}

export interface CalleeAnswer extends CalleeProgress {
  /** Sends the ACK; must be called once, with an answer only when the INVITE carried no offer. */
  ack(sdp?: string): void;
}

export interface CalleeListener extends LegListener {
  /** 100 Trying: the next hop has the INVITE. A SIP engine may keep it to itself, as drachtio-server does. */
  trying?(): void;
  progress(progress: CalleeProgress): void;
  /** The first 2xx. Later 2xx of other forks are acknowledged and ended by the leg itself (RFC 3261 §13.2.2.4). */
  answered(answer: CalleeAnswer): void;
  /** A final 3xx–6xx, a timeout or a transport error; `ended` does not follow. `headers` are the peer's, when it sent any. */
  failed(failure: SipFailure, headers?: HeaderView): void;
}

/** The leg of whoever we call: we are the UAC of its INVITE. */
export interface CalleeLeg extends Leg {
  readonly role: 'callee';
}

/** What a callee leg is invited with. */
export interface Invitation {
  /** The id (`l_…`) that the leg takes: its media end has it before the INVITE is sent. */
  readonly legId: string;
  /** Undefined for a late offer (the callee's 2xx then carries the offer and `ack` the answer). */
  readonly sdp: string | undefined;
  readonly from: Party;
  readonly to: Party;
  readonly headers: HeaderList;
}

/** An INVITE outside a dialog that has passed the gates of its side and waits for call control. */
export interface IncomingCall {
  readonly leg: CallerLeg;
  /** The Request-URI as received. */
  readonly requestUri: string;
  readonly from: Party;
  readonly to: Party;
  readonly sdp: string | undefined;
  readonly headers: HeaderView;
}
