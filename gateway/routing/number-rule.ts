import { normalised, type NumberForm } from './phone-number.js';

/** How a trunk writes numbers (`trunks[].numbers`). */
export interface NumberRule {
  /** Of what is dialled and of who calls, towards the trunk. */
  readonly out: NumberForm;
  /** Of what the trunk dials and of who it says is calling. */
  readonly in: 'e164' | 'as_dialled';
  /** ISO 3166; needed unless both are `as_dialled`. */
  readonly country: string | undefined;
  /** Characters that are taken from the front of the dialled number, before anything else is done with it. */
  readonly strip: number;
  /** Put in front of the dialled number, after all else. */
  readonly prefix: string;
}

/** Numbers pass as they are. */
export const plainNumbers: NumberRule = {
  out: 'as_dialled',
  in: 'as_dialled',
  country: undefined,
  strip: 0,
  prefix: '',
};

/**
 * The dialled number as the trunk wants it. An emergency number goes out as it was dialled: with something stripped from it
 * nobody would come.
 */
export function dialledAt(rule: NumberRule, number: string, emergency: boolean): string {
  if (emergency) return number;
  return rule.prefix + normalised(number.slice(rule.strip), rule.out, rule.country);
}

/** The calling number as the trunk wants it. */
export function callingAt(rule: NumberRule, number: string): string {
  return normalised(number, rule.out, rule.country);
}

/** A number that the trunk sent, as routes and users see it. */
export function receivedFrom(rule: NumberRule, number: string): string {
  return normalised(number, rule.in, rule.country);
}

/** The number as the user part of a URI (RFC 3261 §25.1); `+` and `*` stay, `#` does not. */
export function escapedUser(number: string): string {
  return encodeURIComponent(number).replaceAll('%2B', '+');
}
