import { z } from 'zod';
import * as field from './fields.js';
import { isDate, isTimezone, parseDays, parseHours } from './route-times.js';

/** `routes:` of the configuration file. */

const target = z
  .union([
    z.literal('users'),
    z.strictObject({ user: field.text('User.', 'a user name', 'alice', field.userName) }),
    z.strictObject({
      trunks: z.array(field.text('Trunk.', 'the name of a trunk', 'office', field.label)).min(1),
    }),
    z.strictObject({ reject: field.integer('Status of the answer.', 400, 699, 404) }),
  ])
  .meta({
    description:
      '`users`: the dialled user of the domain. `{ user: alice }`: this user. `{ trunks: [office, backup] }`: these trunks, the next when one cannot take the call. `{ reject: 404 }`: the call is refused with this status.',
    expected: 'users, { user: NAME }, { trunks: [NAME, …] } or { reject: STATUS }',
    example: '{ trunks: [office] }',
  });

const spanKind = { expected: 'HH:MM-HH:MM', example: '"08:00-18:00"' };
const span = field.checkedText('', spanKind, (value) => parseHours(value) !== undefined);

const when = z
  .strictObject({
    timezone: field.checkedText(
      'Time zone of the other keys.',
      { expected: 'a time zone such as Europe/Berlin', example: 'Europe/Berlin' },
      isTimezone,
    ),
    days: z
      .array(
        field.checkedText(
          '',
          { expected: 'a day such as mon, or days such as mon-fri', example: 'mon-fri' },
          (value) => parseDays(value) !== undefined,
        ),
      )
      .min(1)
      .meta({
        description: 'Days of the week. Default: every day.',
        expected: 'a list of days such as mon and mon-fri',
        example: '[mon-fri]',
      })
      .optional(),
    dates: z
      .array(
        field.checkedText('', { expected: 'MM-DD or YYYY-MM-DD', example: '"12-25"' }, (value) =>
          isDate(value),
        ),
      )
      .min(1)
      .meta({
        description: 'Dates, of every year or of one. Default: every date.',
        expected: 'a list of MM-DD and YYYY-MM-DD',
        example: '["12-25", "2026-04-03"]',
      })
      .optional(),
    hours: z
      .union([span, z.array(span).min(1)])
      .meta({
        description:
          'From when until when, one or a list. `"22:00-06:00"` ends on the next day. Default: all day.',
        expected: 'HH:MM-HH:MM or a list of them',
        example: '"08:00-18:00"',
      })
      .optional(),
  })
  .meta({
    description: 'Only at these times.',
    example: '{ days: [mon-fri], hours: "08:00-18:00", timezone: Europe/Berlin }',
  });

export const route = z.strictObject({
  name: field.text(
    'Name of the route, for log and CDR.',
    'letters, digits, dots and dashes',
    'pstn',
    field.label,
  ),
  match: field.regex(
    'Regular expression (RE2) on the dialled user or number. Anchor it with ^ and $.',
    '"^\\\\+?[0-9]{3,15}$"',
  ),
  from_trunk: field
    .text(
      'Only calls that come from this trunk. Without it: calls of our users, and calls from trunks when `to` is no trunk.',
      'the name of a trunk',
      'office',
      field.label,
    )
    .optional(),
  domain: field
    .host(
      'Only calls of this domain: that of the calling user, or the one that a trunk dialled.',
      'example.com',
    )
    .optional(),
  caller: field
    .regex('Regular expression on the calling user or, from a trunk, the calling number.', '"^alice$"')
    .optional(),
  when: when.optional(),
  emergency: field
    .flag('Emergency numbers: tried before all other routes, and no limit applies to the call.')
    .default(false),
  rewrite: field
    .text(
      'The number that is called instead. `$1` is what the first group of `match` took.',
      'a number with $0 to $9',
      '"+1$1"',
      /^[+*#0-9A-Za-z._$-]{1,64}$/,
    )
    .optional(),
  to: target,
});

const hookLimits = {
  timeout: field.duration('How long the hook may take for a call.', 10, 30_000, '1s').default('1s'),
  fallback: field
    .choice(
      'When the hook fails or is late. `routes`: the routes decide. `reject`: the call is refused with 503.',
      ['routes', 'reject'],
    )
    .default('routes'),
};

const modulePath = field.text(
  'File of a JavaScript module (ESM) whose default export decides.',
  'a file name',
  './my-routing.js',
);

export const routing = z
  .union([
    modulePath,
    z.strictObject({ module: modulePath, ...hookLimits }),
    z.strictObject({
      url: field.webUrl('Where each call is posted to.', '"http://127.0.0.1:9000/route"'),
      token: field.secretText('Bearer token for it.', '${ROUTING_TOKEN}').optional(),
      ...hookLimits,
    }),
  ])
  .meta({
    description:
      'A hook that is asked where a call goes, after the emergency routes and before all others: a module, or `{ module, timeout, fallback }`, or `{ url, token, timeout, fallback }` (docs/routing.md). Default: `timeout: 1s`, `fallback: routes`. A change needs a restart.',
    expected: 'a file name, { module: FILE } or { url: URL }',
    example: './my-routing.js',
  });
