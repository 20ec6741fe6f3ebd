import type { Clock } from '../../sip/clock.js';
import { failure, toFailure, type SipFailure } from '../../sip/failure.js';
import type { InDialogResponse } from '../../sip/leg.js';
import { within } from '../../sip/trunk/options-ping.js';
import type { HostsForUser } from '../trunk/trunk-table.js';

export interface FirstAnswerOptions extends HostsForUser {
  readonly clock: Clock;
  /** The request does no harm when a silent host has served it all the same: only then silence is cut short. */
  readonly isRepeatable: boolean;
  readonly send: (nextHop: string) => Promise<InDialogResponse>;
}

/**
 * Sends to one host after the other until one answers; silence and 503 are no answers (RFC 3263 §4.3), but when no host is left
 * the 503 is one. Rejects with the last failure, `trunk.unavailable` without hosts.
 */
export async function firstAnswer({
  hosts,
  patienceMs,
  clock,
  isRepeatable,
  send,
}: FirstAnswerOptions): Promise<InDialogResponse> {
  let last = failure('trunk.unavailable', { detail: 'the trunk has no host' });
  let unavailable: InDialogResponse | undefined;
  for (const [index, { uri, health }] of hosts.entries()) {
    const isHurried = isRepeatable && index + 1 < hosts.length;
    try {
      const sent = send(uri);
      const answer =
        isHurried && patienceMs !== undefined
          ? await within(sent, patienceMs, clock, `${uri} is silent`)
          : await sent;
      const { status, reason } = answer;
      if (status !== 503) {
        if (status !== 408) health.heard(`${status} ${reason}`);
        return answer;
      }
      unavailable = answer;
    } catch (thrown) {
      last = toFailure(thrown);
      if (isSilence(last)) health.missed();
    }
  }
  if (unavailable === undefined) throw last;
  return unavailable;
}

function isSilence({ code }: SipFailure): boolean {
  return code === 'trunk.timeout' || code === 'trunk.unreachable';
}
