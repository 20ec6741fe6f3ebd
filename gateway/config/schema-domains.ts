import { z } from 'zod';
import * as field from './fields.js';

const user = z.strictObject({
  name: field.text(
    'User part of `sip:name@domain`.',
    'letters, digits and . _ + ~ -',
    'alice',
    field.userName,
  ),
  password: field.secretText('Password for SIP digest.', '${ALICE_PASSWORD}'),
  display_name: field.text('Shown to whoever is called.', 'text', 'Alice').optional(),
  caller_id: field
    .text(
      'Number that trunks are shown instead of the name.',
      'a number',
      '"+15551230001"',
      field.phoneNumber,
    )
    .optional(),
  caller_ids: z
    .array(field.text('', 'a number', '"+15551230009"', field.phoneNumber))
    .max(100)
    .meta({
      description:
        'More numbers that the user may be shown with when the phone asks for it (P-Preferred-Identity).',
      expected: 'a list of numbers',
      example: '["+15551230009"]',
    })
    .optional(),
});

/** One entry of `domains:`. */
export const domain = z.strictObject({
  name: field.host('Domain of the users, as they sign in.', 'example.com'),
  auth: field
    .choice(
      'Who knows the users. `local`: they and their passwords are below. `jwt`: whoever signs the tokens that they bring, see `jwt`. `pbx`: the PBX behind `trunk`, which is asked for passwords.',
      ['local', 'jwt', 'pbx'],
    )
    .default('local'),
  trunk: field
    .text(
      'With `auth: pbx`: the trunk that REGISTER, challenges and calls of this domain are passed to.',
      'the name of a trunk',
      'office',
    )
    .optional(),
  contact: field
    .choice(
      'With `auth: pbx`: what the PBX keeps of a browser. `rewritten`: an address of webtrunk, which every PBX takes. `path`: the address that the browser gives, and how to reach it (RFC 3327); the PBX must take Path.',
      ['rewritten', 'path'],
    )
    .optional(),
  users: z
    .array(user)
    .meta({
      description: 'Users of this domain.',
      expected: 'a list of users',
      example: '[{ name: alice, password: ${ALICE_PASSWORD} }]',
    })
    .default([]),
  users_file: field
    .text(
      'File with more users: lines `user:realm:HA1` as htdigest writes them, realm being the domain.',
      'a file name',
      'users.htdigest',
    )
    .optional(),
});
