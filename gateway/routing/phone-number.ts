import { getCountryCallingCode, isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';

/** How numbers are written: `+15551234567`, as in the country itself, or as they come. */
export type NumberForm = 'e164' | 'national' | 'as_dialled';

/** Separators that people write (RFC 3966 §5.1.1). */
const separators = /[-.() ]/g;
const digitsOnly = /^\+?[0-9]+$/;

/** Shorter ones without `+` are extensions or short numbers, even where the country has subscriber numbers as short. */
const minNationalDigits = 7;

/**
 * Writes a number in another form. What is no telephone number of the country or of the world stays as it is: names,
 * extensions, short and emergency numbers. Whether a number is in use is not asked, only whether it is long enough.
 *
 * @param country two letters (ISO 3166); without it only numbers with `+` are known
 */
export function normalised(text: string, form: NumberForm, country: string | undefined): string {
  const number = text.replace(separators, '');
  if (form === 'as_dialled' || !digitsOnly.test(number)) return text;
  if (!number.startsWith('+') && number.length < minNationalDigits) return text;
  const home = country !== undefined && isSupportedCountry(country) ? country : undefined;
  const phone = parsePhoneNumberFromString(number, {
    ...(home === undefined ? {} : { defaultCountry: home }),
    extract: false,
  });
  if (phone === undefined || !phone.isPossible()) return text;
  if (form === 'e164' || home === undefined) return phone.number;
  const isForeign = phone.countryCallingCode !== getCountryCallingCode(home);
  const written = isForeign ? phone.format('IDD', { fromCountry: home }) : phone.format('NATIONAL');
  return written.replace(/[^0-9]/g, '');
}

/** `+49` of `DE`. @throws when there is no such country. */
export function callingCodeOf(country: string): string {
  if (!isSupportedCountry(country)) throw new RangeError(`${country} is no country`);
  return `+${getCountryCallingCode(country)}`;
}

/** True when both are the same number, however they are written. */
export function isSameNumber(one: string, other: string, country: string | undefined): boolean {
  return one === other || normalised(one, 'e164', country) === normalised(other, 'e164', country);
}
