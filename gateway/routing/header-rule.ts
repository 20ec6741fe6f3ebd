import type { HeaderList, HeaderView, LegSide } from '../../sip/leg.js';

/** Which header fields of an INVITE cross between a trunk and whoever is at the other end (`trunks[].headers`). */
export interface HeaderRule {
  /** Names that are taken from the trunk. */
  readonly in: readonly string[];
  /** Names that are sent to the trunk. */
  readonly out: readonly string[];
  /** Whether Diversion and History-Info are taken from the trunk, and sent to it. */
  readonly diversion: 'keep' | 'drop';
}

/** Diversions are kept, nothing else crosses. */
export const plainHeaders: HeaderRule = { in: [], out: [], diversion: 'keep' };

/** Who was called before, and how the call came here (RFC 5806, RFC 7044). */
const history: readonly string[] = ['Diversion', 'History-Info'];

/** Header fields that the caller's side lets through; the callee's side picks from them. */
export interface OfferedHeaders {
  /** For a trunk with this rule. */
  forTrunk(rule: HeaderRule): HeaderList;
  /** For a browser of ours. */
  forBrowser(): HeaderList;
}

/**
 * What may cross beside the identity. `rule`: of the trunk that the call comes from. A browser can write anything: what it says of
 * diversions never crosses, other fields only where the trunk asks for them.
 */
export function offeredHeaders(
  received: HeaderView,
  from: LegSide,
  rule: HeaderRule = plainHeaders,
): OfferedHeaders {
  if (from === 'browser') return { forTrunk: ({ out }) => picked(received, out), forBrowser: () => [] };
  const named = new Set(rule.in.map((name) => name.toLowerCase()));
  const before = rule.diversion === 'keep' ? picked(received, history) : [];
  return {
    forTrunk({ out, diversion }) {
      const wanted = out.filter((name) => named.has(name.toLowerCase()));
      return [...(diversion === 'keep' ? before : []), ...picked(received, wanted)];
    },
    forBrowser: () => [...before, ...picked(received, rule.in)],
  };
}

/** The fields of these names, each value by itself. */
export function picked(received: HeaderView, names: readonly string[]): HeaderList {
  return names.flatMap((name) =>
    received.getAll(name).map((value): readonly [string, string] => [name, value]),
  );
}
