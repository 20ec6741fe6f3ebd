import { parseUri } from '../../sip/message/index.js';
import type { Cdr } from '../call/call-record.js';
import { dialledOf } from '../call/dialled.js';
import type { CallRouter } from '../call/call-router.js';
import type { CalleeTarget, RoutePlan } from '../call/ports.js';
import type { FraudGuard } from './fraud-guard.js';

/** A router that asks the guard before a user's call goes to a trunk. */
export function guardedRouter(router: CallRouter, guard: FraudGuard): CallRouter {
  return {
    isEmergency: (incoming, source) => router.isEmergency(incoming, source),
    explain: (incoming, source, atMs) => router.explain(incoming, source, atMs),
    async plan(incoming, source) {
      const plan = await router.plan(incoming, source);
      if (source.side !== 'browser' || plan.emergency === true) return plan;
      const sent = plan.stages.flat().flatMap(numberSent);
      const refusal = sent.length === 0 ? undefined : guard.check(source.aor, sent);
      if (refusal !== undefined) throw refusal;
      return withinMinutes(plan, guard.remainingMs(source.aor));
    },
  };
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
