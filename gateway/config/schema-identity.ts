import { z } from 'zod';
import * as field from './fields.js';
import { mayCross } from './header-names.js';

/** What a trunk is told of numbers and of who calls: keys of `trunks:` in the configuration file. */

const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'none' });

/** ISO 3166: not `UK`, which only stands for `GB`. */
/** True for two letters of a country (ISO 3166) that has telephone numbers. */
export function isCountry(code: string): boolean {
  if (!/^[A-Z]{2}$/.test(code) || regions.of(code) === undefined) return false;
  return new Intl.Locale(`und-${code}`).region === code;
}

/** `from`, `pai`, `rpid`, or several with `+` between them. */
function isCallerIdPlaces(text: string): boolean {
  const places = text.split('+');
  return (
    places.every((place) => ['from', 'pai', 'rpid'].includes(place)) && new Set(places).size === places.length
  );
}

export const numbers = z
  .strictObject({
    out: field
      .choice(
        'How the dialled number and the caller’s are written to the trunk. `e164`: +15551234567. `national`: as in `country`. `as_dialled`: unchanged.',
        ['e164', 'national', 'as_dialled'],
      )
      .default('as_dialled'),
    in: field
      .choice(
        'How numbers from the trunk are written before routes see them. `e164`: +15551234567. `as_dialled`: unchanged.',
        ['e164', 'as_dialled'],
      )
      .default('as_dialled'),
    country: field
      .checkedText(
        'Country whose national numbers these are, two capital letters. Needed unless numbers stay as they are.',
        { expected: 'the code of a country such as US', example: 'US' },
        isCountry,
      )
      .optional(),
    strip: field.integer('Characters taken from the front of the dialled number first.', 0, 15, 0).default(0),
    prefix: field
      .text('Put in front of the dialled number last.', 'digits, + and *', '"00"', /^[+*]?[0-9*]{0,15}$/)
      .default(''),
  })
  .meta({
    description: 'How numbers are written. Short and emergency numbers stay as they are.',
    example: '{ out: e164, in: e164, country: US }',
  })
  .optional();

export const callerId = z
  .strictObject({
    send: field
      .checkedText(
        'Where the number of the caller stands, with `+` between several. `from`: From. `pai`: P-Asserted-Identity. `rpid`: Remote-Party-ID, for old PBXs. From shows it too unless `from.user` is given. Default: from.',
        { expected: 'from, pai, rpid or several with + between them', example: 'pai' },
        isCallerIdPlaces,
      )
      .optional(),
    privacy: field
      .choice('`honour`: a caller may hide. `ignore`: the number is always shown.', ['honour', 'ignore'])
      .default('honour'),
    on_mismatch: field
      .choice(
        'When a user asks for a number that is neither its `caller_id` nor in its `caller_ids`. `replace`: `caller_id` is shown. `reject`: the call is refused. `send`: it is shown, marked as not verified.',
        ['replace', 'reject', 'send'],
      )
      .default('replace'),
  })
  .meta({ description: 'How the trunk is told who calls.', example: '{ send: pai, privacy: honour }' })
  .optional();

const headerNames = (description: string, example: string) =>
  z
    .array(
      field.checkedText(
        '',
        { expected: 'a header field that may cross, such as X-Customer', example: 'X-Customer' },
        mayCross,
      ),
    )
    .max(20)
    .meta({ description, expected: 'a list of header fields', example })
    .default([]);

export const headers = z
  .strictObject({
    in: headerNames('Taken from INVITEs of the trunk.', '[X-Customer]'),
    out: headerNames(
      'Sent to the trunk when the caller wrote them; a browser can write anything.',
      '[X-Account]',
    ),
    diversion: field
      .choice(
        '`keep`: Diversion and History-Info of trunks are passed on, and sent to this one. `drop`: not.',
        ['keep', 'drop'],
      )
      .default('keep'),
  })
  .meta({
    description: 'Header fields that cross beside Subject, Priority, Accept-Language and Alert-Info.',
    example: '{ in: [X-Customer], out: [X-Account] }',
  })
  .optional();
