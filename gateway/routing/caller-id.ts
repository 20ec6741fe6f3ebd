import { failure } from '../../sip/failure.js';
import type { HeaderList, Party } from '../../sip/leg.js';
import { parseUri, serializeNameAddr } from '../../sip/message/index.js';
import { callingAt, type NumberRule } from './number-rule.js';
import { isSameNumber } from './phone-number.js';

/** How a trunk is told who calls (`trunks[].caller_id`). */
export interface CallerIdRule {
  /** Where the number stands: From, P-Asserted-Identity (RFC 3325), Remote-Party-ID (for old PBXs). From always has one. */
  readonly send: readonly ('from' | 'pai' | 'rpid')[];
  /** Whether a caller may hide from the callee (RFC 3323). */
  readonly privacy: 'honour' | 'ignore';
  /** What becomes of a number that the caller asks for and may not show. */
  readonly onMismatch: 'replace' | 'reject' | 'send';
}

/** From shows the number that the caller may show, or nothing when it wants to hide. */
export const plainCallerId: CallerIdRule = { send: ['from'], privacy: 'honour', onMismatch: 'replace' };

/** Who calls, as far as it is proved, and what it asks for. */
export interface PresentableCaller {
  /** User part as it is to be written in a URI: the signed-in user, or the number that a trunk says is calling. */
  readonly user: string;
  readonly displayName: string | undefined;
  /** The number that is shown instead of `user`. */
  readonly callerId: string | undefined;
  /** More numbers that may be shown instead. */
  readonly callerIds?: readonly string[] | undefined;
  /** The number that the caller asks for (P-Preferred-Identity, RFC 3325 §9.2). */
  readonly claimed?: string | undefined;
  /** What the caller's Privacy header asks for (RFC 3323 §4.2), lower-case; empty: nothing. */
  readonly privacy?: readonly string[] | undefined;
}

/** The trunk that the caller is shown to. */
export interface CallerIdTrunk {
  readonly rule: CallerIdRule;
  readonly numbers: NumberRule;
  /** What From shows whoever calls. */
  readonly fromUser: string | undefined;
  /** Host part of what is shown. */
  readonly domain: string;
  /** An emergency call is never refused for its number, and never hides: somebody has to call back. */
  readonly emergency: boolean;
}

/** What a trunk is shown. */
export interface Presentation {
  readonly from: Party;
  readonly headers: HeaderList;
}

/** RFC 3323 §4.1.1.3. */
export const anonymous: Party = { uri: 'sip:anonymous@anonymous.invalid', displayName: 'Anonymous' };

/** Values of Privacy that ask to be hidden (RFC 3323 §4.2, RFC 3325 §9.3). */
const hiding: ReadonlySet<string> = new Set(['id', 'user', 'header']);

/** True when the caller does not want the callee to know who it is. */
export function wantsPrivacy({ privacy = [] }: Pick<PresentableCaller, 'privacy'>): boolean {
  return !privacy.includes('none') && privacy.some((value) => hiding.has(value));
}

/**
 * The identity that a trunk is shown: written by us alone, from what is proved and what is allowed. Throws
 * `caller_id.refused` when the caller asks for a number that it may not show and the trunk's rule is to refuse that.
 */
export function presentCaller(caller: PresentableCaller, trunk: CallerIdTrunk): Presentation {
  const { rule, emergency } = trunk;
  const proved = callingAt(trunk.numbers, caller.callerId ?? caller.user);
  const { number, screened } = shownNumber(caller, proved, trunk);
  const hidden = rule.privacy === 'honour' && !emergency && wantsPrivacy(caller);
  const party = (user: string): Party => partyOf(user, trunk.domain, caller.displayName);
  const headers: (readonly [string, string])[] = [];
  if (rule.send.includes('pai')) {
    headers.push(['P-Asserted-Identity', written(party(screened ? number : proved))]);
  }
  if (rule.send.includes('rpid')) {
    const parameters = `party=calling;screen=${screened ? 'yes' : 'no'};privacy=${hidden ? 'full' : 'off'}`;
    headers.push(['Remote-Party-ID', `${written(party(number))};${parameters}`]);
  }
  if (hidden) headers.push(['Privacy', privacyValue(caller.privacy ?? [])]);
  return { from: hidden ? anonymous : party(trunk.fromUser ?? number), headers };
}

/** The number to show, and whether it is certain that the caller may show it. */
function shownNumber(
  caller: PresentableCaller,
  proved: string,
  { rule, numbers, emergency }: CallerIdTrunk,
): { readonly number: string; readonly screened: boolean } {
  const { claimed } = caller;
  if (claimed === undefined) return { number: proved, screened: true };
  const allowed = [caller.user, caller.callerId, ...(caller.callerIds ?? [])];
  if (claimed === caller.user) return { number: proved, screened: true };
  if (allowed.some((number) => number !== undefined && isSameNumber(number, claimed, numbers.country))) {
    return { number: callingAt(numbers, claimed), screened: true };
  }
  if (rule.onMismatch === 'replace' || emergency) return { number: proved, screened: true };
  if (rule.onMismatch === 'send') return { number: callingAt(numbers, claimed), screened: false };
  throw failure('caller_id.refused', { detail: `${caller.user} may not show ${claimed}` });
}

/** P-Asserted-Identity needs `id` to be hidden; `critical` and what else was asked for stay (RFC 3323 §4.2). */
function privacyValue(asked: readonly string[]): string {
  const known = asked.filter((value) => hiding.has(value) || value === 'critical' || value === 'session');
  return [...new Set(['id', ...known])].join(';');
}

function partyOf(user: string, domain: string, displayName: string | undefined): Party {
  const uri = `sip:${user}@${domain}`;
  return displayName === undefined ? { uri } : { uri, displayName };
}

function written({ uri, displayName }: Party): string {
  const parsed = parseUri(uri) ?? { scheme: 'other' as const, text: uri };
  return serializeNameAddr({ displayName, uri: parsed, params: new Map() });
}
