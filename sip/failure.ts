/** Who is to blame, as seen from webtrunk. */
export type FailureParty = 'caller' | 'callee' | 'upstream' | 'gateway';

/** How loud the log is about it. */
export type FailureSeverity = 'info' | 'warn' | 'error';

interface FailureEntry {
  readonly status: number;
  readonly reason: string;
  readonly party: FailureParty;
  readonly severity: FailureSeverity;
  /** What the operator can do about it, in plain words. */
  readonly remedy: string;
}

const entry = (
  status: number,
  reason: string,
  party: FailureParty,
  severity: FailureSeverity,
  remedy: string,
): FailureEntry => ({ status, reason, party, severity, remedy });

/**
 * Every failure that webtrunk can name (DESIGN §7). Codes are stable and dotted; the status is what a SIP peer is
 * answered with (RFC 3261 §21).
 */
export const failureCatalogue = {
  'message.malformed': entry(400, 'Bad Request', 'caller', 'info', 'The client sent SIP that cannot be read; the log names the field.'),
  'message.too_large': entry(513, 'Message Too Large', 'caller', 'info', 'Raise websocket.max_message or make the client send less.'),
  'message.uri_scheme': entry(416, 'Unsupported URI Scheme', 'caller', 'info', 'Only sip:, sips: and tel: can be called.'),
  'message.version': entry(505, 'Version Not Supported', 'caller', 'info', 'Only SIP/2.0 is spoken.'),
  'message.extension': entry(420, 'Bad Extension', 'caller', 'info', 'The client requires an option tag that webtrunk does not know.'),
  'message.too_many_hops': entry(483, 'Too Many Hops', 'caller', 'info', 'Look for a routing loop.'),
  'message.loop': entry(482, 'Loop Detected', 'caller', 'info', 'The same request arrived over two paths.'),
  'message.method_unknown': entry(501, 'Not Implemented', 'caller', 'info', 'The method is not known.'),
  'message.method_not_allowed': entry(405, 'Method Not Allowed', 'caller', 'info', 'The method is not served here.'),
  'message.content_type': entry(415, 'Unsupported Media Type', 'caller', 'info', 'Only application/sdp is taken in an offer or answer.'),
  'message.not_acceptable': entry(406, 'Not Acceptable', 'caller', 'info', 'The client takes no SDP in an answer.'),
  'message.content_encoding': entry(415, 'Unsupported Media Type', 'caller', 'info', 'Content-Encoding is not supported.'),
  'message.session_interval': entry(422, 'Session Interval Too Small', 'caller', 'info', 'The client asks for a session timer below 90 seconds (RFC 4028).'),
  'dialog.unknown': entry(481, 'Call/Transaction Does Not Exist', 'caller', 'info', 'The dialog has ended or belongs to someone else.'),
  'dialog.sequence': entry(500, 'Server Internal Error', 'caller', 'info', 'CSeq out of order in the dialog (RFC 3261 §12.2.2).'),
  'dialog.request_pending': entry(491, 'Request Pending', 'caller', 'info', 'Both sides re-invited at once; the client tries again.'),
  'auth.required': entry(401, 'Unauthorized', 'caller', 'info', 'The client is asked for its password.'),
  'auth.rejected': entry(403, 'Forbidden', 'caller', 'warn', 'Wrong user name or password.'),
  'auth.identity': entry(403, 'Forbidden', 'caller', 'warn', 'From names another user than the one who signed in.'),
  'auth.unregistered': entry(403, 'Forbidden', 'caller', 'info', 'Sign in (REGISTER) before any other request.'),
  'domain.unknown': entry(404, 'Not Found', 'caller', 'info', 'The domain is not served here; see domains: in the configuration.'),
  'limit.rate': entry(503, 'Service Unavailable', 'caller', 'warn', 'The client sends faster than limits.messages_per_second.'),
  'limit.register_failures': entry(503, 'Service Unavailable', 'caller', 'warn', 'Too many failed sign-ins from this address; see limits.register_failures_per_minute.'),
  'limit.calls': entry(486, 'Busy Here', 'caller', 'warn', 'The endpoint has limits.calls_per_endpoint calls.'),
  'limit.bindings': entry(403, 'Too Many Bindings', 'caller', 'warn', 'The user has too many devices registered.'),
  'register.interval_too_brief': entry(423, 'Interval Too Brief', 'caller', 'info', 'The client asked for a shorter expiry than Min-Expires.'),
  'register.out_of_order': entry(500, 'Server Internal Error', 'caller', 'info', 'A REGISTER overtook another (RFC 3261 §10.3 step 7).'),
  'route.no_match': entry(404, 'Not Found', 'caller', 'info', 'No route matches the dialled number; see routes: in the configuration.'),
  'route.rejected': entry(403, 'Forbidden', 'caller', 'info', 'A route rejects the dialled number.'),
  'route.user_unknown': entry(404, 'Not Found', 'caller', 'info', 'There is no such user.'),
  'route.user_offline': entry(480, 'Temporarily Unavailable', 'callee', 'info', 'The user has no device registered.'),
  'trunk.unknown_source': entry(403, 'Forbidden', 'caller', 'warn', 'The sender is not in any trunk; see trunks[].inbound.allow.'),
  'trunk.unavailable': entry(503, 'Service Unavailable', 'upstream', 'error', 'No target of the trunk can be reached.'),
  'trunk.unreachable': entry(503, 'Service Unavailable', 'upstream', 'error', 'The PBX refused the connection or its name does not resolve.'),
  'trunk.timeout': entry(408, 'Request Timeout', 'upstream', 'error', 'The PBX did not answer; check its address and firewall.'),
  'trunk.auth': entry(503, 'Service Unavailable', 'upstream', 'error', 'The PBX refuses our user name or password; see trunks[].auth.'),
  'trunk.engine_away': entry(503, 'Service Unavailable', 'gateway', 'error', 'The SIP engine is not connected.'),
  'trunk.protocol': entry(500, 'Server Internal Error', 'upstream', 'error', 'The PBX broke the protocol; the log has the detail.'),
  'upstream.refused': entry(480, 'Temporarily Unavailable', 'upstream', 'info', 'The other side refused; its status and reason are passed on.'),
  'callee.busy': entry(486, 'Busy Here', 'callee', 'info', 'The callee is busy.'),
  'callee.declined': entry(603, 'Decline', 'callee', 'info', 'The callee declined.'),
  'callee.no_answer': entry(480, 'Temporarily Unavailable', 'callee', 'info', 'Nobody answered in time.'),
  'callee.elsewhere': entry(487, 'Request Terminated', 'callee', 'info', 'Another device of the callee answered.'),
  'caller.cancelled': entry(487, 'Request Terminated', 'caller', 'info', 'The caller hung up before an answer.'),
  'call.ack_timeout': entry(408, 'Request Timeout', 'upstream', 'warn', 'The answer was never acknowledged; check the return path.'),
  'call.session_expired': entry(408, 'Request Timeout', 'upstream', 'warn', 'The session timer was not refreshed (RFC 4028).'),
  'call.max_duration': entry(487, 'Request Terminated', 'gateway', 'info', 'The call reached the maximum duration.'),
  'endpoint.lost': entry(480, 'Temporarily Unavailable', 'callee', 'warn', 'The browser lost its connection and did not come back in time.'),
  'media.not_acceptable': entry(488, 'Not Acceptable Here', 'caller', 'info', 'No shared codec or transport; the Warning header names the line.'),
  'media.sdp_malformed': entry(400, 'Bad Session Description', 'caller', 'info', 'The SDP cannot be read.'),
  'media.no_ports': entry(503, 'Service Unavailable', 'gateway', 'error', 'All media ports are in use; widen media.relay.ports.'),
  'media.failed': entry(500, 'Server Internal Error', 'gateway', 'error', 'The media engine failed; the log has the detail.'),
  'media.timeout': entry(408, 'Request Timeout', 'upstream', 'warn', 'No media arrived.'),
  'gateway.draining': entry(503, 'Service Unavailable', 'gateway', 'info', 'webtrunk is being stopped and takes nothing new.'),
  'gateway.overload': entry(503, 'Service Unavailable', 'gateway', 'error', 'webtrunk is overloaded.'),
  'gateway.internal': entry(500, 'Server Internal Error', 'gateway', 'error', 'A defect in webtrunk; the log has the detail.'),
} as const satisfies Record<string, FailureEntry>;

