import { failure, SipFailure } from '../failure.js';
import type { HeaderView } from '../leg.js';
import type { Unanswered } from './challenges.js';
import { noHeaders, readResponse } from './received-message.js';
import type { SrfResponse } from './srf-types.js';

/** A refusal by the peer or by the engine, with the peer's header fields when it was the peer. */
export interface Refusal {
  readonly failure: SipFailure;
  readonly headers: HeaderView | undefined;
}

/** Header fields of a refusal that mean something to whoever is told of it (RFC 3261 §20, §21). */
const telling = ['Retry-After', 'Warning', 'Reason', 'Unsupported', 'Min-SE'];

/** What srf or the engine says about a failure. */
export function textOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return typeof thrown === 'string' ? thrown : 'request failed';
}

/** The final response that an error of createUAC carries; undefined when the request did not get that far. */
export function responseOf(thrown: unknown): SrfResponse | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('res' in thrown)) return undefined;
  return (thrown as { readonly res: SrfResponse }).res;
}

/** True when the dialog had ended when the request reached the engine (srf's `ENODIALOG`). */
export function isDialogGone(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ENODIALOG';
}

/** There is no engine just now; callers are to come back when it can be there again. */
export function engineAway(detail?: string, cause?: unknown): SipFailure {
  return failure('trunk.engine_away', {
    headers: [['Retry-After', '5']],
    ...(detail === undefined ? {} : { detail }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What the engine said instead of sending our message (`NOK|…`), or what srf threw because there is no engine. */
export function notSent(thrown: unknown): SipFailure {
  if (thrown instanceof SipFailure) return thrown;
  const detail = textOf(thrown);
  if (isDialogGone(thrown)) return failure('dialog.unknown', { detail, cause: thrown });
  if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EDRACHTIO') {
    return failure('trunk.unreachable', { detail, cause: thrown });
  }
  return engineAway(detail, thrown);
}

/** True when the engine made the response itself: a timeout, a refused connection, a name that does not resolve. */
function isLocal(response: SrfResponse): boolean {
  return response.source_address === undefined || response.source_address === '';
}

/** What the embedded engine says about a response of its own (RFC 3326). */
function reasonText(response: SrfResponse): string | undefined {
  const reason = readResponse(response.msg)?.headers.get('reason');
  return reason === undefined ? undefined : /;text="([^"]+)"/.exec(reason)?.[1];
}

const noCredentials: Unanswered = { because: 'credentials are wanted and none are configured' };

/** Names a final 3xx–6xx; of a challenge says why it was not answered, unless it is for the caller to answer. */
export function refusalOf(
  response: SrfResponse,
  unanswered: Unanswered | 'callers' = noCredentials,
): Refusal {
  const { status, reason = '' } = response;
  const detail = `${status} ${reason}`.trim();
  if (isLocal(response)) {
    const code = status === 408 ? 'trunk.timeout' : 'trunk.unreachable';
    const why = reasonText(response) ?? detail;
    return { failure: failure(code, { detail: why }), headers: undefined };
  }
  const headers = readResponse(response.msg)?.headers ?? noHeaders;
  if ((status === 401 || status === 407) && unanswered === 'callers') {
    const challenges = ['WWW-Authenticate', 'Proxy-Authenticate'].flatMap((name) =>
      headers.getAll(name).map((value): readonly [string, string] => [name, value]),
    );
    const said = reason === '' ? {} : { reason };
    return { failure: failure('auth.challenged', { status, headers: challenges, ...said }), headers };
  }
  if (status === 401 || status === 407) {
    const { because } = unanswered === 'callers' ? noCredentials : unanswered;
    return { failure: failure('trunk.auth', { detail: `${detail}: ${because}` }), headers };
  }
  const kept = telling.flatMap((name) =>
    headers.getAll(name).map((value): readonly [string, string] => [name, value]),
  );
  const told = { status, detail, headers: kept, ...(reason === '' ? {} : { reason }) };
  return { failure: failure('upstream.refused', told), headers };
}
