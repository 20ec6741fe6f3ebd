import { failure, type SipFailure } from '../../sip/failure.js';
import type { Termination } from '../telemetry/call-events.js';

/** Names a peer's plain refusal after what it means to a person; status, reason and headers stay the peer's. */
export function classifyRefusal(refusal: SipFailure): SipFailure {
  if (refusal.code !== 'upstream.refused') return refusal;
  const { status, reason, headers } = refusal;
  if (status === 486 || status === 600) return failure('callee.busy', { status, reason, headers });
  if (status === 603) return failure('callee.declined', { status, reason, headers });
  if (status === 480 || status === 408) return failure('callee.no_answer', { status, reason, headers });
  return refusal;
}

/** True when another target may still take the call: the target failed, rather than somebody refused. */
export function mayTryNext(refusal: SipFailure): boolean {
  if (refusal.code.startsWith('trunk.')) return true;
  return refusal.status === 408 || (refusal.status >= 500 && refusal.status < 600);
}

const rank = (refusal: SipFailure): number => {
  const statusClass = Math.floor(refusal.status / 100);
  if (statusClass === 6) return 0;
  return refusal.status === 408 || refusal.status === 487 ? 4.5 : statusClass;
};

/** The one of two refusals that the caller is told: 6xx first, then the lowest class (RFC 3261 §16.7 step 6). */
export function betterFailure(one: SipFailure | undefined, other: SipFailure): SipFailure {
  if (one === undefined) return other;
  return rank(other) < rank(one) ? other : one;
}

/** What is answered to the caller. A redirection is not followed and not passed on: its contacts are not ours to show. */
export function towardsCaller(refusal: SipFailure): SipFailure {
  if (refusal.status >= 400 && refusal.status < 700) return refusal;
  return failure('upstream.refused', {
    detail: `answered ${refusal.status} ${refusal.reason}`,
    cause: refusal,
  });
}

/** The termination that a failure leads to. */
export function terminationOf(refusal: SipFailure): Termination {
  return {
    result: refusal.party,
    code: refusal.code,
    status: refusal.status,
    reason: refusal.reason,
    by: refusal.party === 'upstream' ? 'callee' : refusal.party,
  };
}

/** Legs that were told to end, and never said that they have. */
export function unended(legIds: readonly string[]): SipFailure {
  return failure('gateway.internal', { detail: `legs ${legIds.join(', ')} did not report their end` });
}
