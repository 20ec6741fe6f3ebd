import { SipFailure } from '../../sip/failure.js';
import { parseUri } from '../../sip/message/index.js';
import type { Cdr } from '../call/call-record.js';
import { dialledOf } from '../call/dialled.js';
import type { CallRouter } from '../call/call-router.js';
import type { CallSource, CalleeTarget, RoutePlan } from '../call/ports.js';
import type { FraudGuard } from './fraud-guard.js';

/** A router that asks the guard before a user's call goes to a trunk, and says what it would answer. */
export function guardedRouter(router: CallRouter, guard: FraudGuard): CallRouter {
  return {
    isEmergency: (incoming, source) => router.isEmergency(incoming, source),
    async explain(incoming, source, atMs) {
      const explained = await router.explain(incoming, source, atMs);
      const { plan } = explained;
      const sent = plan instanceof SipFailure ? [] : guardedNumbers(plan, source);
      if (source.side !== 'browser' || sent.length === 0) return explained;
      const refusal = guard.forbidden(source.aor, sent);
      if (refusal !== undefined) return { ...explained, plan: refusal };
      const { counted } = guard;
      if (counted === undefined) return explained;
      const note = `limits.fraud allows each user ${counted}; only the webtrunk that runs knows how many are left`;
      return { ...explained, notes: [...(explained.notes ?? []), note] };
    },
    async plan(incoming, source) {
      const plan = await router.plan(incoming, source);
      const sent = guardedNumbers(plan, source);
      if (source.side !== 'browser' || sent.length === 0) return plan;
      const refusal = guard.check(source.aor, sent);
      if (refusal !== undefined) throw refusal;
      return withinMinutes(plan, guard.remainingMs(source.aor));
    },
  };
}

/** What the guard is asked about: numbers that a user's call would send to trunks. Nobody is asked about an emergency. */
function guardedNumbers(plan: RoutePlan, source: CallSource): readonly string[] {
  if (source.side !== 'browser' || plan.emergency === true) return [];
  return plan.stages.flat().flatMap(numberSent);
}

/** Tells the guard of a call that has ended. */
export function noteEnded(guard: FraudGuard, { caller, callee, durationMs }: Cdr): void {
  if (caller.side !== 'browser' || callee?.side !== 'trunk') return;
  const [aor = ''] = caller.who.split(' ');
  guard.talked(aor, durationMs);
}

/** What a trunk is sent as the number to call. */
function numberSent({ side, to }: CalleeTarget): readonly string[] {
  if (side !== 'trunk') return [];
  const dialled = dialledOf(parseUri(to.uri));
  return dialled === undefined ? [] : [dialled.user];
}

function withinMinutes(plan: RoutePlan, remainingMs: number | undefined): RoutePlan {
  if (remainingMs === undefined) return plan;
  const stages = plan.stages.map((stage) => stage.map((target) => shortened(target, remainingMs)));
  return { ...plan, stages };
}

function shortened(target: CalleeTarget, remainingMs: number): CalleeTarget {
  if (target.side !== 'trunk') return target;
  const maxDurationMs = Math.min(target.limits?.maxDurationMs ?? Infinity, remainingMs);
  return { ...target, limits: { ...target.limits, maxDurationMs } };
}
