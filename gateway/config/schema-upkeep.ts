import { z } from 'zod';
import * as field from './fields.js';

/** What keeps a trunk usable: registration, health, failover and limits. */

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

export const hostWeight = field
  .integer('Share of the calls among hosts of the same priority.', 1, 65_535, 10)
  .default(10);

export const register = z
  .strictObject({
    expires: field
      .duration(
        'How long a registration is asked for; the answer of the carrier decides.',
        30 * second,
        24 * hour,
        '300s',
      )
      .default('300s'),
    retry: field
      .duration('First wait after a failure; later ones are longer, with jitter.', second, hour, '30s')
      .default('30s'),
  })
  .meta({
    description: 'How a trunk with `type: register` signs in.',
    example: '{ expires: 300s, retry: 30s }',
  });

export const options = z
  .strictObject({
    every: field.duration('Time between two OPTIONS to a host.', second, hour, '30s').default('30s'),
    fail_after: field
      .integer('So many in a row without an answer, or with 408 or 503, put the host out of use.', 1, 100, 3)
      .default(3),
  })
  .meta({
    description:
      'Watches each host with OPTIONS and passes over those that do not answer. Default: no watch.',
    example: '{ every: 30s, fail_after: 3 }',
  });

export const numberFrom = field
  .choice(
    'Where the called number stands: `to` for carriers that write the registered user into the Request-URI.',
    ['request_uri', 'to'],
  )
  .default('request_uri');

export const attemptTimeout = (description: string) => field.duration(description, 500, 5 * minute, '10s');

export const progressTimeout = (description: string) => field.duration(description, 500, 5 * minute, '20s');

export const failoverOn = z.array(field.integer('', 400, 699, 503)).meta({
  description:
    'Answers after which the next host, or the next trunk of the route, is tried. Default: 408 and all 5xx.',
  expected: 'a list of statuses from 400 to 699',
  example: '[408, 500, 503]',
});

/** Limits of a trunk, or of a user. */
export const callLimits = (description: string) =>
  z
    .strictObject({
      channels: field.integer('Calls at a time.', 1, 1_000_000, 30).optional(),
      cps: field.integer('New calls in a second.', 1, 100_000, 5).optional(),
      max_duration: field.duration('Longest call.', second, 7 * 24 * hour, '4h').optional(),
      max_ring: field.duration('Longest wait for an answer.', second, 10 * minute, '60s').optional(),
    })
    .meta({ description, example: '{ channels: 30, cps: 5, max_duration: 4h }' });
