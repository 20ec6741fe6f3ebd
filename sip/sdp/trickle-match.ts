import type { SipFailure } from '../failure.js';
import { malformed } from './refusal.js';
import { linesOf } from './scan.js';
import type { TrickleFragment } from './trickle.js';

/**
 * Whether a fragment is about one of these descriptions of its sender: the same ICE generation (RFC 8840 §4.4), and only
 * m-lines that the description has. Returns `media.sdp_malformed` with what does not fit; linear in the texts.
 */
export function trickleMismatch(
  fragment: TrickleFragment,
  descriptions: readonly string[],
): SipFailure | undefined {
  if (fragment.ice === undefined) return malformed('no usable a=ice-ufrag and a=ice-pwd');
  const { ufrag, pwd } = fragment.ice;
  const own = descriptions.map(namesOf).find(({ ufrags, pwds }) => ufrags.has(ufrag) && pwds.has(pwd));
  if (own === undefined) return malformed('a=ice-ufrag or a=ice-pwd is of no description in force');
  const unknown = fragment.lines.find(({ mid }) => mid !== undefined && !own.mids.has(mid));
  return unknown === undefined ? undefined : malformed('a=mid names no line of the description');
}

function namesOf(description: string) {
  const names = { ufrags: new Set<string>(), pwds: new Set<string>(), mids: new Set<string>() };
  for (const line of linesOf(description)) {
    if (line.startsWith('a=ice-ufrag:')) names.ufrags.add(line.slice(12));
    else if (line.startsWith('a=ice-pwd:')) names.pwds.add(line.slice(10));
    else if (line.startsWith('a=mid:')) names.mids.add(line.slice(6));
  }
  return names;
}
