import type { Clock } from '../clock.js';
import type { SipFailure } from '../failure.js';
import type { HeaderList, IncomingCall, OutOfDialogRequest, Party } from '../leg.js';
import type { Log } from '../log.js';
import type { SipRequest } from '../message/index.js';

/** Who hears of what the browser starts. */
export interface EndpointCoreListener {
  /** The INVITE has been answered with 100. */
  incomingCall(call: IncomingCall): void;
  request(request: OutOfDialogRequest): void;
  /** A request was answered with a failure by the core itself: no leg takes it, at all or at present. */
  refused?(request: SipRequest, failure: SipFailure): void;
}

export interface EndpointCoreOptions {
  /** `e_…` */
  readonly id: string;
  /** `sip:alice@localhost` */
  readonly aor: string;
  readonly transport: 'WS' | 'WSS';
  /** Writes to the endpoint's current flow; false when there is none right now. */
  send(text: string): boolean;
  readonly listener: EndpointCoreListener;
  readonly log: Log;
  readonly clock: Clock;
}

/** A request to the browser outside any dialog. */
export interface OutgoingMessage {
  readonly from: Party;
  readonly to: Party;
  readonly headers?: HeaderList;
  readonly content?: { readonly contentType: string; readonly body: string };
}

/** Sizes of an endpoint's tables; all zero when it has no call. */
export interface EndpointCoreSizes {
  readonly transactions: number;
  readonly dialogs: number;
  readonly legs: number;
  readonly subscriptions: number;
  /** Messages that wait for a flow. */
  readonly unsent: number;
}
