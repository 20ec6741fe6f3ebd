import type { HeaderList, HeaderView, LegEnd, LegSide } from '../../sip/leg.js';
import { picked } from '../routing/header-rule.js';

/**
 * Header fields of an INVITE that always cross the gateway. Others cross by rule (routing/header-rule.ts); identity never does, it
 * is written anew (routing/caller-id.ts).
 */
const passed: readonly string[] = ['Subject', 'Priority', 'Accept-Language'];
const passedFromTrunk: readonly string[] = [...passed, 'Alert-Info'];

/** Hops left when the received request does not say (RFC 3261 §8.1.1.6). */
const defaultMaxForwards = 70;

/** The header fields of the INVITE to the callee that come from the caller's INVITE, whoever is called. */
export function forwardedHeaders(received: HeaderView, from: LegSide): HeaderList {
  const names = from === 'trunk' ? passedFromTrunk : passed;
  return [['Max-Forwards', String(hopsLeft(received) - 1)], ...picked(received, names)];
}

/** Max-Forwards of the received request; the gates have refused zero and nonsense already. */
function hopsLeft(received: HeaderView): number {
  const hops = Number(received.get('Max-Forwards') ?? defaultMaxForwards);
  return Number.isInteger(hops) && hops > 0 ? Math.min(hops, defaultMaxForwards) : defaultMaxForwards;
}

/** The Reason header that tells why the other side ended (RFC 3326): as received, else the failure that ended it. */
export function reasonHeaders({ reason, failure }: Pick<LegEnd, 'reason' | 'failure'>): HeaderList {
  if (reason !== undefined) return [['Reason', reason]];
  if (failure === undefined) return [];
  const text = failure.reason.replaceAll(/["\\]/g, '\\$&');
  return [['Reason', `SIP;cause=${failure.status};text="${text}"`]];
}

/** What the losing forks are told (RFC 3326 §2). */
export const completedElsewhere: HeaderList = [['Reason', 'SIP;cause=200;text="Call completed elsewhere"']];
