import type {
  CalleeLeg,
  CalleeListener,
  HeaderList,
  IncomingCall,
  Invitation,
  LegSide,
  Party,
} from '../../sip/leg.js';
import type { SipFailure } from '../../sip/failure.js';
import type { MediaEndOptions } from '../../sip/media/media-engine.js';
import type { DtmfContentType } from './dtmf-info.js';

/** What the media end of a leg speaks, and how its PBX wants DTMF. */
export interface LegMedia extends MediaEndOptions {
  /** DTMF goes and comes in INFO; undefined: in RTP (RFC 4733). */
  readonly infoDtmf?: DtmfContentType;
}
import type { TargetLimits } from './call-limits.js';

/** Where an incoming call came from, as its gates proved it; never what its headers claim. */
export type CallSource =
  | {
      readonly side: 'browser';
      /** `sip:user@domain`. */
      readonly aor: string;
      /** `e_…` */
      readonly endpointId: string;
      /** Remote `address:port` of its flow; undefined when the flow has gone. */
      readonly remote?: string | undefined;
    }
  | {
      readonly side: 'trunk';
      readonly trunk: string;
      /** Remote `address:port`. */
      readonly remote: string;
      readonly media: LegMedia;
    };

/** Where another process finds a callee again. */
export type CalleePlace = { readonly endpointId: string } | { readonly trunk: string };

/** One next hop that a call may be offered to: a trunk target or a binding of a user. Made by the router for one call. */
export interface CalleeTarget {
  readonly side: LegSide;
  /** For log and CDR: `office sip:pbx.example.net` or `sip:bob@example.com e_…`. */
  readonly label: string;
  /** Remote `address:port` of a browser; undefined: not known. */
  readonly remote?: string | undefined;
  /** Undefined: a call with it cannot go on in another process. */
  readonly place?: CalleePlace;
  readonly media: LegMedia;
  readonly from: Party;
  readonly to: Party;
  /** Header fields of the target itself (P-Asserted-Identity …), beside those that the header policy passes. */
  readonly headers: HeaderList;
  /** Undefined: those of any call. */
  readonly limits?: TargetLimits | undefined;
  /** Whether the next stage may be tried after this refusal; undefined: when the target failed rather than somebody refused. */
  failsOver?(refusal: SipFailure): boolean;
  /** It did not say a word in the time that its limits allow. */
  wasSilent?(): void;
  /** Sends the INVITE. Throws a SipFailure when it cannot even be sent. */
  invite(invitation: Invitation, listener: CalleeListener): CalleeLeg;
}

/** Targets that ring at the same time. */
export type Stage = readonly CalleeTarget[];

/** A routing decision: stages are tried one after the other. */
export interface RoutePlan {
  readonly route: string;
  /** No limit applies to the call: somebody may be in danger. */
  readonly emergency?: boolean;
  readonly stages: readonly Stage[];
}

/** What a decision depends on. */
export type RoutableCall = Pick<IncomingCall, 'requestUri' | 'from' | 'headers'>;

/** Decides where a call goes. Rejects with a SipFailure (`route.no_match`, `route.user_offline` …). */
export interface Router {
  plan(incoming: RoutableCall, source: CallSource): Promise<RoutePlan>;
  /** True when an emergency route takes the call: then it is admitted whatever the limits say. */
  isEmergency(incoming: RoutableCall, source: CallSource): boolean;
}
