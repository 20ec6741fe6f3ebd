import type { SipFailure } from '../../sip/failure.js';

/** Why a WebSocket upgrade was refused. */
export type UpgradeRefusal =
  | 'path'
  | 'method'
  | 'handshake'
  | 'origin'
  | 'subprotocol'
  | 'address_rate'
  | 'address_limit'
  | 'flow_limit'
  | 'address_unauthenticated'
  | 'unauthenticated'
  | 'draining';

/** Why a connection was cut that never became a WebSocket. */
export type ConnectionCut = 'silent' | 'slow_request' | 'too_many_silent' | 'crowded_out' | 'slow_reader';

/** Why an HTTP request at a listener for browsers was refused. */
export type PageRefusal = 'rate';

/** Why a message got no answer: it could not be addressed, or nobody waits for one. */
export type DropCause = 'malformed' | 'response' | 'ack' | 'response_unattached' | 'ack_unattached';

/** Why bindings went away. */
export type UnregisterCause = 'client' | 'expired' | 'endpoint_lost' | 'token_expired';

/** Why a flow was closed; `peer` when the client closed it or its connection broke. */
export type FlowCloseCause =
  | 'peer'
  | 'drain'
  | 'not_sip'
  | 'malformed'
  | 'unauthenticated'
  | 'token_expired'
  | 'replaced'
  | 'moved'
  | 'rate'
  | 'address_rate'
  | 'user_rate'
  | 'size'
  | 'protocol'
  | 'silent'
  | 'slow_reader'
  | 'internal';

/** The flow to which an event belongs. */
export interface FlowLabel {
  /** `f_…` */
  readonly flowId: string;
  /** Remote `address:port`. */
  readonly remote: string;
}

/** The business events of the browser side, each logged as one line and counted once (DESIGN §9 rule 8). */
export interface EdgeEvents {
  flowOpened(event: FlowLabel & { transport: 'WS' | 'WSS' }): void;
  flowClosed(
    event: FlowLabel & { cause: FlowCloseCause; code: number; reason: string; openMs: number },
  ): void;
  upgradeRefused(event: { remote: string; status: number; cause: UpgradeRefusal; detail: string }): void;
  /** A connection took too long for its first request, or its address had too many such. */
  connectionCut(event: { remote: string; cause: ConnectionCut }): void;
  /** An HTTP request was not answered with what it asked for. */
  pageRefused(event: { remote: string; cause: PageRefusal; path: string }): void;
  /** A request was answered with the failure's status. */
  messageRefused(event: FlowLabel & { method: string; sipCallId: string; failure: SipFailure }): void;
  messageDropped(event: FlowLabel & { cause: DropCause; detail: string }): void;
  /** A 401 was sent; part of every sign-in, so worth a counter but no line above debug. */
  challenged(event: FlowLabel & { method: string; stale: boolean }): void;
  registered(event: {
    aor: string;
    endpointId: string;
    flowId: string;
    contactUri: string;
    expiresSeconds: number;
    refreshed: boolean;
  }): void;
  unregistered(event: { aor: string; endpointId: string; contactUri: string; cause: UnregisterCause }): void;
  /** A REGISTER was refused for wrong credentials, a lock-out or by the registrar. */
  registrationRefused(event: FlowLabel & { aor: string; failure: SipFailure }): void;
  /** The keys that tokens are signed with were asked for; `why`: they did not come. */
  keysFetched(event: { url: string; why: string | undefined }): void;
  /** A new flow took over an endpoint, from a lost flow or (`replaced`) from one that was still open. */
  endpointResumed(event: { aor: string; endpointId: string; flowId: string; replaced: boolean }): void;
  /** The grace of an endpoint without flow is over. */
  endpointLost(event: { aor: string; endpointId: string }): void;
}
