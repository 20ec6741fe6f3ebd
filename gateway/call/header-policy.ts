import type { HeaderList, HeaderView, LegSide } from '../../sip/leg.js';

/**
 * Header fields of an INVITE that cross the gateway, by the side they come from. Identity (P-Asserted-Identity,
 * Remote-Party-ID, Diversion …) never crosses from a browser: anybody can write it there (DESIGN §9 rule 3).
 */
const passed: Readonly<Record<LegSide, readonly string[]>> = {
  browser: ['Subject', 'Priority', 'Accept-Language'],
  trunk: ['Subject', 'Priority', 'Accept-Language', 'Alert-Info', 'Diversion', 'History-Info'],
};

/** Hops left when the received request does not say (RFC 3261 §8.1.1.6). */
const defaultMaxForwards = 70;

/** The header fields of the INVITE to the callee that come from the caller's INVITE. */
export function forwardedHeaders(received: HeaderView, from: LegSide): HeaderList {
  const kept = passed[from].flatMap((name) =>
    received.getAll(name).map((value): readonly [string, string] => [name, value]),
  );
  return [['Max-Forwards', String(hopsLeft(received) - 1)], ...kept];
}

/** Max-Forwards of the received request; the gates have refused zero and nonsense already. */
function hopsLeft(received: HeaderView): number {
  const hops = Number(received.get('Max-Forwards') ?? defaultMaxForwards);
  return Number.isInteger(hops) && hops > 0 ? Math.min(hops, defaultMaxForwards) : defaultMaxForwards;
}

/** The Reason header that tells why the other side ended (RFC 3326), as received. */
export function reasonHeaders(reason: string | undefined): HeaderList {
  return reason === undefined ? [] : [['Reason', reason]];
}

/** What the losing forks are told (RFC 3326 §2). */
export const completedElsewhere: HeaderList = [['Reason', 'SIP;cause=200;text="Call completed elsewhere"']];