export type FailureCode = keyof typeof failureCatalogue;

/** What may differ from the catalogue's entry in one case. */
export interface FailureDetail {
  /** Precise text for the log and, on 4xx of malformed input, for the reason phrase; never secrets. */
  readonly detail?: string;
  /** Status and reason of a peer, passed on unchanged (`upstream.refused`). */
  readonly status?: number;
  readonly reason?: string;
  readonly party?: FailureParty;
  /** Header fields that the final response must carry (Retry-After, Warning, Unsupported …). */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly cause?: unknown;
}

/** A typed reason why a request is refused or a call ended (DESIGN §7). Built by {@link failure} only. */
export class SipFailure extends Error {
  override readonly name = 'SipFailure';

  constructor(
    readonly code: FailureCode,
    readonly status: number,
    readonly reason: string,
    readonly party: FailureParty,
    readonly severity: FailureSeverity,
    readonly remedy: string,
    readonly headers: readonly (readonly [name: string, value: string])[],
    readonly detail: string | undefined,
    cause: unknown,
  ) {
    super(detail === undefined ? `${code}: ${reason}` : `${code}: ${detail}`, cause === undefined ? {} : { cause });
  }
}

/** Builds the failure with that code from the catalogue. */
export function failure(code: FailureCode, detail: FailureDetail = {}): SipFailure {
  const base = failureCatalogue[code];
  return new SipFailure(
    code,
    detail.status ?? base.status,
    detail.reason ?? base.reason,
    detail.party ?? base.party,
    base.severity,
    base.remedy,
    detail.headers ?? [],
    detail.detail,
    detail.cause,
  );
}

/** Turns anything thrown into a failure; what is not one already is a defect and shows no detail to a peer. */
export function toFailure(thrown: unknown): SipFailure {
  return thrown instanceof SipFailure ? thrown : failure('gateway.internal', { cause: thrown });
}
