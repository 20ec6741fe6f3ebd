import { z } from 'zod';
import * as field from './fields.js';
import { isCountry } from './schema-identity.js';

/** Limits by address and by user, beside those of each WebSocket. */
export const abuseLimits = {
  connections: field.integer('WebSockets in all.', 1, 1_000_000, 50_000).default(50_000),
  unauthenticated: field
    .integer(
      'WebSockets in all that have not signed in; at each listener as many connections may be without a request.',
      1,
      1_000_000,
      5_000,
    )
    .default(5_000),
  unauthenticated_per_ip: field
    .integer('WebSockets from one address that have not signed in.', 1, 1_000_000, 50)
    .default(50),
  connects_per_minute: field
    .integer('WebSockets that one address may try to open; a quarter of them at once.', 1, 1_000_000, 600)
    .default(600),
  http_requests_per_minute: field
    .integer(
      'HTTP requests of one address that open no WebSocket: pages, `/config.json`, `/api/ice-servers`; a quarter of them at once.',
      4,
      1_000_000,
      2_400,
    )
    .default(2_400),
  authenticate_within: field
    .duration('How long a WebSocket may stay without signing in.', 1_000, 600_000, '30s')
    .default('30s'),
  request_within: field
    .duration('How long a connection may take for its first request.', 1_000, 60_000, '10s')
    .default('10s'),
  address_messages_per_second: field
    .integer(
      'Messages of one address, over all its WebSockets that have not signed in; four times that at once.',
      1,
      1_000_000,
      200,
    )
    .default(200),
  user_messages_per_second: field
    .integer('Messages of one user, over all his WebSockets; four times that at once.', 1, 1_000_000, 200)
    .default(200),
  failing_users_per_ip: field
    .integer(
      'Users whose sign-ins from one address fail in ten minutes, each counted once a minute, before nobody more may sign in from there.',
      1,
      1_000_000,
      50,
    )
    .default(50),
  registers_per_minute: field
    .integer('REGISTERs of a user who has signed in; a quarter of them at once.', 4, 100_000, 120)
    .default(120),
  invites_per_minute: field
    .integer(
      'New calls of a user; a quarter of them at once. Emergency calls are not counted.',
      4,
      100_000,
      120,
    )
    .default(120),
};

const prefixes = (description: string, example: string) =>
  z
    .array(field.text('First digits of numbers.', 'first digits of a number', '"+1900"', /^\+?[0-9]{1,15}$/))
    .meta({ description, expected: 'a list of first digits', example })
    .default([]);

/** What a stolen password may cost. */
export const fraudLimits = z
  .strictObject({
    country: field.checkedText(
      'Country whose numbers are not international, two capital letters.',
      { expected: 'the code of a country such as US', example: 'US' },
      isCountry,
    ),
    international: field
      .flag('Users may call numbers of other countries. Without it only those that begin as `allow` says.')
      .default(false),
    allow: prefixes(
      'Beginnings of numbers of other countries that may be called all the same.',
      '["+44", "+353"]',
    ),
    deny: prefixes(
      'Beginnings of numbers that nobody may call, with `+` as in E.164 or as they are sent to the trunk.',
      '["+1900", "+1976", "+881"]',
    ),
    new_destinations_per_hour: field
      .integer('Numbers that a user has not called before and may call in an hour.', 1, 100_000, 20)
      .optional(),
    minutes_per_day: field
      .integer('Minutes that a user may talk over trunks from midnight to midnight UTC.', 1, 1_000_000, 600)
      .optional(),
  })
  .meta({
    description:
      'Guard against toll fraud: calls of users to trunks. Emergency calls, and users of domains with `auth: pbx`, are not its business.',
    example: '{ country: US, deny: ["+1900"], new_destinations_per_hour: 20, minutes_per_day: 600 }',
  });
